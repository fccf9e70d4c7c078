"""Staleness: what is kept of each head is where its start tag is, seen from virtual time."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.arbiter.wf2q.staleness import Quarters
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property, at_most_one
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()


class QuarterHarness(Harness):
    """Any one tenant, whose start tag changes as the block is told and in no other way.

    V as the choice sees it changes as ``virtual_time.seen_3_late`` proves: with a grant to what was
    known a clock ahead, otherwise not at all.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = Quarters(config)
        self.prove(m, block)
        tenant = self.any_constant(m, config.tenant_width, name="any_tenant")
        granted = block.granted.bit_select(tenant, 1)
        enters = block.enters.bit_select(tenant, 1)

        past_grant = Signal(config.tag_width)
        seen = Signal(config.tag_width)
        start = Signal(config.tag_width)
        m.d.sync += [
            past_grant.eq(block.seen.next),
            seen.eq(block.seen.now),
            start.eq(
                Mux(
                    enters,
                    block.entering_start,
                    Mux(granted, block.following_start, block.start[tenant]),
                )
            ),
        ]
        distance = (block.seen.now - block.start[tenant])[: config.tag_width]
        m.d.comb += [
            Assume(at_most_one(block.granted)),
            Assume(at_most_one(block.enters)),
            Assume(block.grant == block.granted.any()),
            Assume(block.seen.past_grant == past_grant),
            Assume(block.seen.now == Mux(block.grant, past_grant, seen)),
            Assume(block.start[tenant] == start),
            Assert(block.quarters[tenant] == distance[-2:]),
        ]
        # V reaches a head by a grant to another tenant, after one without a grant.
        waited = Signal()
        m.d.sync += waited.eq(~block.grant & (block.quarters[tenant] == 3) & ~enters)
        m.d.comb += Cover(waited & ~granted & block.grant & (block.quarters[tenant] == 0))
        return m


PROPERTIES = (
    Property(
        name="staleness.kept",
        claim=(
            "In every clock the quarter kept of a head is that of V, as the choice sees it three "
            "grants late, less the head's start tag."
        ),
        block="mcos_hw.channel.arbiter.wf2q.staleness.Quarters",
        config=CONFIG,
        harness=QuarterHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.channel.arbiter.wf2q.staleness",
            text="quarter(seen.past_grant, self.following_start)",
            instead="quarter(seen.next, self.following_start)",
        ),
        reach=8,
    ),
)
