"""The age guard of a compact channel: ages in a memory, one limit a clock."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import Classes, classes_signature
from mcos_hw.link.contract import ContractRead, contract_read_signature
from mcos_hw.link.grant import Grant, grant_signature
from mcos_hw.link.live import DRAIN_AGE, Live, live_signature
from mcos_hw.primitive.select import at_index, number
from mcos_hw.registers import channel_map

__all__ = ["CompactAgeGuard"]


class CompactAgeGuard(wiring.Component):
    """Ages of the heads, and whom to promote.

    It does in every clock what :class:`mcos_hw.channel.age.AgeGuard` does, which says it all. The
    ages are in a memory, which is read and written at one tenant a clock; a grant sets a mark that
    stands for an age of 0. Tenants under way are numbers.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    live : In(Live)
        Which tenants are enabled, and the least number of grants from one promotion to the next.
    contract : Out(ContractRead)
        Age limit of the tenant that is visited.
    classes : In(Classes)
        Heads that are serviceable.
    grant : In(Grant)
        The head that is granted in this clock, and whether as a promotion.
    promote : Out(tenants)
        The head that goes before every other, at most one.
    ages : Out(ArrayLayout(clocks_width, tenants))
        Ages of the heads in clocks, saturating. Nothing else reads the registers behind them.
    """

    live: Live
    contract: ContractRead
    classes: Classes
    grant: Grant
    promote: Signal
    ages: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
                "contract": Out(contract_read_signature(config, "age_limit")),
                "classes": In(classes_signature(config)),
                "grant": In(grant_signature(config)),
                "promote": Out(config.tenants),
                "ages": Out(data.ArrayLayout(config.clocks_width, config.tenants)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
        round_bits = config.tenant_width
        rounds_width = config.clocks_width - round_bits
        grants, promoted = self.grant.tenants, self.grant.promoted
        granted, granted_tenant = Signal(), Signal(config.tenant_width)
        m.d.comb += [granted.eq(grants.any()), granted_tenant.eq(number(grants))]

        m.submodules.rounds = rounds = memory.Memory(
            shape=unsigned(rounds_width),
            depth=config.tenants,
            init=[],
            attrs={"ram_style": "distributed"},
        )
        write, read = rounds.write_port(), rounds.read_port(domain="comb")
        fresh = Signal(config.tenants, init=-1)

        # Three steps a visit: read, compare, write. A head granted meanwhile is visited in vain.
        turn = Signal(config.tenant_width)
        at_third_step = Signal(config.tenants, init=1 << config.tenants - 2)
        m.d.sync += [turn.eq(turn + 1), at_third_step.eq(at_third_step.rotate_left(1))]

        visits = Signal()
        visited = Signal(config.tenant_width)
        visited_age = Signal(rounds_width)
        limit = Signal(config.clocks_width)
        limit_rounds = limit[round_bits:]
        ready = Signal()
        enabled = [each.enable for each in self.live.tenants]
        m.d.comb += [self.contract.tenant.eq(turn), read.addr.eq(turn)]
        m.d.sync += [
            visits.eq(~(granted & (granted_tenant == turn))),
            visited.eq(turn),
            visited_age.eq(Mux(fresh.bit_select(turn, 1), 0, read.data)),
            limit.eq(Mux(at_index(turn, enabled), self.contract.row.age_limit, DRAIN_AGE)),
            ready.eq(self.classes.serviceable.bit_select(turn, 1)),
        ]

        compares = Signal()
        compared = Signal(config.tenant_width)
        older = Signal(rounds_width)
        over_age = Signal()
        aged = Signal()
        finds = Signal()
        oldest = Signal(config.tenant_width)
        oldest_age = Signal(rounds_width)
        m.d.sync += [
            compares.eq(visits & ~(granted & (granted_tenant == visited))),
            compared.eq(visited),
            older.eq(visited_age + (ready & ~visited_age.all())),
            over_age.eq(ready & limit.any() & (visited_age >= limit_rounds)),
            aged.eq(ready),
        ]
        at_compared = [Signal(name=f"at_compared_{i}") for i in tenants]
        m.d.comb += [
            write.addr.eq(compared),
            write.data.eq(older),
            write.en.eq(compares),
        ]
        for i in tenants:
            m.d.comb += at_compared[i].eq(compares & at_third_step[i])
            with m.If(grants[i]):
                m.d.sync += fresh[i].eq(1)
            with m.Elif(at_compared[i]):
                m.d.sync += fresh[i].eq(0)

        # The oldest of the round so far; the last visit of a round hands it over.
        found = Signal(config.tenant_width)
        found_valid = Signal()
        better = Signal()
        m.d.comb += [
            better.eq(over_age & compares & (~finds | (older > oldest_age))),
            found.eq(Mux(better, compared, oldest)),
            found_valid.eq((better | finds) & ~(granted & (granted_tenant == found))),
        ]
        m.d.sync += [oldest.eq(found), finds.eq(found_valid)]
        with m.If(better):
            m.d.sync += oldest_age.eq(older)
        last_visit = Signal(2)
        m.d.sync += last_visit.eq(Cat(turn == config.tenants - 1, last_visit[0]))
        rested = Signal(8, init=0xFF)
        due = Signal()
        m.d.sync += due.eq((rested >= self.live.channel.promotion_interval) & ~promoted)
        promotes = Signal()
        m.d.comb += promotes.eq(last_visit[1] & due & ~promoted & ~self.promote.any() & found_valid)
        for i in tenants:
            goes_on = self.promote[i] & ~grants[i] & ~(at_compared[i] & ~aged)
            m.d.sync += self.promote[i].eq(goes_on | (promotes & (found == i)))
        with m.If(last_visit[1]):
            m.d.sync += finds.eq(0)

        with m.If(granted):
            with m.If(promoted):
                m.d.sync += rested.eq(1)
            with m.Elif(rested != 0xFF):
                m.d.sync += rested.eq(rested + 1)
        self._show(m, at_compared, older)
        return m

    def _show(self, m: Module, at_compared: list[Signal], older: Signal) -> None:
        """All ages at once, for a probe. A build without one drops these registers."""
        for i, written in enumerate(at_compared):
            rounds = Signal.like(older, name=f"rounds_{i}")
            with m.If(self.grant.tenants[i]):
                m.d.sync += rounds.eq(0)
            with m.Elif(written):
                m.d.sync += rounds.eq(older)
            m.d.comb += self.ages[i].eq(rounds << self.config.tenant_width)
