"""The age guard: a head that has been serviceable for too long goes first."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import Classes, classes_signature
from mcos_hw.link.grant import Grant, grant_signature
from mcos_hw.link.live import DRAIN_AGE, Live, live_signature
from mcos_hw.primitive.select import pick
from mcos_hw.registers import channel_map

__all__ = ["AgeGuard"]


class AgeGuard(wiring.Component):
    """Ages of the heads, and whom to promote.

    The guard visits one tenant per clock in turn, so that one counter serves all: a round takes
    ``tenants`` clocks. A head that is serviceable at its visit is older by one round. From its
    tenant's limit on, it is over age. After each round the oldest over-age head that was seen in
    it is to be promoted, ties to the lowest tenant, at most once in ``interval`` grants; it stays
    so until it is granted, or waits for tokens at a later visit. A round in which an over-age head
    is granted before its end may leave the others to the next one, behind a younger one visited
    after that grant: two promotions of each other tenant at most go before an over-age head.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    live : In(Live)
        Age limit of each tenant in clocks, counted in whole rounds, 0 to switch its guard off; and
        the least number of grants from one promotion to the next. A disabled tenant has the limit
        :data:`mcos_hw.link.live.DRAIN_AGE`.
    classes : In(Classes)
        Heads that are serviceable.
    grant : In(Grant)
        The head that is granted in this clock, and whether as a promotion.
    promote : Out(tenants)
        The head that goes before every other, at most one.
    ages : Out(ArrayLayout(clocks_width, tenants))
        Ages of the heads in clocks, saturating.
    """

    live: Live
    classes: Classes
    grant: Grant
    promote: Signal
    ages: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
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
        granted, promoted = self.grant.tenants, self.grant.promoted
        all_limits = [
            Mux(each.enable, each.age_limit, DRAIN_AGE)[: config.clocks_width]
            for each in self.live.tenants
        ]
        round_bits = config.tenant_width
        rounds_width = config.clocks_width - round_bits
        rounds = [Signal(rounds_width, name=f"rounds_{i}") for i in tenants]
        for i in tenants:
            m.d.comb += self.ages[i].eq(rounds[i] << round_bits)

        # Three steps a visit: read, compare, write. A head granted meanwhile is visited in vain.
        turn = Signal(config.tenants, init=1)
        m.d.sync += turn.eq(turn.rotate_left(1))

        visited = Signal(config.tenants)
        visited_age = Signal(rounds_width)
        limit = Signal(rounds_width)
        guarded = Signal()
        ready = Signal()
        limits = [each[round_bits:] for each in all_limits]
        m.d.sync += [
            visited.eq(turn & ~granted),
            visited_age.eq(pick(turn, rounds)),
            limit.eq(pick(turn, limits)),
            guarded.eq((turn & Cat(each.any() for each in all_limits)).any()),
            ready.eq((turn & self.classes.serviceable).any()),
        ]

        compared = Signal(config.tenants)
        older = Signal(rounds_width)
        over_age = Signal()
        aged = Signal()
        oldest = Signal(config.tenants)
        oldest_age = Signal(rounds_width)
        m.d.sync += [
            compared.eq(visited & ~granted),
            older.eq(visited_age + (ready & ~visited_age.all())),
            over_age.eq(ready & guarded & (visited_age >= limit)),
            aged.eq(ready),
        ]
        for i in tenants:
            with m.If(granted[i]):
                m.d.sync += rounds[i].eq(0)
            with m.Elif(compared[i]):
                m.d.sync += rounds[i].eq(older)

        # The oldest of the round so far; the last visit of a round hands it over.
        found = Signal(config.tenants)
        better = Signal()
        m.d.comb += [
            better.eq(over_age & compared.any() & (~oldest.any() | (older > oldest_age))),
            found.eq(Mux(better, compared, oldest) & ~granted),
        ]
        m.d.sync += oldest.eq(found)
        with m.If(better):
            m.d.sync += oldest_age.eq(older)
        last_visit = Signal(2)
        m.d.sync += last_visit.eq(Cat(turn[-1], last_visit[0]))
        rested = Signal(8, init=0xFF)
        due = Signal()
        m.d.sync += due.eq((rested >= self.live.channel.promotion_interval) & ~promoted)
        waits = Mux(aged, 0, compared & self.promote)
        m.d.sync += self.promote.eq(self.promote & ~granted & ~waits)
        with m.If(last_visit[1]):
            m.d.sync += oldest.eq(0)
            with m.If(due & ~promoted & ~self.promote.any()):
                m.d.sync += self.promote.eq(found)

        with m.If(granted.any()):
            with m.If(promoted):
                m.d.sync += rested.eq(1)
            with m.Elif(rested != 0xFF):
                m.d.sync += rested.eq(rested + 1)
        return m
