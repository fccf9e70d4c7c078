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
    """Keeps the tags of the first two requests of each tenant, and moves them up with a grant.

    A tenant has three registers. While nothing is stale they hold::

        requests    start             finish            end
        two, more   S of the head     F of the head     F of the second request
        one         S of the head     F of the head     F of the head
        none        F of the last     F of the last     F of the last

    S of the second request is F of the head. The third request gets its tags from the grant that
    makes it the second: S is F of the request before it, F is S + s / w.

    Staleness changes this. A request that gets its S while it counts as stale starts at the
    *anchor*, 4 ``l_max`` behind V (``l_max`` is the longest request). A head that was already stale
    when a grant made it the head has in ``start`` not its own S, but S of the request behind it. If
    none is behind it, that is the S with which the next one would come: F of the head, or the
    anchor. So ``start`` and ``end`` of a queue that a grant empties may be the anchor.
    :mod:`mcos_hw.channel.arbiter.wf2q.staleness` says why.

    :class:`mcos_hw.channel.arbiter.wf2q.wfq.WfqArbiter` defines ``chosen``, ``again``, following,
    third, approaching and entering.

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
        s / w of the third request of each queue.
    entry : In(tenants)
        Tenant of the entering request, one-hot, or 0.
    entering : In(tags_layout)
        Tags of that request.
    behind_stale : In(ArrayLayout(behind_layout, 2))
        Whether the following and the third request are stale, [0] unless ``again``, [1] if
        ``again``.
    anchor : In(tag_width)
        4 ``l_max`` behind V.
    approach : In(tenants)
        Tenant of the approaching request, one-hot, or 0.
    tags : Out(ArrayLayout(tags_layout, tenants))
        ``start`` and ``finish`` of each tenant.
    enters_head, enters_second : Out(tenants)
        ``entry`` if the entering request is the head, or the second, from the next clock on.
    followings : Out(ArrayLayout(tags_layout, 2))
        Tags of the following request, [0] unless ``again``, [1] if ``again``. S means nothing if
        that request is stale.
    following_start : Out(tag_width)
        What ``start`` of the granted tenant holds from the next clock on: S of the following
        request, or, if that is stale, S of the third.
    third_finish : Out(tag_width)
        ``end`` of the granted tenant once its head has left: F of its third request. Without a
        third, F of its last request, or the anchor if the third place is stale.
    approach_end : Out(tag_width)
        ``end`` of the approaching tenant.
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

        # An entering request gets its tags here only if it becomes the head or the second.
        enters = self.enters_head | self.enters_second
        m.d.comb += [
            self.enters_head.eq(becomes_head(self.entry, granted, queued.heads, queued.seconds)),
            self.enters_second.eq(
                becomes_second(self.entry, granted, queued.heads, queued.seconds, queued.thirds)
            ),
        ]

        # A grant makes the third request the second one, and F of that one is the tenant's new
        # ``end``. The sum comes late in the clock, so it goes to ``end_sum``, and to ``end`` one
        # clock later. ``ended`` is the tenant whose ``end`` is still to be written.
        end = [Signal(config.tag_width, name=f"end_{i}") for i in tenants]
        ended = Signal(config.tenants)
        end_sum = Signal(config.tag_width)
        m.d.sync += [ended.eq(granted & ~enters), end_sum.eq(self.third_finish)]

        # The following request, for both values of ``again``: that bit drives many multiplexers and
        # comes late. The tenant ``chosen`` was not granted in the clock before, so its ``end`` is
        # written. Copies of ``chosen`` and ``again`` share the fan-out to the bits of the tags. The
        # lower half of S and that of F have a copy of ``chosen`` each, the upper halves share one.
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

        def either(again, rule):
            unless_again = rule(behind_chosen, self.behind_stale[0])
            return Mux(again, rule(behind_again, self.behind_stale[1]), unless_again)

        # S of the third request, and what the head's ``start`` holds after the grant. A stale
        # request is no base for the next S; behind a stale head, the next S is watched instead.
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

        # The registers of each tenant. A grant moves its requests up; an entry to the place that
        # this leaves free is written over that.
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
    """:func:`pick`, with one copy of a vector for the lower half of the bits, one for the upper."""
    half = len(values[0]) // 2
    return Cat(
        pick(low, [value[:half] for value in values]),
        pick(high, [value[half:] for value in values]),
    )
