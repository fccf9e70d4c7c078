"""Which tenants had a response a short while ago: what the depth-1 rule asks."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.live import Live, live_signature
from mcos_hw.link.served import Served, served_signature
from mcos_hw.registers import channel_map

__all__ = ["RecentResponses"]


class RecentResponses(wiring.Component):
    """Clocks since each tenant's last response, compared with a limit.

    A tenant with one request in flight offers the next one only after the last one's response. It
    loses its turn in between unless it is told from a tenant that went idle: the depth-1 rule of
    :class:`mcos_hw.channel.arbiter.wf2q.wfq.WfqArbiter` does that for requests which follow a
    response within a limit of clocks.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    live : In(Live)
        The limit ``depth1_clocks``; 0 switches the rule off.
    served : In(Served)
        The request whose response leaves in this clock.
    recent : Out(tenants)
        Tenants whose last response was at most that many clocks before this one.
    """

    live: Live
    served: Served
    recent: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
                "served": In(served_signature(config)),
                "recent": Out(config.tenants),
            }
        )

    def elaborate(self, platform):
        m = Module()
        for i in range(self.config.tenants):
            # Clocks since the response, counted from 1 in the clock after it.
            since = Signal(9, name=f"since_{i}", init=0x1FF)
            with m.If(self.served.valid & (self.served.entry.tenant == i)):
                m.d.sync += since.eq(1)
            with m.Elif(since != 0x1FF):
                m.d.sync += since.eq(since + 1)
            m.d.comb += self.recent[i].eq(since <= self.live.channel.depth1_clocks)
        return m
