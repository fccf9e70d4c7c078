"""Keeps granted bytes at or under the channel's rate."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.grant import Grant, grant_signature
from mcos_hw.link.live import Live, live_signature
from mcos_hw.registers import channel_map

__all__ = [
    "Pacer",
    "debt_width",
]


def debt_width(config: ChannelConfig) -> int:
    """Bits of the debt: that of a longest request at the largest rate, and the fraction."""
    return (config.l_max + config.bytes_per_clock).bit_length() + config.rate_fraction


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
    live : In(Live)
        Whether to pace, else every clock is open, and the paced rate.
    grant : In(Grant)
        The grant of this clock.
    open_then : Out(1)
        A grant may be made in the next clock.
    debt : Out(debt_width)
        Bytes granted ahead of the rate, with ``rate_fraction`` fraction bits.
    """

    live: Live
    grant: Grant
    open_then: Signal
    debt: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
                "grant": In(grant_signature(config)),
                "open_then": Out(1),
                "debt": Out(debt_width(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        enable, rate = self.live.channel.pacer_enable, self.live.channel.pacer_rate
        size = self.grant.beats * (self.config.beat_bytes << self.config.rate_fraction)
        granted = Mux(self.grant.valid, size, 0)
        after = Signal(signed(len(self.debt) + 1))
        m.d.comb += [
            after.eq(self.debt - rate + granted),
            # The debt of the next clock is less than the rate: one sum with a sign.
            self.open_then.eq(~enable | (self.debt - (rate << 1) + granted)[-1]),
        ]
        m.d.sync += self.debt.eq(Mux(enable & ~after[-1], after, 0))
        return m
