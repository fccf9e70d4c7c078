"""Tags of the first requests: what follows a grant is what a plain queue of tags says."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover, Value
from amaranth.lib import data

from mcos_hw.channel.arbiter.wf2q.structs import behind_layout, tags_layout
from mcos_hw.channel.arbiter.wf2q.tags import TenantTags
from mcos_hw.channel.arbiter.wf2q.wfq import Tagger
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property, at_most_one, implies, past_reset
from tests.planted import Bug

__all__ = ["PROPERTIES", "assume_chosen", "copies_of_again", "copies_of_chosen"]


CONFIG = ChannelConfig()
BLOCK = "mcos_hw.channel.arbiter.wf2q.tags.TenantTags"
TAGS = "mcos_hw.channel.arbiter.wf2q.tags"


def copies_of_again(turn: data.View) -> tuple[Value, ...]:
    """Registers that have to be equal to ``again``."""
    return turn.again_starts, turn.again_finishes, turn.again_order


def copies_of_chosen(turn: data.View) -> tuple[Value, ...]:
    """Registers that have to be equal to ``chosen``."""
    return turn.low_starts, turn.low_finishes, turn.highs


def assume_chosen(m: Module, block: TenantTags | Tagger) -> tuple[Value, Value]:
    """Let ``chosen`` be any tenant that was not granted in the clock before, or none.

    One tenant at most is granted, and none in the first clock.

    Returns
    -------
    grantable : Value
        Who may be granted: ``chosen``, or ``again`` the tenant of the clock before, if a request
        was behind its head. One bit a tenant.
    was_granted : Value
        Who was granted in the clock before. One bit a tenant.
    """
    told = past_reset(m)
    turn = block.turn
    behind = Signal(block.config.tenants, name="behind")
    was_granted = Signal(block.config.tenants, name="was_granted")
    m.d.sync += [behind.eq(turn.granted & block.queued.seconds), was_granted.eq(turn.granted)]
    m.d.comb += [
        Assume(at_most_one(turn.granted)),
        Assume(at_most_one(turn.chosen)),
        Assume((turn.chosen & was_granted) == 0),
        Assume(told | ~turn.granted.any()),
        *(Assume(copy == turn.again) for copy in copies_of_again(turn)),
        *(Assume(copy == turn.chosen) for copy in copies_of_chosen(turn)),
    ]
    return Mux(turn.again, behind, turn.chosen), was_granted


class FollowingHarness(Harness):
    """Any one tenant beside its tags by definition, which change in the clock of a grant.

    Who is granted is who :func:`assume_chosen` says, or nobody. Which requests behind its
    head are stale is anything; the tenant is the approaching one throughout.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tags = TenantTags(config)
        self.prove(m, tags)
        tenant = self.any_constant(m, config.tenant_width, name="any_tenant")
        granted = tags.turn.granted.bit_select(tenant, 1)
        first = tags.queued.heads.bit_select(tenant, 1)
        second = tags.queued.seconds.bit_select(tenant, 1)
        third = tags.queued.thirds.bit_select(tenant, 1)
        enters = tags.entry.bit_select(tenant, 1)
        entering = tags.entering
        second_stale = self.any_value(1, name="second_stale")
        third_stale = self.any_value(1, name="third_stale")

        grantable, _ = assume_chosen(m, tags)
        again = tags.turn.again
        following = tags_layout(config)(Mux(again, tags.followings[1], tags.followings[0]))
        behind_stale = behind_layout()(Mux(again, tags.behind_stale[1], tags.behind_stale[0]))
        m.d.comb += [
            Assume((tags.turn.granted & ~grantable) == 0),
            Assume(at_most_one(tags.entry)),
            Assume(~granted | first),
            Assume(~third | second),
            Assume(~second | first),
            Assume(tags.approach == 1 << tenant),
            Assume(implies(granted, behind_stale.as_value() == Cat(second_stale, third_stale))),
        ]

        start = Signal(config.tag_width)
        finish = Signal(config.tag_width)
        end = Signal(config.tag_width)
        next_start = Signal(config.tag_width)
        next_end = Signal(config.tag_width)
        cost = Mux(third, tags.marks[tenant], 0)
        m.d.comb += [
            next_start.eq(Mux(second_stale, Mux(third_stale, tags.anchor, end), finish)),
            next_end.eq(Mux(third_stale, tags.anchor, end) + cost),
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
                    (following.start == finish)
                    & (following.finish == end)
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
            Cover(twice & tags.turn.again & granted & (end != finish)),
            Cover(entered & tags.turn.again & granted),
            Cover(granted & second_stale & ~third_stale & third),
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
