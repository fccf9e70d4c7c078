"""Port credit: the bytes that memory owes."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig

__all__ = ["PortCredit"]


class PortCredit(wiring.Component):
    """Limits the bytes that are granted and not yet served.

    A grant needs credit for a longest request, whatever its own size, so that no small request can
    take the credit that a long one waits for. What memory returns can be
    granted two clocks later.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    limit : In(credit_width)
        Port credit in bytes.
    grant, beats : In
        The grant of this clock.
    served, served_beats : In
        The request served in this clock.
    in_flight : Out(credit_width)
        Bytes granted and not yet served.
    open_then : Out(1)
        There is credit for a grant in the next clock.
    """

    limit: Signal
    grant: Signal
    beats: Signal
    served: Signal
    served_beats: Signal
    in_flight: Signal
    open_then: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "limit": In(config.credit_width),
                "grant": In(1),
                "beats": In(config.beats_width),
                "served": In(1),
                "served_beats": In(config.beats_width),
                "in_flight": Out(config.credit_width),
                "open_then": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        granted = Signal(config.credit_width)
        returned = Signal(config.credit_width)
        before = Signal(signed(config.credit_width + 1))
        m.d.comb += granted.eq(Mux(self.grant, self.beats * config.beat_bytes, 0))
        m.d.comb += returned.eq(Mux(self.served, self.served_beats * config.beat_bytes, 0))
        m.d.sync += [
            # At most this many bytes may be in flight before a grant.
            before.eq(self.limit - config.l_max),
            self.in_flight.eq(self.in_flight + granted - returned),
        ]
        # One sum with a sign, as the grant is known late.
        m.d.comb += self.open_then.eq(~(before - self.in_flight - granted)[-1])
        return m
