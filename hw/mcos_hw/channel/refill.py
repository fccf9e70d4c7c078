"""Brings a token bucket up to date after some clocks, for buckets that share one adder."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.bucket import whole_beats
from mcos_hw.config import ChannelConfig
from mcos_hw.link.tokens import level_width, whole_width

__all__ = ["Refill"]


class Refill(wiring.Component):
    """``min(level + rate x elapsed, depth) - charge`` in three steps of a clock each.

    What enters in clock t comes out in clock t + 2; one bucket enters a clock. The charge is taken
    from level and depth at first, so that it needs no step of its own.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    level : In(signed(level_width))
        Level, in ``2**-rate_fraction`` bytes.
    elapsed : In
        Clocks for which it was not refilled.
    rate : In(rate_width)
        Bytes per clock, with ``rate_fraction`` fraction bits.
    depth : In(depth_width)
        Bytes.
    charge : In(beats_width)
        Beats that a grant takes.
    fill : In(1)
        The bucket that comes out in this clock was full before the charge.
    result : Out(signed(level_width))
        The level that comes out.
    beats : Out(whole_width)
        Its whole beats: none where it owes, all ones for any larger number.
    """

    level: Signal
    elapsed: Signal
    rate: Signal
    depth: Signal
    charge: Signal
    fill: Signal
    result: Signal
    beats: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "level": In(signed(level_width(config))),
                "elapsed": In(config.token_lateness.bit_length()),
                "rate": In(config.rate_width),
                "depth": In(config.depth_width),
                "charge": In(config.beats_width),
                "fill": In(1),
                "result": Out(signed(level_width(config))),
                "beats": Out(whole_width(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        width = level_width(config)
        fraction = config.rate_fraction
        beat_bits = (config.beat_bytes - 1).bit_length() + fraction

        def charged(level: Value) -> Value:
            # A charge is whole beats: it touches only the bits above those.
            high = Signal(signed(width - beat_bits))
            m.d.comb += high.eq(level[beat_bits:].as_signed() - self.charge)
            return Cat(level[:beat_bits], high).as_signed()

        limit = Signal(signed(width))
        base = Signal(signed(width))
        product = Signal(len(self.rate) + len(self.elapsed))
        m.d.sync += [
            limit.eq(charged(Cat(Const(0, fraction), self.depth, Const(0, 1)))),
            base.eq(charged(self.level)),
            product.eq(self.rate * self.elapsed),
        ]

        limit_then = Signal.like(limit)
        sum_then = Signal(signed(width + 1))
        m.d.sync += [limit_then.eq(limit), sum_then.eq(base + product)]

        # A depth is whole bytes, so those of the sum are enough to tell which is more.
        full = Signal()
        spare = Signal(signed(width + 2 - fraction))
        m.d.comb += [
            spare.eq(sum_then[fraction:].as_signed() - limit_then[fraction:].as_signed()),
            full.eq(self.fill | ~spare[-1]),
            self.result.eq(Mux(full, limit_then, sum_then)),
            self.beats.eq(
                Mux(full, whole_beats(config, limit_then), whole_beats(config, sum_then))
            ),
        ]
        return m
