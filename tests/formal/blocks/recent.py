"""Recent responses: exactly those of at most the limit of clocks ago."""

from amaranth import *
from amaranth.hdl import Assert, Cover

from mcos_hw.channel.recent import RecentResponses
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()


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
            Assert(recent.recent.bit_select(tenant, 1) == expected),
            Cover(expected & (clocks == limit) & (clocks == 4)),
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
)
