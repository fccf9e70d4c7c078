"""Per-tenant and per-channel counters of an epoch, in bytes and clocks."""

from amaranth import *
from amaranth.lib import data, wiring

from mcos_hw.channel.counters import EpochCounter, EpochCounters
from mcos_hw.config import ChannelConfig
from mcos_hw.link.epoch import Epoch
from mcos_hw.link.events import Events
from mcos_hw.link.readings import Readings, Window, monitor_signature, monitor_windows
from mcos_hw.primitive.select import number

__all__ = ["Monitor"]


class Monitor(wiring.Component):
    """Counts the events of a channel, and latches all counts at once at the end of every epoch.

    All counters saturate and then say so in bit 31. Reset clears everything. That takes the
    counters in memories two clocks for each of their words; until then they count nothing and read
    as 0.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    epoch : In(Epoch)
        The running epoch.
    events : In(Events)
        What counts in this clock.
    counts : In(ArrayLayout(range(queue_depth + 1), tenants))
        Requests in each queue.
    readings : Out(Readings)
        Counts of the epoch that ended last.
    """

    epoch: Epoch
    events: Events
    counts: data.View
    readings: Readings

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(monitor_signature(config))

    def elaborate(self, platform):
        m = Module()
        config, events = self.config, self.events
        grant, response = events.grant, events.response

        # At most one tenant a clock.
        kind = Cat(grant.class_code, grant.op, grant.tenant)
        size = grant.beats * config.beat_bytes
        late = response.valid & response.late
        latency = Cat(response.bin, response.tenant)
        self._count_rows(m, "grant_requests", grant.valid, kind)
        self._count_rows(m, "grant_bytes", grant.valid, kind, amount=size)
        self._count_rows(m, "promotions", grant.valid & grant.promoted, grant.tenant)
        self._count_rows(m, "colour_faults", events.outside.any(), number(events.outside))
        self._count_rows(m, "responses", response.valid, response.tenant)
        self._count_rows(m, "slo_violations", late, response.tenant)
        self._count_rows(m, "latency", response.valid, latency)

        # All tenants in one clock.
        held = Array(self._count(m, f"held_{i}", events.held[i]) for i in range(config.tenants))
        peaks = Array(self._peak(m, i) for i in range(config.tenants))
        window, queue = self.readings.held, self.readings.queue
        m.d.sync += [
            window.data.eq(held[window.index]),
            queue.data.eq(
                Cat(Value.cast(self.counts[queue.index]).as_unsigned(), Const(0, 8))[:8]
                | (peaks[queue.index] << 8)
            ),
        ]
        m.d.comb += [
            self.readings.busy.eq(self._count(m, "busy_counter", events.busy)),
            self.readings.stalled.eq(self._count(m, "stalled_counter", events.stalled)),
        ]
        return m

    def _count_rows(self, m, name, event, index, *, amount=None) -> None:
        """Counts events, or what each of them adds, in the row ``index`` of a window."""
        window: Window = getattr(self.readings, name)
        m.submodules[name] = counters = EpochCounters(
            depth=monitor_windows(self.config)[name],
            amount_width=0 if amount is None else self.config.l_max.bit_length(),
        )
        m.d.comb += [
            counters.epoch.eq(self.epoch.number),
            counters.count.eq(event),
            counters.index.eq(index),
            counters.read_index.eq(window.index),
            window.data.eq(counters.read_data),
        ]
        if amount is not None:
            m.d.comb += counters.amount.eq(amount)

    def _count(self, m, name, event) -> Signal:
        """Counts clocks with an event; returns the count of the epoch that ended last."""
        m.submodules[name] = counter = EpochCounter()
        m.d.comb += [counter.latch.eq(self.epoch.latch), counter.count.eq(event)]
        return counter.latched

    def _peak(self, m, i) -> Signal:
        """The longest queue of tenant ``i`` in the epoch that ended last."""
        latched_peak = Signal(8, name=f"latched_peak_{i}")
        running_peak = Signal(8, name=f"running_peak_{i}")
        peak = Signal(8, name=f"peak_{i}")
        count = self.counts[i]
        m.d.comb += peak.eq(Mux(count > running_peak, count, running_peak))
        m.d.sync += running_peak.eq(peak)
        with m.If(self.epoch.latch):
            m.d.sync += [latched_peak.eq(peak), running_peak.eq(0)]
        return latched_peak
