"""Port credit: the bytes that memory owes."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.grant import Grant, grant_signature
from mcos_hw.link.live import Live, live_signature
from mcos_hw.link.served import Served, served_signature
from mcos_hw.registers import channel_map

__all__ = ["PortCredit"]


class PortCredit(wiring.Component):
    """Limits the bytes that are granted and not yet served.

    A grant needs credit for a longest request, whatever its own size, so that no small request can
    take the credit that a long one waits for. What memory returns can be granted two clocks later.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    live : In(Live)
        Port credit in bytes.
    grant : In(Grant)
        The grant of this clock.
    served : In(Served)
        The request whose bytes memory returns in this clock.
    in_flight : Out(credit_width)
        Bytes granted and not yet served.
    open_then : Out(1)
        There is credit for a grant in the next clock.
    load : Out(2)
        Whole quarters of the port credit that were in flight in the clock before, 3 at most; 0
        if nothing was.
    """

    live: Live
    grant: Grant
    served: Served
    in_flight: Signal
    open_then: Signal
    load: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
                "grant": In(grant_signature(config)),
                "served": In(served_signature(config)),
                "in_flight": Out(config.credit_width),
                "open_then": Out(1),
                "load": Out(2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        limit = self.live.channel.port_credit
        granted = Signal(config.credit_width)
        returned = Signal(config.credit_width)
        before = Signal(signed(config.credit_width + 1))
        grant, served = self.grant, self.served
        m.d.comb += [
            granted.eq(Mux(grant.valid, grant.beats * config.beat_bytes, 0)),
            returned.eq(Mux(served.valid, served.entry.beats * config.beat_bytes, 0)),
        ]
        m.d.sync += [
            # At most this many bytes may be in flight before a grant.
            before.eq(limit - config.l_max),
            self.in_flight.eq(self.in_flight + granted - returned),
        ]
        # One sum with a sign, as the grant is known late.
        m.d.comb += self.open_then.eq(~(before - self.in_flight - granted)[-1])

        # The thresholds are 1/4, 1/2 and 3/4 of the limit. Before the first image the limit is 0.
        quadrupled = self.in_flight << 2
        m.d.sync += self.load.eq(
            Mux(
                self.in_flight == 0,
                0,
                (quadrupled >= limit) + (quadrupled >= 2 * limit) + (quadrupled >= 3 * limit),
            )
        )
        return m
