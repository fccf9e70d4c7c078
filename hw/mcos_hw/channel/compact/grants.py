"""Counts of grants, and of clocks in which heads, channel and port wait, in one memory."""

from amaranth import *
from amaranth.lib import data, wiring

from mcos_hw.channel.compact.clocks import GatheredClocks
from mcos_hw.channel.compact.rows import VISIT_CLOCKS, CountRows, counts_signature
from mcos_hw.config import ChannelConfig
from mcos_hw.link.epoch import Epoch
from mcos_hw.link.events import Events
from mcos_hw.registers import GRANT_KINDS

__all__ = [
    "GrantCounts",
    "busy_row",
    "grant_rows",
    "held_row",
    "kind_row",
    "promotion_row",
    "stalled_row",
]


_FREE_CLASS = 3
"""A code that no class has: the rows of its kinds are for what has no kind."""


def grant_rows(config: ChannelConfig) -> int:
    """Rows of an epoch: requests and bytes of every tenant, direction and class."""
    return 2 * GRANT_KINDS * config.tenants


def kind_row(kind: Value, of_bytes: int) -> Value:
    """Row of the requests or bytes of a kind, {tenant, op, class}."""
    return Cat(kind, Const(of_bytes, 1))


def promotion_row(tenant: Value) -> Value:
    """Row of a tenant's promotions."""
    return Cat(Const(_FREE_CLASS, 2), Const(0, 1), tenant, Const(0, 1))


def held_row(tenant: Value) -> Value:
    """Row of the clocks in which a tenant's head is held."""
    return Cat(Const(_FREE_CLASS, 2), Const(1, 1), tenant, Const(0, 1))


def busy_row(config: ChannelConfig) -> Value:
    """Row of the clocks in which the channel owes bytes."""
    return Cat(Const(_FREE_CLASS, 2), Const(0, 1), Const(0, config.tenant_width), Const(1, 1))


def stalled_row(config: ChannelConfig) -> Value:
    """Row of the clocks in which a command waits."""
    return Cat(Const(_FREE_CLASS, 2), Const(0, 1), Const(1, config.tenant_width), Const(1, 1))


class GrantCounts(wiring.Component):
    """Counts what grants and waits add to an epoch.

    A grant visits its rows in the clocks after it: requests, bytes, and promotions if it is one.
    So grants must be at least :data:`VISIT_CLOCKS` apart, and promotions as many clocks as there
    are tenants. Readers come next. All other clocks are for the lines: tenants' heads held, the
    channel busy, the port stalled. :class:`GatheredClocks` gathers their clocks until their turn.

    After the end of an epoch what the lines have put aside goes first, in as many clocks as there
    are lines, and then each line has its turn. The grants take 2 clocks in ``VISIT_CLOCKS``, the
    promotions one in ``tenants``, and readers one in 11 once what was put aside is counted. That
    leaves so many clocks that no line gathers more than ``MOST_CLOCKS``.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    epoch : In(Epoch)
        The running epoch.
    ended : In(32)
        Number of the epoch that ended last.
    events : In(Events)
        What counts in this clock.
    reads : In(1)
        The row ``read_row`` of the ended epoch is to be read.
    read_row : In
        Which one.
    taken : Out(1)
        It is visited in this clock.
    base : Out(32)
        What the row visited three clocks before had counted.
    complete : Out(1)
        All that belongs to the ended epoch is in its rows.
    """

    epoch: Epoch
    ended: Signal
    events: Events
    reads: Signal
    read_row: Signal
    taken: Signal
    base: Signal
    complete: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(counts_signature(config, rows=grant_rows(config)))

    def elaborate(self, platform):
        m = Module()
        config, grant, latch = self.config, self.events.grant, self.epoch.latch
        lines = config.tenants + 2
        m.submodules.rows = rows = CountRows(
            rows=grant_rows(config), amount_width=config.l_max.bit_length()
        )
        m.submodules.clocks = clocks = GatheredClocks(lines=lines)
        visit = rows.visit

        # The last grant, and how many epochs have ended since it: what is of an epoch before the
        # ended one is not read any more.
        last = data.View(grant.shape(), Signal(grant.shape(), name="last_grant"))
        requests_due, bytes_due, promotion_due = (
            Signal(name=f"{name}_due") for name in ("requests", "bytes", "promotion")
        )
        ends = Signal(2)
        m.d.sync += [
            requests_due.eq(grant.valid),
            bytes_due.eq(requests_due),
            promotion_due.eq(bytes_due & last.promoted),
            ends.eq(ends + (latch & ~ends[1])),
        ]
        with m.If(grant.valid):
            m.d.sync += [last.eq(grant), ends.eq(latch)]

        # Whose turn it is among the lines. What they have put aside goes first, once the last
        # visits of their rows are over.
        latched = Signal(VISIT_CLOCKS - 1)
        turn = Signal(lines, init=1)
        place = Signal(range(lines))
        asides = Signal()
        m.d.sync += latched.eq(Cat(latch, latched[:-1]))
        granted = requests_due | bytes_due | promotion_due
        line_visit = Signal()
        m.d.comb += [
            clocks.high.eq(Cat(self.events.held, self.events.busy, self.events.stalled)),
            clocks.latch.eq(latch),
            clocks.turn.eq(turn),
            clocks.place.eq(place),
            clocks.of_asides.eq(asides),
            clocks.visits.eq(line_visit & ~asides),
            self.taken.eq(self.reads & ~granted),
            line_visit.eq(~self.reads & ~granted & ~latched.any()),
        ]
        with m.If(line_visit):
            m.d.sync += [turn.eq(turn.rotate_left(1)), place.eq(place + 1)]
            with m.If(turn[-1]):
                m.d.sync += [place.eq(0), asides.eq(0)]
        with m.If(latched[0]):
            m.d.sync += [turn.eq(1), place.eq(0), asides.eq(1)]

        kind = Cat(last.class_code, last.op, last.tenant)
        of_ended = Mux(granted, ends[0], self.reads | asides)
        m.d.comb += [
            visit.epoch.eq(Mux(of_ended, self.ended, self.epoch.number)),
            visit.counts.eq(Mux(granted, ~ends[1], line_visit)),
            self.base.eq(rows.base),
        ]
        with m.If(requests_due):
            m.d.comb += [visit.row.eq(kind_row(kind, 0)), visit.amount.eq(1)]
        with m.Elif(bytes_due):
            m.d.comb += [
                visit.row.eq(kind_row(kind, 1)),
                visit.amount.eq(last.beats * config.beat_bytes),
            ]
        with m.Elif(promotion_due):
            m.d.comb += [visit.row.eq(promotion_row(last.tenant)), visit.amount.eq(1)]
        with m.Elif(self.reads):
            m.d.comb += visit.row.eq(self.read_row)
        with m.Else():
            m.d.comb += [
                visit.row.eq(held_row(place[: config.tenant_width])),
                visit.amount.eq(clocks.clocks),
            ]
            with m.If(turn[-2]):
                m.d.comb += visit.row.eq(busy_row(config))
            with m.If(turn[-1]):
                m.d.comb += visit.row.eq(stalled_row(config))

        # As soon as nothing of the ended epoch is due for as long as a visit takes.
        idle = Signal(VISIT_CLOCKS)
        due = latched[0] | asides | (granted & ends[0]) | rows.clears
        m.d.sync += idle.eq(Mux(latch | due, 0, Cat(Const(1, 1), idle[:-1])))
        m.d.comb += self.complete.eq(idle[-1])
        return m
