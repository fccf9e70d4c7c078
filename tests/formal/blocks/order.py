"""The kept order of the heads is that of their tags in every clock."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data

from mcos_hw.channel.arbiter.wf2q.order import PairOrder
from mcos_hw.channel.arbiter.wf2q.structs import tags_layout
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property, at_most_one, implies, past_reset
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()


class PairHarness(Harness):
    """Any two tenants, whose heads' tags change as the block is told and in no other way.

    Nothing is said before one of the two had a new head since reset, and of tags that are half of
    the modular range apart, because each is then before the other.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        order = PairOrder(config)
        self.prove(m, order)
        turn = order.turn
        below = Mux(turn.again_order, turn.belows[1], turn.belows[0])
        following = data.View(tags_layout(config), Signal(tags_layout(config), name="following"))
        m.d.comb += following.eq(Mux(turn.again_order, order.followings[1], order.followings[0]))
        one = self.any_constant(m, config.tenant_width, name="any_tenant")
        other = self.any_constant(m, config.tenant_width, name="other_tenant")
        m.d.comb += [
            Assume(one != other),
            Assume(at_most_one(turn.granted)),
            Assume(at_most_one(order.entry)),
            Assume((order.enters == 0) | (order.enters == order.entry)),
            *(
                Assume(below[i] == (turn.granted[:i].any() if i else 0))
                for i in range(config.tenants)
            ),
        ]

        told = past_reset(m)
        known = Signal()
        mine, theirs = (self.head(m, order, each, following, told) for each in (one, other))
        with m.If((turn.granted | order.enters).bit_select(one, 1)):
            m.d.sync += known.eq(1)
        with m.If((turn.granted | order.enters).bit_select(other, 1)):
            m.d.sync += known.eq(1)

        def compares(left, right, tie, told):
            """Whether what is told of two tags is right, or they are too far apart."""
            distance = (left - right)[: config.tag_width]
            before = Mux(left == right, tie, distance[-1])
            return (distance == 1 << (config.tag_width - 1)) | (told == before)

        def kept(name):
            return order.order[one][name].bit_select(other, 1)

        follows_first = order.following.by_finish.bit_select(one, 1)
        follows_start = order.following.by_start.bit_select(one, 1)
        follows_same = order.following.same_start.bit_select(one, 1)
        m.d.comb += [
            Assert(
                implies(
                    known,
                    compares(mine.finish, theirs.finish, one < other, kept("by_finish"))
                    & compares(mine.start, theirs.start, 0, kept("by_start"))
                    & (kept("same_start") == (mine.start == theirs.start)),
                )
            ),
            Assert(
                compares(following.finish, mine.finish, below.bit_select(one, 1), follows_first)
            ),
            Assert(compares(following.start, mine.start, 0, follows_start)),
            Assert(follows_same == (following.start == mine.start)),
        ]
        # One leaves, the other enters in the same clock, and their tags are equal.
        met = Signal()
        m.d.sync += met.eq(turn.granted.bit_select(one, 1) & order.enters.bit_select(other, 1))
        m.d.comb += Cover(met & (mine.finish == theirs.finish) & (mine.finish > 1))
        return m

    def head(
        self, m: Module, order: PairOrder, tenant: Value, following: data.View, told: Value
    ) -> data.View:
        """Tags of a tenant's head, which are from the next clock on what the block is told now."""
        head = order.heads[tenant]
        layout = tags_layout(self.config)
        then = data.View(layout, Signal(layout, name="then"))
        m.d.sync += then.eq(head)
        with m.If(order.turn.granted.bit_select(tenant, 1)):
            m.d.sync += then.eq(following)
        with m.If(order.enters.bit_select(tenant, 1)):
            m.d.sync += [
                then.start.eq(order.entering_start),
                then.finish.eq(order.entering_start + order.entering_cost),
            ]
        m.d.comb += Assume(~told | (head.as_value() == then.as_value()))
        return head


PROPERTIES = (
    Property(
        name="order.pairs",
        claim=(
            "In every clock what is kept of two heads is how their tags compare, ties of F to the "
            "lower tenant, however they leave, follow and enter; so is what is told of the "
            "request behind the granted head."
        ),
        block="mcos_hw.channel.arbiter.wf2q.order.PairOrder",
        config=CONFIG,
        harness=PairHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.channel.arbiter.wf2q.order",
            text="lambda news: ~news[0]",
            instead="lambda news: news[0]",
        ),
        reach=5,
        slow=True,
    ),
)
