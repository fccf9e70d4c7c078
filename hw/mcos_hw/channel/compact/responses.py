"""Counts of responses and of colour faults in one memory, behind a backlog of events."""

from amaranth import *
from amaranth.lib import data, wiring

from mcos_hw.channel.compact.backlog import EventBacklog
from mcos_hw.channel.compact.rows import VISIT_CLOCKS, CountRows, counts_signature
from mcos_hw.config import COMPACT_INTERVALS, ChannelConfig
from mcos_hw.link.epoch import Epoch
from mcos_hw.link.events import Events
from mcos_hw.primitive.select import number
from mcos_hw.registers import LATENCY_BINS

__all__ = [
    "ResponseCounts",
    "fault_row",
    "in_time_row",
    "late_row",
    "latency_row",
    "most_backlog",
    "response_rows",
]


def response_rows(config: ChannelConfig) -> int:
    """Rows of an epoch: those of every latency, and three of each tenant."""
    return (LATENCY_BINS + 3) * config.tenants


def latency_row(config: ChannelConfig, index: Value) -> Value:
    """Row of a latency, {tenant, bin}."""
    return Cat(index, Const(0, 1))


def _tenant_row(config: ChannelConfig, tenant: Value, which: int) -> Value:
    pad = (LATENCY_BINS - 1).bit_length() - 2
    return Cat(tenant, Const(which, 2), Const(0, pad), Const(1, 1))


def in_time_row(config: ChannelConfig, tenant: Value) -> Value:
    """Row of a tenant's responses that met its objective."""
    return _tenant_row(config, tenant, 0)


def late_row(config: ChannelConfig, tenant: Value) -> Value:
    """Row of a tenant's responses that did not."""
    return _tenant_row(config, tenant, 1)


def fault_row(config: ChannelConfig, tenant: Value) -> Value:
    """Row of a tenant's requests outside its colours."""
    return _tenant_row(config, tenant, 2)


def _most_visits(config: ChannelConfig) -> int:
    """Visits that may be due at once: for all requests in flight, and all that are queued.

    A response has two and a fault one, and there are as many of either as grants, sooner or later.
    So in T clocks no more are due than these and 3 T / N, and T are made.
    """
    return 2 * config.slots + config.tenants * config.queue_depth


def most_backlog(config: ChannelConfig) -> int:
    """Entries that may wait at once.

    After T busy clocks of a backlog no more than T have come, and a third of T has gone at least;
    and each of those that wait has one of the visits that are due. At the least interval the two
    meet where ``2 T / 3 = visits - T / 4``.
    """
    return -(-8 * (_most_visits(config) + 8) // 11)


class ResponseCounts(wiring.Component):
    """Counts what responses and colour faults add to an epoch.

    Responses come in bursts: all requests in flight may be answered in as many clocks. So events
    wait in a backlog, each with the end of its epoch's number. A response makes two visits: of its
    latency, and of its tenant's responses in time or late ones, whose sum is all of its tenant's.
    A colour fault makes one. There is at most one of each for a grant in the long run, so three
    visits in :data:`VISIT_CLOCKS` at most; readers come when nothing waits.

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
        super().__init__(counts_signature(config, rows=response_rows(config)))

    def elaborate(self, platform):
        m = Module()
        config, latch, response = self.config, self.epoch.latch, self.events.response
        m.submodules.rows = rows = CountRows(rows=response_rows(config), amount_width=0)
        visit = rows.visit

        # No entry waits for as many clocks, and so not for as many epochs.
        stamp_width = (2 * _most_visits(config)).bit_length()
        entry = data.StructLayout(
            {
                "stamp": stamp_width,
                "changed": 1,
                "responded": 1,
                "tenant": config.tenant_width,
                "bin": range(LATENCY_BINS),
                "late": 1,
                "fault": 1,
                "fault_tenant": config.tenant_width,
            }
        )
        depth = 1 << (most_backlog(config) - 1).bit_length()
        m.submodules.backlog = backlog = EventBacklog(entry, depth=depth)
        changed = Signal()
        enters, head = backlog.i, backlog.o.payload
        m.d.comb += [
            enters.valid.eq(response.valid | self.events.outside.any()),
            enters.payload.stamp.eq(self.epoch.number),
            enters.payload.changed.eq(changed),
            enters.payload.responded.eq(response.valid),
            *(enters.payload[name].eq(response[name]) for name in ("tenant", "bin", "late")),
            enters.payload.fault.eq(self.events.outside.any()),
            enters.payload.fault_tenant.eq(number(self.events.outside)),
        ]
        m.d.sync += changed.eq(latch | (changed & ~enters.valid))

        # Visits of the first entry. One of an epoch before the ended one is not read any more.
        verdict_next, fault_next = Signal(), Signal()
        of_running, of_ended = Signal(), Signal()
        makes_latency, makes_verdict, makes_fault = (
            Signal(name=f"makes_{name}") for name in ("latency", "verdict", "fault")
        )
        begins = backlog.o.valid & ~verdict_next & ~fault_next
        m.d.comb += [
            of_running.eq(head.stamp == self.epoch.number[:stamp_width]),
            of_ended.eq(head.stamp == self.ended[:stamp_width]),
            makes_latency.eq(begins & head.responded),
            makes_verdict.eq(verdict_next),
            makes_fault.eq(fault_next | (begins & ~head.responded)),
            backlog.o.ready.eq(makes_fault | (makes_verdict & ~head.fault)),
            self.taken.eq(self.reads & ~backlog.o.valid),
            visit.counts.eq(backlog.o.valid & (of_running | of_ended)),
            visit.changed.eq(begins & head.changed),
            visit.epoch.eq(Mux(of_running & backlog.o.valid, self.epoch.number, self.ended)),
            self.base.eq(rows.base),
        ]
        m.d.sync += [
            verdict_next.eq(makes_latency),
            fault_next.eq(makes_verdict & head.fault),
        ]
        with m.If(makes_latency):
            m.d.comb += visit.row.eq(latency_row(config, Cat(head.bin, head.tenant)))
        with m.Elif(makes_verdict):
            m.d.comb += visit.row.eq(
                Mux(head.late, late_row(config, head.tenant), in_time_row(config, head.tenant))
            )
        with m.Elif(makes_fault):
            m.d.comb += visit.row.eq(fault_row(config, head.fault_tenant))
        with m.Else():
            m.d.comb += visit.row.eq(self.read_row)

        # As soon as the first entry is of the running epoch, or none is offered, for as long as a
        # visit takes, or an entry that has just come until it is offered.
        idle = Signal(VISIT_CLOCKS)
        due = (backlog.o.valid & ~of_running) | rows.clears
        m.d.sync += idle.eq(Mux(latch | due, 0, Cat(Const(1, 1), idle[:-1])))
        m.d.comb += self.complete.eq(idle[-1])
        return m


assert COMPACT_INTERVALS[0] == VISIT_CLOCKS
