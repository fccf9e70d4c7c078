"""Which tenants had a response a short while ago: what the depth-1 rule asks."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig

__all__ = ["RecentResponses"]


class RecentResponses(wiring.Component):
    """Clocks since each tenant's last response, compared with a limit.

    A tenant with one request in flight offers the next one only after the last one's response. It
    loses its turn in between unless it is told from a tenant that went idle: the depth-1 rule of
    :class:`mcos_hw.channel.arbiter.wf2q.wfq.WfqArbiter` does that for requests within ``limit``
    clocks.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    response : In(1)
        A response leaves in this clock.
    tenant : In(tenant_width)
        To whom.
    limit : In(8)
        Clocks; 0 switches the rule off.
    recent : Out(tenants)
        Tenants whose last response was at most ``limit`` clocks before this one.
    """

    response: Signal
    tenant: Signal
    limit: Signal
    recent: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "response": In(1),
                "tenant": In(config.tenant_width),
                "limit": In(8),
                "recent": Out(config.tenants),
            }
        )

    def elaborate(self, platform):
        m = Module()
        for i in range(self.config.tenants):
            # Clocks since the response, counted from 1 in the clock after it.
            since = Signal(9, name=f"since_{i}", init=0x1FF)
            with m.If(self.response & (self.tenant == i)):
                m.d.sync += since.eq(1)
            with m.Elif(since != 0x1FF):
                m.d.sync += since.eq(since + 1)
            m.d.comb += self.recent[i].eq(since <= self.limit)
        return m
