"""Tags of the first requests: what follows a grant is what a plain queue of tags says."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover, Value

from mcos_hw.channel.arbiter.wf2q.tagger import Tagger
from mcos_hw.channel.arbiter.wf2q.tags import TenantTags
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property, at_most_one, implies, past_reset
from tests.planted import Bug

__all__ = ["PROPERTIES", "assume_chosen"]


CONFIG = ChannelConfig()
BLOCK = "mcos_hw.channel.arbiter.wf2q.tags.TenantTags"
TAGS = "mcos_hw.channel.arbiter.wf2q.tags"


def assume_chosen(m: Module, block: TenantTags | Tagger) -> tuple[Value, Value]:
    """Let ``chosen`` be anybody who was not granted in the clock before, or nobody.

    One tenant at most is granted, and none in the first clock.

    Returns
    -------
    grantable : Value
        Who may be granted: ``chosen``, or ``again`` who was in the clock before, if a request of
        his was behind. One bit a tenant.
    was_granted : Value
        Who was granted in the clock before. One bit a tenant.
    """
    told = past_reset(m)
    behind = Signal.like(block.granted, name="behind")
    was_granted = Signal.like(block.granted, name="was_granted")
    m.d.sync += [behind.eq(block.granted & block.seconds), was_granted.eq(block.granted)]
    m.d.comb += [
        Assume(at_most_one(block.granted)),
        Assume(at_most_one(block.chosen)),
        Assume((block.chosen & was_granted) == 0),
        Assume(told | ~block.granted.any()),
        Assume(block.selects.as_value() == block.chosen.replicate(3)),
    ]
    return Mux(block.again, behind, block.chosen), was_granted


class FollowingHarness(Harness):
    """Any one tenant beside its tags by definition, which change in the clock of a grant.

    Who is granted is who :func:`assume_chosen` says, or nobody. Which tags are stale is taken as
    the block says; the tenant is the approached one throughout.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tags = TenantTags(config)
        self.prove(m, tags)
        tenant = self.any_constant(m, config.tenant_width, name="any_tenant")
        granted = tags.granted.bit_select(tenant, 1)
        first = tags.heads.bit_select(tenant, 1)
        second = tags.seconds.bit_select(tenant, 1)
        third = tags.thirds.bit_select(tenant, 1)
        enters = tags.entry.bit_select(tenant, 1)
        entering = tags.entering
        stale = tags.stale[tenant]

        grantable, _ = assume_chosen(m, tags)
        m.d.comb += [
            Assume((tags.granted & ~grantable) == 0),
            Assume(at_most_one(tags.entry)),
            Assume(~granted | first),
            Assume(~third | second),
            Assume(~second | first),
            Assume(tags.approach == 1 << tenant),
        ]

        start = Signal(config.tag_width)
        finish = Signal(config.tag_width)
        end = Signal(config.tag_width)
        next_start = Signal(config.tag_width)
        next_end = Signal(config.tag_width)
        cost = Mux(third, tags.marks[tenant], 0)
        m.d.comb += [
            next_start.eq(Mux(stale[1], Mux(stale[2], tags.anchor, end), finish)),
            next_end.eq(Mux(stale[2], tags.anchor, end) + cost),
        ]
        with m.If(granted):
            m.d.sync += [start.eq(next_start), finish.eq(end), end.eq(next_end)]
        becomes_head = enters & Mux(granted, ~second, ~first)
        becomes_second = enters & Mux(granted, second & ~third, first & ~second)
        with m.If(becomes_head):
            m.d.sync += [start.eq(entering.start), finish.eq(entering.finish)]
        with m.If(becomes_head | becomes_second):
            m.d.sync += end.eq(entering.finish)

        m.d.comb += [
            Assert(tags.enters_head.bit_select(tenant, 1) == becomes_head),
            Assert(tags.enters_second.bit_select(tenant, 1) == becomes_second),
            Assert(tags.tags[tenant].start == start),
            Assert(tags.tags[tenant].finish == finish),
            Assert(tags.approach_end == end),
            Assert(
                implies(
                    granted,
                    (tags.following.start == finish)
                    & (tags.following.finish == end)
                    & (tags.following_stale == stale[1])
                    & (tags.following_start == next_start)
                    & (tags.third_finish == next_end),
                )
            ),
        ]
        twice = Signal()
        entered = Signal()
        m.d.sync += [
            twice.eq(granted & third & ~enters & (end != finish)),
            entered.eq(granted & second & enters & (entering.finish != end)),
        ]
        m.d.comb += [
            Cover(twice & tags.again & granted & (end != finish)),
            Cover(entered & tags.again & granted),
            Cover(granted & stale[1] & ~stale[2] & third),
        ]
        return m


PROPERTIES = (
    Property(
        name="tags.following",
        claim=(
            "Start and finish tags of heads, and those told of the two requests behind a granted "
            "head, are what a plain queue of tags has in that clock."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=FollowingHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=TAGS,
            text="Mux((granted & enters).any(), entering.finish, self.third_finish)",
            instead="self.third_finish",
        ),
        reach=7,
        slow=True,
    ),
)
