"""Which tenants had a response a short while ago: what the depth-1 rule asks."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.live import Live, live_signature
from mcos_hw.link.served import Served, served_signature
from mcos_hw.registers import channel_map

__all__ = ["RecentResponses"]


class RecentResponses(wiring.Component):
    """Whether a tenant's last response was a short while ago: clocks since then and a limit.

    A tenant with one request in flight offers the next one only after the last one's response. It
    loses its turn in between unless it is told from a tenant that went idle: the depth-1 rule of
    :class:`mcos_hw.channel.arbiter.wf2q.wfq.WfqArbiter` does that for requests which follow a
    response within a limit of clocks.

    At line rate every tenant has a counter of clocks. A compact channel keeps the clock of each
    tenant's last response in a memory, modulo, and visits a tenant in every clock to forget what is
    longer ago than any limit.

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
    tenant : In(tenant_width)
        The tenant that is asked for.
    recent : Out(1)
        Its last response was at most that many clocks before this one.
    """

    live: Live
    served: Served
    tenant: Signal
    recent: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
                "served": In(served_signature(config)),
                "tenant": In(config.tenant_width),
                "recent": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        if self.config.compact:
            self._remember_clocks(m)
        else:
            self._count_clocks(m)
        return m

    def _count_clocks(self, m: Module) -> None:
        recent = Signal(self.config.tenants)
        m.d.comb += self.recent.eq(recent.bit_select(self.tenant, 1))
        for i in range(self.config.tenants):
            # Clocks since the response, counted from 1 in the clock after it.
            since = Signal(9, name=f"since_{i}", init=0x1FF)
            with m.If(self.served.valid & (self.served.entry.tenant == i)):
                m.d.sync += since.eq(1)
            with m.Elif(since != 0x1FF):
                m.d.sync += since.eq(since + 1)
            m.d.comb += recent[i].eq(since <= self.live.channel.depth1_clocks)

    def _remember_clocks(self, m: Module) -> None:
        """Limits are under 256 clocks, and a visit comes within ``tenants`` clocks after that."""
        config, served, width = self.config, self.served, 10
        m.submodules.clocks = clocks = memory.Memory(
            shape=width, depth=config.tenants, init=[], attrs={"ram_style": "distributed"}
        )
        write = clocks.write_port()
        asked, visited = clocks.read_port(domain="comb"), clocks.read_port(domain="comb")
        now = Signal(width)
        turn = Signal(config.tenant_width)
        known = Signal(config.tenants)
        since = Signal(width)
        # One subtraction runs while the memory is read. What is known is in the past, so the sign
        # of the other one tells.
        first = Signal(width)
        within = Signal(width)
        m.d.sync += [now.eq(now + 1), turn.eq(turn + 1)]
        m.d.comb += [
            write.addr.eq(served.entry.tenant),
            write.data.eq(now),
            write.en.eq(served.valid),
            asked.addr.eq(self.tenant),
            first.eq(now - self.live.channel.depth1_clocks),
            within.eq(asked.data - first),
            self.recent.eq(known.bit_select(self.tenant, 1) & ~within[-1]),
            visited.addr.eq(turn),
            since.eq(now - visited.data),
        ]
        for i in range(config.tenants):
            with m.If(served.valid & (served.entry.tenant == i)):
                m.d.sync += known[i].eq(1)
            with m.Elif((turn == i) & (since[8:] != 0)):
                m.d.sync += known[i].eq(0)
