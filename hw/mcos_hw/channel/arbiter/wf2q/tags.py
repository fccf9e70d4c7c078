"""Start and finish tags of every tenant's first requests."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.structs import (
    behind_layout,
    queued_layout,
    tags_layout,
    turn_layout,
)
from mcos_hw.config import ChannelConfig
from mcos_hw.link.queue import becomes_head, becomes_second
from mcos_hw.primitive.select import pick

__all__ = ["TenantTags"]


class TenantTags(wiring.Component):
    """Keeps S and F of each head, and F of its tenant's last request that has tags.

    That is the second request, or the head if there is no other one. Without a head all three hold
    the last F of the tenant. The third request gets its tags once it is the second.

    A grant needs the tags of the *following* request, the one behind the granted head, in its
    clock: S of it is F of the head. If the tenant was ``chosen``, they are picked from its
    registers. If it is granted ``again``, they were prepared in the clock before.

    :class:`mcos_hw.channel.arbiter.wf2q.staleness.Staleness` says which of the tags are stale.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    turn : In(turn_layout)
        The grant of this clock.
    queued : In(queued_layout)
        Which queues have how many requests.
    marks : In(ArrayLayout(tag_width, tenants))
        s / w of the third requests.
    entry : In(tenants)
        Whose queue a request enters in this clock, at most one.
    entering : In(tags_layout)
        Tags of that request.
    behind_stale : In(ArrayLayout(behind_layout, 2))
        Whether the following request is stale, and the one after it: the first holds unless
        ``again``, the second if ``again``.
    anchor : In(tag_width)
        Start tag of a request after stale ones.
    approach : In(tenants)
        Tenant of the request one step before its queue, one-hot.
    tags : Out(ArrayLayout(tags_layout, tenants))
        Tags of the heads. While a head is stale, ``start`` is that of the first request of the
        tenant that is not stale.
    enters_head, enters_second : Out(tenants)
        Whose queue the entering request is the first or second of from the next clock on.
    followings : Out(ArrayLayout(tags_layout, 2))
        Tags of the following request: the first holds unless ``again``, the second if ``again``.
    following_start : Out(tag_width)
        ``start`` field of the following request once it is the head.
    third_finish : Out(tag_width)
        F of the request after the following one, or of the following one if it is the last.
    approach_end : Out(tag_width)
        F of the last request that has tags, of the approaching tenant.
    """

    turn: data.View
    queued: data.View
    marks: data.View
    entry: Signal
    entering: data.View
    behind_stale: data.View
    anchor: Signal
    approach: Signal
    tags: data.View
    enters_head: Signal
    enters_second: Signal
    followings: data.View
    following_start: Signal
    third_finish: Signal
    approach_end: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        tags = tags_layout(config)
        super().__init__(
            {
                "turn": In(turn_layout(config)),
                "queued": In(queued_layout(config)),
                "marks": In(data.ArrayLayout(config.tag_width, config.tenants)),
                "entry": In(config.tenants),
                "entering": In(tags),
                "behind_stale": In(data.ArrayLayout(behind_layout(), 2)),
                "anchor": In(config.tag_width),
                "approach": In(config.tenants),
                "tags": Out(data.ArrayLayout(tags, config.tenants)),
                "enters_head": Out(config.tenants),
                "enters_second": Out(config.tenants),
                "followings": Out(data.ArrayLayout(tags, 2)),
                "following_start": Out(config.tag_width),
                "third_finish": Out(config.tag_width),
                "approach_end": Out(config.tag_width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
        turn, queued, entering = self.turn, self.queued, self.entering
        granted = turn.granted

        enters = self.enters_head | self.enters_second
        m.d.comb += [
            self.enters_head.eq(becomes_head(self.entry, granted, queued.heads, queued.seconds)),
            self.enters_second.eq(
                becomes_second(self.entry, granted, queued.heads, queued.seconds, queued.thirds)
            ),
        ]

        # A grant makes the third request the second one, which gets its F. That sum is registered,
        # bypasses the tenant's ``end`` for one clock (``ended``), and then is written to it.
        end = [Signal(config.tag_width, name=f"end_{i}") for i in tenants]
        ended = Signal(config.tenants)
        end_sum = Signal(config.tag_width)
        m.d.sync += [ended.eq(granted & ~enters), end_sum.eq(self.third_finish)]

        # The following request of either tenant that may be granted. ``again`` takes a while to
        # reach all bits, so all is ready for both of its values. ``chosen`` was not granted in the
        # clock before, so its ``end`` is up to date.
        layout = tags_layout(config)
        behind_chosen = data.View(layout, Signal(layout, name="behind_chosen"))
        behind_again = data.View(layout, Signal(layout, name="behind_again"))
        finish = [self.tags[i].finish for i in tenants]
        m.d.comb += [
            behind_chosen.start.eq(_pick_halves(turn.low_starts, turn.highs, finish)),
            behind_chosen.finish.eq(_pick_halves(turn.low_finishes, turn.highs, end)),
            self.followings[0].eq(behind_chosen),
            self.followings[1].eq(behind_again),
        ]

        def either(again, told):
            unless_again = told(behind_chosen, self.behind_stale[0])
            return Mux(again, told(behind_again, self.behind_stale[1]), unless_again)

        def third_start(following, stale):
            return Mux(stale.third, self.anchor, following.finish)

        def start_then(following, stale):
            return Mux(stale.following, third_start(following, stale), following.start)

        following_finish = Signal(config.tag_width)
        third_cost = Signal(config.tag_width)
        m.d.comb += [
            following_finish.eq(either(turn.again_finishes, lambda following, _: following.finish)),
            self.following_start.eq(either(turn.again_starts, start_then)),
            third_cost.eq(pick(granted & queued.thirds, [self.marks[i] for i in tenants])),
            self.third_finish.eq(either(turn.again_finishes, third_start) + third_cost),
            self.approach_end.eq(
                Mux((self.approach & ended).any(), end_sum, pick(self.approach, end))
            ),
        ]
        m.d.sync += [
            behind_again.start.eq(following_finish),
            behind_again.finish.eq(
                Mux((granted & enters).any(), entering.finish, self.third_finish)
            ),
        ]

        # The registers of each tenant: a grant moves its requests up, an entry comes last.
        for i in tenants:
            tags = self.tags[i]
            with m.If(granted[i]):
                m.d.sync += [tags.start.eq(self.following_start), tags.finish.eq(following_finish)]
            with m.If(ended[i]):
                m.d.sync += end[i].eq(end_sum)
            with m.If(self.enters_head[i]):
                m.d.sync += tags.eq(entering)
            with m.If(enters[i]):
                m.d.sync += end[i].eq(entering.finish)
        return m


def _pick_halves(low, high, values):
    """:func:`pick`, the lower half of the bits with one vector, the upper half with another."""
    half = len(values[0]) // 2
    return Cat(
        pick(low, [value[:half] for value in values]),
        pick(high, [value[half:] for value in values]),
    )
