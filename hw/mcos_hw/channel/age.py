"""The age guard: a head that has been serviceable for too long goes first."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.select import pick

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
    serviceable : In(tenants)
        Heads that may be granted.
    limits : In(ArrayLayout(clocks_width, tenants))
        Age limits in clocks, counted in whole rounds; 0 switches a tenant's guard off.
    interval : In(8)
        Grants from one promotion to the next, at least.
    granted : In(tenants)
        Whose head is granted in this clock.
    promoted : In(1)
        As a promotion.
    promote : Out(tenants)
        Whose head goes before every other, at most one.
    ages : Out(ArrayLayout(clocks_width, tenants))
        Ages of the heads in clocks, saturating.
    """

    serviceable: Signal
    limits: data.View
    interval: Signal
    granted: Signal
    promoted: Signal
    promote: Signal
    ages: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        clocks = data.ArrayLayout(config.clocks_width, config.tenants)
        super().__init__(
            {
                "serviceable": In(config.tenants),
                "limits": In(clocks),
                "interval": In(8),
                "granted": In(config.tenants),
                "promoted": In(1),
                "promote": Out(config.tenants),
                "ages": Out(clocks),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
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
        limits = [self.limits[i][round_bits:] for i in tenants]
        m.d.sync += [
            visited.eq(turn & ~self.granted),
            visited_age.eq(pick(turn, rounds)),
            limit.eq(pick(turn, limits)),
            guarded.eq((turn & Cat(self.limits[i].any() for i in tenants)).any()),
            ready.eq((turn & self.serviceable).any()),
        ]

        compared = Signal(config.tenants)
        older = Signal(rounds_width)
        over_age = Signal()
        aged = Signal()
        oldest = Signal(config.tenants)
        oldest_age = Signal(rounds_width)
        m.d.sync += [
            compared.eq(visited & ~self.granted),
            older.eq(visited_age + (ready & ~visited_age.all())),
            over_age.eq(ready & guarded & (visited_age >= limit)),
            aged.eq(ready),
        ]
        for i in tenants:
            with m.If(self.granted[i]):
                m.d.sync += rounds[i].eq(0)
            with m.Elif(compared[i]):
                m.d.sync += rounds[i].eq(older)

        # The oldest of the round so far; the last visit of a round hands it over.
        found = Signal(config.tenants)
        better = Signal()
        m.d.comb += [
            better.eq(over_age & compared.any() & (~oldest.any() | (older > oldest_age))),
            found.eq(Mux(better, compared, oldest) & ~self.granted),
        ]
        m.d.sync += oldest.eq(found)
        with m.If(better):
            m.d.sync += oldest_age.eq(older)
        last_visit = Signal(2)
        m.d.sync += last_visit.eq(Cat(turn[-1], last_visit[0]))
        rested = Signal(8, init=0xFF)
        due = Signal()
        m.d.sync += due.eq((rested >= self.interval) & ~self.promoted)
        waits = Mux(aged, 0, compared & self.promote)
        m.d.sync += self.promote.eq(self.promote & ~self.granted & ~waits)
        with m.If(last_visit[1]):
            m.d.sync += oldest.eq(0)
            with m.If(due & ~self.promoted & ~self.promote.any()):
                m.d.sync += self.promote.eq(found)

        with m.If(self.granted.any()):
            with m.If(self.promoted):
                m.d.sync += rested.eq(1)
            with m.Elif(rested != 0xFF):
                m.d.sync += rested.eq(rested + 1)
        return m
