"""Start and finish tags of every tenant's first requests."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.queue import becomes_head, becomes_second
from mcos_hw.primitive.select import pick

__all__ = [
    "TenantTags",
    "selects_layout",
    "tags_layout",
]


def tags_layout(config: ChannelConfig) -> data.StructLayout:
    """A request's start tag S and finish tag F."""
    return data.StructLayout({"start": config.tag_width, "finish": config.tag_width})


def selects_layout(config: ChannelConfig) -> data.StructLayout:
    """Copies of a one-hot vector that selects tags, each for half the bits of a tag.

    ``low_starts`` selects the lower half of start tags, ``low_finishes`` that of finish tags, and
    ``highs`` the upper half of both.
    """
    return data.StructLayout(dict.fromkeys(("low_starts", "low_finishes", "highs"), config.tenants))


class TenantTags(wiring.Component):
    """S and F of each head, and F of the last request that has tags: the second, if there is one.

    Without a head all three are the last F. The request behind the head that is granted stands
    beside them (``following``).

    What becomes of tags that V leaves too far behind is told in
    :class:`mcos_hw.channel.arbiter.wf2q.staleness.Recency`.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    granted : In(tenants)
        Whose head leaves in this clock, at most one.
    again : In(1)
        It is that of the clock before.
    chosen : In(tenants)
        Whose head leaves unless ``again``; not that of the clock before.
    selects : In(selects_layout)
        Copies of ``chosen``.
    heads, seconds, thirds : In(tenants)
        Which queues have a first, second and third request.
    marks : In(ArrayLayout(tag_width, tenants))
        s / w of the third requests.
    entry : In(tenants)
        Whose queue a request enters in this clock, at most one.
    entering : In(tags_layout)
        Its tags.
    entering_anchored : In(1)
        They do not go on from tags that may be stale.
    approach : In(tenants)
        Whose queue a request will enter next.
    quarters : In(ArrayLayout(2, tenants))
        See :class:`mcos_hw.channel.arbiter.wf2q.staleness.Recency`.
    time : In(tag_width)
        V that the anchor goes by.
    tags : Out(ArrayLayout(tags_layout, tenants))
        Of the heads.
    stale : Out(ArrayLayout(3, tenants))
        Which of a tenant's three tags are stale: of the head, the second and the third request.
    enters_head, enters_second : Out(tenants)
        Whose queue the entering request is the first one of from the next clock on, or the second.
    followings : Out(ArrayLayout(tags_layout, 2))
        Of the request behind the granted head: the first unless ``again``, the second if ``again``.
    following : Out(tags_layout)
        The right one of them.
    following_stale : Out(1)
        Whether they are.
    following_start : Out(tag_width)
        Its start tag from the next clock on.
    third_finish : Out(tag_width)
        F of the request after that one; F of ``following`` if there is none.
    anchor : Out(tag_width)
        The anchor.
    approach_end : Out(tag_width)
        F of the last request that has tags, of the approached tenant.
    approach_stale : Out(3)
        That tenant's stale tags.
    """

    granted: Signal
    again: Signal
    chosen: Signal
    selects: data.View
    heads: Signal
    seconds: Signal
    thirds: Signal
    marks: data.View
    entry: Signal
    entering: data.View
    entering_anchored: Signal
    approach: Signal
    quarters: data.View
    time: Signal
    tags: data.View
    stale: data.View
    enters_head: Signal
    enters_second: Signal
    followings: data.View
    following: data.View
    following_stale: Signal
    following_start: Signal
    third_finish: Signal
    anchor: Signal
    approach_end: Signal
    approach_stale: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        tags = tags_layout(config)
        super().__init__(
            {
                "granted": In(config.tenants),
                "again": In(1),
                "chosen": In(config.tenants),
                "selects": In(selects_layout(config)),
                "heads": In(config.tenants),
                "seconds": In(config.tenants),
                "thirds": In(config.tenants),
                "marks": In(data.ArrayLayout(config.tag_width, config.tenants)),
                "entry": In(config.tenants),
                "entering": In(tags),
                "entering_anchored": In(1),
                "approach": In(config.tenants),
                "quarters": In(data.ArrayLayout(2, config.tenants)),
                "time": In(config.tag_width),
                "tags": Out(data.ArrayLayout(tags, config.tenants)),
                "stale": Out(data.ArrayLayout(3, config.tenants)),
                "enters_head": Out(config.tenants),
                "enters_second": Out(config.tenants),
                "followings": Out(data.ArrayLayout(tags, 2)),
                "following": Out(tags),
                "following_stale": Out(1),
                "following_start": Out(config.tag_width),
                "third_finish": Out(config.tag_width),
                "anchor": Out(config.tag_width),
                "approach_end": Out(config.tag_width),
                "approach_stale": Out(3),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
        granted, entering = self.granted, self.entering

        m.d.sync += self.anchor.eq(self.time - (config.stale_after // 2 << config.tag_fraction))
        m.d.comb += [
            self.enters_head.eq(becomes_head(self.entry, granted, self.heads, self.seconds)),
            self.enters_second.eq(
                becomes_second(self.entry, granted, self.heads, self.seconds, self.thirds)
            ),
        ]

        # F of the third request, once it is the second one: the sum goes to the tenant's register a
        # clock late, and stands for it until then.
        end = [Signal(config.tag_width, name=f"end_{i}") for i in tenants]
        ended = Signal(config.tenants)
        end_sum = Signal(config.tag_width)
        m.d.sync += [
            ended.eq(granted & ~self.enters_head & ~self.enters_second),
            end_sum.eq(self.third_finish),
        ]

        enters = self.enters_head | self.enters_second
        stale_then = [Signal(3, name=f"stale_then_{i}") for i in tenants]
        for i in tenants:
            tags, stale = self.tags[i], self.stale[i]
            quarter = self.quarters[i]
            grows_stale = Signal(name=f"grows_stale_{i}")
            third_stale = stale[2] | grows_stale
            m.d.comb += [
                grows_stale.eq(Mux(stale[0], quarter.any(), quarter == 1)),
                stale_then[i].eq(Mux(granted[i], stale[1:], stale)),
            ]
            with m.If(grows_stale):
                m.d.comb += stale_then[i].eq(0b111)
            with m.If(self.enters_head[i]):
                m.d.comb += stale_then[i].eq((third_stale & ~self.entering_anchored).replicate(3))
            with m.Elif(self.enters_second[i]):
                m.d.comb += stale_then[i][2].eq(third_stale)
            m.d.sync += stale.eq(stale_then[i])
            with m.If(granted[i]):
                m.d.sync += [
                    tags.start.eq(self.following_start),
                    tags.finish.eq(self.following.finish),
                ]
            with m.If(ended[i]):
                m.d.sync += end[i].eq(end_sum)
            with m.If(self.enters_head[i]):
                m.d.sync += tags.eq(entering)
            with m.If(enters[i]):
                m.d.sync += end[i].eq(entering.finish)

        # What follows the head that is granted: of ``chosen``, or of the one granted before a step
        # on. Nothing of ``chosen`` was granted in the clock before, so its ``end`` is up to date.
        layout = data.StructLayout({"tags": tags_layout(config), "stale": 1, "third_stale": 1})
        behind_chosen = data.View(layout, Signal(layout, name="behind_chosen"))
        behind_again = data.View(layout, Signal(layout, name="behind_again"))
        behind = data.View(layout, Signal(layout, name="behind"))
        finish = [self.tags[i].finish for i in tenants]
        stale_chosen = pick(self.chosen, [self.stale[i] for i in tenants])
        stale_again = pick(granted, stale_then)
        m.d.comb += [
            behind_chosen.tags.start.eq(
                _pick_halves(self.selects.low_starts, self.selects.highs, finish)
            ),
            behind_chosen.tags.finish.eq(
                _pick_halves(self.selects.low_finishes, self.selects.highs, end)
            ),
            behind_chosen.stale.eq(stale_chosen[1]),
            behind_chosen.third_stale.eq(stale_chosen[2]),
            behind.eq(Mux(self.again, behind_again, behind_chosen)),
        ]
        m.d.sync += [
            behind_again.tags.start.eq(self.following.finish),
            behind_again.tags.finish.eq(
                Mux((granted & enters).any(), entering.finish, self.third_finish)
            ),
            behind_again.stale.eq(stale_again[1]),
            behind_again.third_stale.eq(stale_again[2]),
        ]

        third_cost = Signal(config.tag_width)
        third_start = Mux(behind.third_stale, self.anchor, behind.tags.finish)
        m.d.comb += [
            self.followings[0].eq(behind_chosen.tags),
            self.followings[1].eq(behind_again.tags),
            self.following.eq(behind.tags),
            self.following_stale.eq(behind.stale),
            self.following_start.eq(Mux(behind.stale, third_start, behind.tags.start)),
            third_cost.eq(pick(granted & self.thirds, [self.marks[i] for i in tenants])),
            self.third_finish.eq(third_start + third_cost),
            self.approach_end.eq(
                Mux((self.approach & ended).any(), end_sum, pick(self.approach, end))
            ),
            self.approach_stale.eq(pick(self.approach, [self.stale[i] for i in tenants])),
        ]
        return m


def _pick_halves(low, high, values):
    """:func:`pick`, the lower half of the bits with one vector, the upper half with another."""
    half = len(values[0]) // 2
    return Cat(
        pick(low, [value[:half] for value in values]),
        pick(high, [value[half:] for value in values]),
    )
