"""The monitor of a compact channel: counters of an epoch in two memories."""

from amaranth import *
from amaranth.lib import data, wiring

from mcos_hw.channel.compact.grants import (
    GrantCounts,
    busy_row,
    held_row,
    kind_row,
    promotion_row,
    stalled_row,
)
from mcos_hw.channel.compact.peaks import QueuePeaks
from mcos_hw.channel.compact.responses import (
    ResponseCounts,
    fault_row,
    in_time_row,
    late_row,
    latency_row,
)
from mcos_hw.channel.compact.rows import VISIT_CLOCKS
from mcos_hw.config import ChannelConfig
from mcos_hw.link.epoch import Epoch
from mcos_hw.link.events import Events
from mcos_hw.link.readings import (
    Readings,
    delayed_registers,
    monitor_signature,
    monitor_windows,
)
from mcos_hw.primitive.count import COUNT_WIDTH, counted, shown
from mcos_hw.registers import channel_map

__all__ = ["CompactMonitor"]


class CompactMonitor(wiring.Component):
    """Counts the events of a compact channel, and latches all counts at the end of every epoch.

    It counts as :class:`mcos_hw.channel.monitor.Monitor` does, for grants that are as many clocks
    apart as a compact channel's. What happened up to the last clock of an epoch counts in it, but
    some of it is on its way for a while. A read waits for that, unless its epoch ends meanwhile. So
    a read is right as soon as the number of the epoch is.

    A read finds one word, or two of which the register shows the sum. Its result stays until the
    next read, for all windows and for ``busy`` and ``stalled``; ``queue`` goes by its index.

    Reset clears everything. That takes two clocks for each row of the larger memory; until then
    nothing is counted, and reads wait.

    Parameters
    ----------
    config : ChannelConfig
        Sizes, of a compact channel.

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
        config = self.config
        m.submodules.grants = grants = GrantCounts(config)
        m.submodules.responses = responses = ResponseCounts(config)
        ended = Signal(32)
        with m.If(self.epoch.latch):
            m.d.sync += ended.eq(self.epoch.number)
        for each in (grants, responses):
            wiring.connect(m, wiring.flipped(self.epoch), each.epoch)
            wiring.connect(m, wiring.flipped(self.events), each.events)
            m.d.comb += each.ended.eq(ended)

        result = self._read(m, grants, responses)
        windows = {name: getattr(self.readings, name) for name in monitor_windows(config)}
        queue = windows.pop("queue")
        m.submodules.peaks = peaks = QueuePeaks(config)
        m.d.comb += [
            peaks.latch.eq(self.epoch.latch),
            peaks.counts.eq(self.counts),
            peaks.tenant.eq(queue.index),
            queue.data[:8].eq(peaks.now),
            queue.data[8:].eq(peaks.longest),
            *(window.data.eq(result) for window in windows.values()),
            self.readings.busy.eq(result),
            self.readings.stalled.eq(result),
        ]
        return m

    def _read(self, m: Module, grants: GrantCounts, responses: ResponseCounts) -> Value:
        """Finds the words of a read and adds them up; returns what the register shows."""
        config, reading = self.config, self.readings.reading
        of_grants, of_responses, both = Signal(), Signal(), Signal()
        second = Signal()
        registers = channel_map(config)
        with m.Switch(reading.address):
            for name in delayed_registers(config):
                register = registers[name]
                width = (register.count - 1).bit_length()
                prefix = register.offset >> (2 + width)
                pattern = f"{prefix:0{len(reading.address) - width}b}" + "-" * width
                index = reading.address[:width]
                with m.Case(pattern):
                    match name:
                        case "GRANT_REQUESTS" | "GRANT_BYTES":
                            row = kind_row(index, int(name == "GRANT_BYTES"))
                        case "PROMOTIONS":
                            row = promotion_row(index)
                        case "HELD":
                            row = held_row(index)
                        case "BUSY":
                            row = busy_row(config)
                        case "STALLED":
                            row = stalled_row(config)
                        case "LATENCY":
                            row = latency_row(config, index)
                        case "RESPONSES":
                            row = Mux(second, late_row(config, index), in_time_row(config, index))
                            m.d.comb += both.eq(1)
                        case "SLO_VIOLATIONS":
                            row = late_row(config, index)
                        case "COLOUR_FAULTS":
                            row = fault_row(config, index)
                        case _:
                            continue
                    if name in ("LATENCY", "RESPONSES", "SLO_VIOLATIONS", "COLOUR_FAULTS"):
                        m.d.comb += [of_responses.eq(1), responses.read_row.eq(row)]
                    else:
                        # Kinds of no class have no counts: their rows are those of others.
                        has_row = ~index[:2].all() if name.startswith("GRANT_") else 1
                        m.d.comb += [of_grants.eq(has_row), grants.read_row.eq(row)]

        result = Signal(COUNT_WIDTH + 1)
        word = Mux(of_responses, responses.base, grants.base)
        found = Signal(VISIT_CLOCKS - 1)
        taken = grants.taken | responses.taken
        m.d.sync += found.eq(Cat(taken, found[:-1]))
        # The end of an epoch makes the read worthless, and lets it go.
        hurries = Signal()
        m.d.sync += hurries.eq(reading.asked & (hurries | self.epoch.latch))
        complete = grants.complete & responses.complete
        with m.FSM():
            with m.State("idle"):
                m.d.sync += second.eq(0)
                with m.If(reading.asked & (complete | hurries)):
                    m.d.sync += result.eq(0)
                    m.next = "visit"
            with m.State("visit"):
                m.d.comb += [grants.reads.eq(of_grants), responses.reads.eq(of_responses)]
                with m.If(taken):
                    m.next = "word"
                with m.If(~of_grants & ~of_responses):
                    m.next = "given"
            with m.State("word"), m.If(found[-1]):
                m.d.sync += [
                    result.eq(counted(result, word[:COUNT_WIDTH])),
                    result[COUNT_WIDTH].eq(
                        counted(result, word[:COUNT_WIDTH])[COUNT_WIDTH] | word[COUNT_WIDTH]
                    ),
                    second.eq(1),
                ]
                m.next = "given"
                with m.If(both & ~second):
                    m.next = "visit"
            with m.State("given"):
                m.d.comb += reading.given.eq(1)
                m.next = "idle"
        return shown(result)
