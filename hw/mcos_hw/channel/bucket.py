"""The two token buckets of a tenant on a channel."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.probe import NO_CLASS
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import GrantClass

__all__ = ["TenantBuckets"]


class TenantBuckets(wiring.Component):
    """Committed and peak token bucket of one tenant, charged as in RFC 2698.

    Every clock each level gains its rate and loses what the grant of that clock charges, and is
    cut to its depth: ``level' = min(level - charge + rate, depth)``. A conforming grant charges
    both buckets, a burst grant the peak bucket, a scavenged grant none.

    The peak level is signed. A conforming grant is never refused for lack of peak tokens (the
    guarantee is absolute), so peak may owe up to l_max: burst grants happen only with less than
    l_max committed tokens left, peak refills no slower than committed and is no shallower, so
    ``committed - peak < l_max`` holds from then on.

    At reset both levels are zero. ``fill`` sets both to their depths.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    committed_rate, peak_rate : In(rate_width)
        Bytes per clock, with ``rate_fraction`` fraction bits.
    committed_depth, peak_depth : In(depth_width)
        Bytes.
    work_conserving : In(1)
        Requests that neither bucket covers are scavenged; otherwise they wait.
    fill : In(1)
        Start with full buckets.
    beats : In(beats_width)
        Beats of the tenant's head.
    charge : In(1)
        The head is granted in this clock.
    class_code : Out(2)
        GrantClass of the head, or NO_CLASS where it has to wait. Meaningless without a head.
    committed : Out(depth_width + rate_fraction)
        Committed level.
    peak : Out(signed(depth_width + rate_fraction + 1))
        Peak level.
    """

    committed_rate: Signal
    peak_rate: Signal
    committed_depth: Signal
    peak_depth: Signal
    work_conserving: Signal
    fill: Signal
    beats: Signal
    charge: Signal
    class_code: Signal
    committed: Signal
    peak: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        level_width = config.depth_width + config.rate_fraction
        super().__init__(
            {
                "committed_rate": In(config.rate_width),
                "peak_rate": In(config.rate_width),
                "committed_depth": In(config.depth_width),
                "peak_depth": In(config.depth_width),
                "work_conserving": In(1),
                "fill": In(1),
                "beats": In(config.beats_width),
                "charge": In(1),
                "class_code": Out(2),
                "committed": Out(level_width),
                "peak": Out(signed(level_width + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fraction = self.config.rate_fraction
        size = Signal(range((self.config.l_max << fraction) + 1))
        m.d.comb += size.eq(self.beats * (self.config.beat_bytes << fraction))

        with m.If(self.committed >= size):
            m.d.comb += self.class_code.eq(GrantClass.CONFORMING)
        with m.Elif(self.peak >= size):
            m.d.comb += self.class_code.eq(GrantClass.BURST)
        with m.Elif(self.work_conserving):
            m.d.comb += self.class_code.eq(GrantClass.SCAVENGED)
        with m.Else():
            m.d.comb += self.class_code.eq(NO_CLASS)

        def refill(level, rate, depth, charged):
            refilled = level - Mux(charged, size, 0) + rate
            limit = depth << fraction
            return level.eq(Mux(self.fill | (refilled > limit), limit, refilled))

        conforming = self.class_code == GrantClass.CONFORMING
        burst = self.class_code == GrantClass.BURST
        m.d.sync += [
            refill(
                self.committed, self.committed_rate, self.committed_depth, self.charge & conforming
            ),
            refill(self.peak, self.peak_rate, self.peak_depth, self.charge & (conforming | burst)),
        ]
        return m
