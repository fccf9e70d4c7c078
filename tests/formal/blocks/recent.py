"""Recent responses: exactly those of at most the limit of clocks ago."""

from amaranth import *
from amaranth.hdl import Assert, Cover

from mcos_hw.channel.recent import RecentResponses
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
COMPACT = ChannelConfig(lateness=0, grant_interval=8)


class RecentHarness(Harness):
    """Counts the clocks since the last response of any one tenant."""

    def elaborate(self, platform):
        m = Module()
        recent = RecentResponses(self.config)
        self.prove(m, recent)
        tenant = self.any_constant(m, self.config.tenant_width, name="any_tenant")

        limit = recent.live.channel.depth1_clocks
        # Limits have 8 bits, so it is enough to count past those.
        responded = Signal()
        clocks = Signal(9)
        with m.If(recent.served.valid & (recent.served.entry.tenant == tenant)):
            m.d.sync += [responded.eq(1), clocks.eq(1)]
        with m.Elif(~clocks.all()):
            m.d.sync += clocks.eq(clocks + 1)

        counters = Array(self.look(f"since_{i}", 9) for i in range(self.config.tenants))
        expected = responded & (clocks <= limit)
        m.d.comb += [
            self.invariant(counters[tenant] == Mux(responded, clocks, 0x1FF)),
            Assert(implies(recent.tenant == tenant, recent.recent == expected)),
            Cover(expected & (clocks == limit) & (clocks == 4)),
        ]
        return m


class CompactHarness(Harness):
    """Likewise, with the clock of its last response in a memory, until it is long ago."""

    def elaborate(self, platform):
        m = Module()
        tenants = self.config.tenants
        recent = RecentResponses(self.config)
        inside = self.prove(m, recent)
        tenant = self.any_constant(m, self.config.tenant_width, name="any_tenant")
        known = self.look("known", tenants)
        now = self.look("now", 10)
        turn = self.look("turn", self.config.tenant_width)
        clock = inside.submodules.clocks.read_port(domain="comb")

        limit = recent.live.channel.depth1_clocks
        responded = Signal()
        clocks = Signal(10)
        with m.If(recent.served.valid & (recent.served.entry.tenant == tenant)):
            m.d.sync += [responded.eq(1), clocks.eq(1)]
        with m.Elif(~clocks.all()):
            m.d.sync += clocks.eq(clocks + 1)

        # It was visited so many clocks ago, when it was not too old.
        visited = Signal(self.config.tenant_width)
        remembered = known.bit_select(tenant, 1)
        expected = responded & (clocks <= limit)
        m.d.comb += [
            clock.addr.eq(tenant),
            visited.eq(turn - tenant - 1),
            self.invariant(
                implies(remembered, responded & (clock.data == (now - clocks)[:10])),
                implies(remembered, clocks <= 256 + visited),
                implies(~remembered & responded, clocks > 255),
                implies(responded, clocks != 0),
            ),
            Assert(implies(recent.tenant == tenant, recent.recent == expected)),
            Cover(expected & (recent.tenant == tenant) & (clocks == limit) & (clocks == 4)),
        ]
        return m


PROPERTIES = (
    Property(
        name="recent.within_limit",
        claim="A tenant is recent exactly if its last response is 1 to limit clocks ago.",
        block="mcos_hw.channel.recent.RecentResponses",
        config=CONFIG,
        harness=RecentHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.channel.recent",
            text="since <= self.live.channel.depth1_clocks",
            instead="since < self.live.channel.depth1_clocks",
        ),
        reach=6,
    ),
    Property(
        name="recent.within_limit_compact",
        claim="The same in a compact channel, which forgets what is longer ago than any limit.",
        block="mcos_hw.channel.recent.RecentResponses",
        config=COMPACT,
        harness=CompactHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.channel.recent",
            text="with m.Elif((turn == i) & (since[8:] != 0))",
            instead="with m.Elif((turn == i) & (since[2:] != 0))",
        ),
        reach=8,
    ),
)
