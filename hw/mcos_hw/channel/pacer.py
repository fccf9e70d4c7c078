"""Keeps granted bytes at or under the channel's rate."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig

__all__ = ["Pacer"]


class Pacer(wiring.Component):
    """Spaces grants so that granted bytes never lead the paced rate by more than one request.

    ``debt`` is what was granted ahead of the rate. Every clock it gains the granted bytes and
    loses one clock's worth of the rate, not below zero. A grant may be made while the debt is
    less than one clock's worth, so that requests whose size is no multiple of the rate still fill
    the channel: over any t clocks at most ``rate * t + rate + l_max`` bytes are granted.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    enable : In(1)
        Pace; otherwise every clock is open.
    rate : In(rate_width)
        Bytes per clock, with ``rate_fraction`` fraction bits.
    grant : In(1)
        A grant is made in this clock.
    beats : In(beats_width)
        Its beats.
    open_then : Out(1)
        A grant may be made in the next clock.
    debt : Out
        Bytes granted ahead of the rate, with ``rate_fraction`` fraction bits.
    """

    enable: Signal
    rate: Signal
    grant: Signal
    beats: Signal
    open_then: Signal
    debt: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        debt_bits = (config.l_max + config.bytes_per_clock).bit_length()
        super().__init__(
            {
                "enable": In(1),
                "rate": In(config.rate_width),
                "grant": In(1),
                "beats": In(config.beats_width),
                "open_then": Out(1),
                "debt": Out(debt_bits + config.rate_fraction),
            }
        )

    def elaborate(self, platform):
        m = Module()
        size = self.beats * (self.config.beat_bytes << self.config.rate_fraction)
        granted = Mux(self.grant, size, 0)
        after = Signal(signed(len(self.debt) + 1))
        m.d.comb += [
            after.eq(self.debt - self.rate + granted),
            # The debt of the next clock is less than the rate: one sum with a sign.
            self.open_then.eq(~self.enable | (self.debt - (self.rate << 1) + granted)[-1]),
        ]
        m.d.sync += self.debt.eq(Mux(self.enable & ~after[-1], after, 0))
        return m
