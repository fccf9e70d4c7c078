"""The longest queue of each tenant in an epoch."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.select import at_index, exceeds

__all__ = ["QueuePeaks"]


class QueuePeaks(wiring.Component):
    """How long each queue is now, and was at most in the epoch that ended last.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    latch : In(1)
        This clock is the last one of its epoch.
    counts : In(ArrayLayout(range(queue_depth + 1), tenants))
        Requests in each queue.
    tenant : In(tenant_width)
        Whose queue to tell of.
    now, longest : Out(range(queue_depth + 1))
        Its length in the clock before, and the longest of the ended epoch, from the epoch's third
        clock on.
    """

    latch: Signal
    counts: data.View
    tenant: Signal
    now: Signal
    longest: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        width = config.queue_depth.bit_length()
        super().__init__(
            {
                "latch": In(1),
                "counts": In(data.ArrayLayout(width, config.tenants)),
                "tenant": In(config.tenant_width),
                "now": Out(width),
                "longest": Out(width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # The first clock of an epoch, in which the last one of the epoch before is in the peaks.
        first = Signal()
        m.d.sync += first.eq(self.latch)
        counts = [Value.cast(count) for count in self.counts]
        peaks = [Signal.like(self.now, name=f"peak_{i}") for i in range(self.config.tenants)]
        ended = [Signal.like(self.now, name=f"ended_{i}") for i in range(self.config.tenants)]
        for count, peak, ended_peak in zip(counts, peaks, ended, strict=True):
            with m.If(first | exceeds(count, peak)):
                m.d.sync += peak.eq(count)
            with m.If(first):
                m.d.sync += ended_peak.eq(peak)
        m.d.sync += [
            self.now.eq(at_index(self.tenant, counts)),
            self.longest.eq(at_index(self.tenant, ended)),
        ]
        return m
