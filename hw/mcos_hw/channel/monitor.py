"""Per-tenant and per-channel counters of an epoch, in bytes and clocks."""

from typing import Protocol

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.counters import EpochCounter, EpochCounters
from mcos_hw.channel.slots import slot_entry_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.control.epoch import EpochTimer
from mcos_hw.primitive.select import number
from mcos_hw.registers import LATENCY_BINS, Access, channel_map

__all__ = [
    "Monitor",
    "Window",
    "monitor_windows",
    "window_members",
]


def monitor_windows(config: ChannelConfig) -> dict[str, int]:
    """The monitor's register arrays by lower-case name: how many words each has."""
    return {
        register.name.lower(): register.count
        for register in channel_map(config).registers
        if register.access is Access.READ and register.count > 1
    }


class Window(Protocol):
    """How one of the monitor's arrays is read: ``data`` is the word of ``index`` a clock before."""

    index: Signal
    data: Signal


def window_members(config: ChannelConfig) -> dict[str, wiring.Member]:
    """Every :class:`Window` of the monitor, as members of a component that is read."""
    return {
        name: In(wiring.Signature({"index": Out((count - 1).bit_length()), "data": In(32)}))
        for name, count in monitor_windows(config).items()
    }


class Monitor(wiring.Component):
    """Counts what the channel does and latches it at once at the end of every epoch.

    All counters saturate and then say so in bit 31. Latency counts from a request's first offer
    to its response, three clocks after that. Reset clears everything. That takes the counters in
    memories two clocks for each of their words; until then they count nothing and read as 0.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    now : In(stamp_width)
        Clock stamp.
    epoch_clocks : In(32)
        Clocks of an epoch; 0 latches never.
    objectives : In(ArrayLayout(clocks_width, tenants))
        Latency objective of each tenant in clocks; 0 counts no violations.
    counts : In
        Requests in each queue.
    waiting : In(tenants)
        Heads that wait for tokens.
    busy : In(1)
        The channel owes bytes in this clock.
    stalled : In(1)
        A command waited for memory in the clock before.
    outside : In(tenants)
        Whose request is outside its colours, at most one.
    grant, grant_tenant, grant_op, grant_class, grant_beats, promoted : In
        The grant of this clock.
    served, served_entry : In
        The response of this clock.
    epoch : Out(32)
        Number of the latched epoch, 0 until one has ended, modulo ``2**32``.
    busy_clocks, stalled_clocks : Out(32)
        Such clocks of the latched epoch.
    responded, responded_tenant, responded_bin, responded_late : Out
        The response that counts in this clock: whose, in which bin, over its objective or not.
    <window> : {index: In, data: Out(32)}
        One for each name of :func:`monitor_windows`; data one clock after index.
    """

    now: Signal
    epoch_clocks: Signal
    objectives: data.View
    counts: data.View
    waiting: Signal
    busy: Signal
    stalled: Signal
    outside: Signal
    grant: Signal
    grant_tenant: Signal
    grant_op: Signal
    grant_class: Signal
    grant_beats: Signal
    promoted: Signal
    served: Signal
    served_entry: data.View
    epoch: Signal
    busy_clocks: Signal
    stalled_clocks: Signal
    responded: Signal
    responded_tenant: Signal
    responded_bin: Signal
    responded_late: Signal
    queue: Window
    held: Window

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "now": In(config.stamp_width),
                "epoch_clocks": In(32),
                "objectives": In(data.ArrayLayout(config.clocks_width, config.tenants)),
                "counts": In(data.ArrayLayout(config.queue_depth.bit_length(), config.tenants)),
                "waiting": In(config.tenants),
                "busy": In(1),
                "stalled": In(1),
                "outside": In(config.tenants),
                "grant": In(1),
                "grant_tenant": In(config.tenant_width),
                "grant_op": In(1),
                "grant_class": In(2),
                "grant_beats": In(config.beats_width),
                "promoted": In(1),
                "served": In(1),
                "served_entry": In(slot_entry_layout(config)),
                "epoch": Out(32),
                "busy_clocks": Out(32),
                "stalled_clocks": Out(32),
                "responded": Out(1),
                "responded_tenant": Out(config.tenant_width),
                "responded_bin": Out(range(LATENCY_BINS)),
                "responded_late": Out(1),
                **window_members(config),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)

        m.submodules.timer = timer = EpochTimer()
        latch = timer.latch
        m.d.comb += [timer.length.eq(self.epoch_clocks), self.epoch.eq(timer.number - 1)]

        windows = monitor_windows(config)

        def count_rows(name, *, event, index, amount=None, amount_width=0):
            window = getattr(self, name)
            counters = EpochCounters(depth=windows[name], amount_width=amount_width)
            m.submodules[name] = counters
            m.d.comb += [
                counters.epoch.eq(timer.number),
                counters.count.eq(event),
                counters.index.eq(index),
                counters.read_index.eq(window.index),
                window.data.eq(counters.read_data),
            ]
            if amount is not None:
                m.d.comb += counters.amount.eq(amount)

        grant_index = Cat(self.grant_class, self.grant_op, self.grant_tenant)
        count_rows("grant_requests", event=self.grant, index=grant_index)
        count_rows(
            "grant_bytes",
            event=self.grant,
            index=grant_index,
            amount=self.grant_beats * config.beat_bytes,
            amount_width=config.l_max.bit_length(),
        )
        count_rows("promotions", event=self.grant & self.promoted, index=self.grant_tenant)
        count_rows("colour_faults", event=self.outside.any(), index=number(self.outside))

        # Latency in three steps: the stamps, their difference, what it means.
        served = Signal(2)
        answered = Signal(config.stamp_width)
        offered = Signal(config.stamp_width)
        answered_tenant = Signal(config.tenant_width)
        served_tenant = Signal(config.tenant_width)
        latency = Signal(config.stamp_width)
        objective = Signal(config.clocks_width)
        m.d.sync += [
            Cat(served, self.responded).eq(Cat(self.served, served)),
            answered.eq(self.now),
            offered.eq(self.served_entry.offered),
            answered_tenant.eq(self.served_entry.tenant),
            served_tenant.eq(answered_tenant),
            latency.eq(answered - offered),
            objective.eq(self.objectives[answered_tenant]),
            self.responded_bin.eq(0),
            self.responded_tenant.eq(served_tenant),
            self.responded_late.eq((objective != 0) & (latency > objective)),
        ]
        for position in range(1, config.stamp_width):
            with m.If(latency[position]):
                m.d.sync += self.responded_bin.eq(min(position, LATENCY_BINS - 1))
        late = self.responded & self.responded_late
        row = Cat(self.responded_bin, self.responded_tenant)
        count_rows("responses", event=self.responded, index=self.responded_tenant)
        count_rows("slo_violations", event=late, index=self.responded_tenant)
        count_rows("latency", event=self.responded, index=row)

        # A queue's peak and a head's waiting may change for all tenants in one clock.
        held = Array(Signal(32, name=f"held_{i}") for i in tenants)
        latched_peak = Array(Signal(8, name=f"latched_peak_{i}") for i in tenants)
        for i in tenants:
            m.submodules[f"held_{i}"] = waits = EpochCounter()
            m.d.comb += [
                waits.latch.eq(latch),
                waits.count.eq(self.waiting[i]),
                held[i].eq(waits.latched),
            ]
            running_peak = Signal(8, name=f"running_peak_{i}")
            peak = Signal(8, name=f"peak_{i}")
            m.d.comb += peak.eq(Mux(self.counts[i] > running_peak, self.counts[i], running_peak))
            m.d.sync += running_peak.eq(peak)
            with m.If(latch):
                m.d.sync += [latched_peak[i].eq(peak), running_peak.eq(0)]
        m.d.sync += [
            self.held.data.eq(held[self.held.index]),
            self.queue.data.eq(
                Cat(Value.cast(self.counts[self.queue.index]).as_unsigned(), Const(0, 8))[:8]
                | (latched_peak[self.queue.index] << 8)
            ),
        ]

        for name, event, latched in (
            ("busy", self.busy, self.busy_clocks),
            ("stalled", self.stalled, self.stalled_clocks),
        ):
            m.submodules[f"{name}_counter"] = counter = EpochCounter()
            m.d.comb += [
                counter.latch.eq(latch),
                counter.count.eq(event),
                latched.eq(counter.latched),
            ]
        return m
