"""Who goes before whom, kept as rows of bits."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.tags import tags_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.carry_save import carry_save
from mcos_hw.primitive.select import modular_less, set_below

__all__ = ["PairOrder"]


class PairOrder(wiring.Component):
    """Order of the heads of all tenants, by finish tag and by start tag.

    The results of all comparisons are kept, so that a choice compares nothing. Only the tags of a
    head that is new change anything: that of the tenant granted in this clock (``following``, his
    next request) and that of a tenant whose queue was empty (``entering``). Each of the two is
    compared with every head in its clock, and the results are in force from the next one on: those
    of ``following`` in the rows themselves; those of ``entering``, which come later, stand for what
    the rows have for one clock before they take its place. Comparators grow with the number of
    tenants, not with its square. Each pair is kept twice, in the rows of both: whoever chooses
    looks along a row.

    Equal finish tags go to the lower tenant. Equal start tags are told as such. What it says of
    tags that are too far apart for the modular scale means nothing.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    heads : In(ArrayLayout(tags_layout, tenants))
        Tags of the heads.
    granted : In(tenants)
        Whose head leaves in this clock, at most one.
    again : In(1)
        It is that of the clock before.
    belows : In(ArrayLayout(tenants, 2))
        Bit j: that tenant is lower than j. The first counts unless ``again``, the second one if
        ``again``; likewise of the next ones.
    followings : In(ArrayLayout(tags_layout, 2))
        Tags of the request behind it, ``following``.
    entry : In(tenants)
        Whose queue gets ``entering``, at most one.
    enters : In(tenants)
        The same if it becomes the head there, else nobody. Not meant for ``granted`` unless nothing
        follows there.
    entering_start, entering_cost : In(tag_width)
        Start tag of that request, and s / w: its finish tag is their sum.
    by_finish, by_start, same_start : Out(ArrayLayout(tenants, tenants))
        Bit j of element i: the head of i goes before that of j. The diagonal means nothing.
    following_by_finish, following_by_start, following_same_start : Out(tenants)
        Bit j: ``following`` goes before the head of j.
    """

    heads: data.View
    granted: Signal
    again: Signal
    belows: data.View
    followings: data.View
    entry: Signal
    enters: Signal
    entering_start: Signal
    entering_cost: Signal
    by_finish: data.View
    by_start: data.View
    same_start: data.View
    following_by_finish: Signal
    following_by_start: Signal
    following_same_start: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        tags = tags_layout(config)
        matrix = data.ArrayLayout(config.tenants, config.tenants)
        super().__init__(
            {
                "heads": In(data.ArrayLayout(tags, config.tenants)),
                "granted": In(config.tenants),
                "again": In(1),
                "belows": In(data.ArrayLayout(config.tenants, 2)),
                "followings": In(data.ArrayLayout(tags, 2)),
                "entry": In(config.tenants),
                "enters": In(config.tenants),
                "entering_start": In(config.tag_width),
                "entering_cost": In(config.tag_width),
                "by_finish": Out(matrix),
                "by_start": Out(matrix),
                "same_start": Out(matrix),
                "following_by_finish": Out(config.tenants),
                "following_by_start": Out(config.tenants),
                "following_same_start": Out(config.tenants),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)

        def before(left, right, tie):
            """Whether ``left`` is before ``right`` on the modular scale, or equal and ``tie``."""
            return (Cat(Const(0, 1), left) - Cat(tie, right))[len(left)]

        def sum_before(first, second, right, tie):
            """The same for a sum as the left side, with one chain of carries for both."""
            width = len(right)
            terms, carries = carry_save(first, second, ~right, width)
            return (terms + Cat(~tie, carries[1:]))[width - 1]

        heads = [self.heads[j] for j in tenants]
        # Whether it becomes a head comes late, and matters to nobody before the next clock.
        enters_lower = set_below(self.entry)

        # Which of two it is that follows is known as late as their tags: both are compared.
        def either(unless_again, if_again):
            return [Mux(self.again, *both) for both in zip(if_again, unless_again, strict=True)]

        def follows_as(following, below):
            return (
                Cat(before(following.finish, heads[j].finish, below[j]) for j in tenants),
                Cat(modular_less(following.start, heads[j].start) for j in tenants),
                Cat(following.start == heads[j].start for j in tenants),
            )

        followings = [self.followings[k] for k in range(2)]
        follows = [self.following_by_finish, self.following_by_start, self.following_same_start]
        answers = either(*(follows_as(followings[k], self.belows[k]) for k in range(2)))
        m.d.comb += [told.eq(answer) for told, answer in zip(follows, answers, strict=True)]

        # The entering head meets the one that follows, not the one that leaves.
        start, cost = self.entering_start, self.entering_cost

        def enters(other, tie):
            return (
                sum_before(start, cost, other.finish, tie),
                modular_less(start, other.start),
                start == other.start,
            )

        def meets(following):
            if_higher = sum_before(start, cost, following.finish, Const(0, 1))
            return (if_higher, *enters(following, Const(1, 1)))

        # Who of these two is lower is known late.
        lower = (enters_lower & self.granted).any()
        first_if_higher, first_if_lower, *meeting = either(*map(meets, followings))
        meeting = [Mux(lower, first_if_lower, first_if_higher), *meeting]
        entering = [
            [Mux(self.granted[j], met, new) for met, new in zip(meeting, news, strict=True)]
            for j, news in enumerate(enters(head, enters_lower[j]) for j, head in enumerate(heads))
        ]

        # What this clock found, in force from the next one on.
        found = data.ArrayLayout(config.tenants, 3)
        had_entered = Signal(config.tenants)
        entered = data.View(found, Signal(found, name="entered"))
        m.d.sync += [
            had_entered.eq(self.enters),
            entered.eq(Cat(Cat(news) for news in zip(*entering, strict=True))),
        ]

        # Rows change in the row of a new head and in its column; an entering one comes last.
        def moved(row, i, who, news, column):
            told = (row & ~who) | Mux(column[i], who, 0)
            return Mux(who[i], news, told)

        for name, matrix, kind, seen_from_others in (
            ("finish_before", self.by_finish, 0, lambda news: ~news[0]),
            ("before", self.by_start, 1, lambda news: ~news[1] & ~news[2]),
            ("same", self.same_start, 2, lambda news: news[2]),
        ):
            entrant, follower = seen_from_others(entered), seen_from_others(follows)
            for i in tenants:
                kept = Signal(config.tenants, name=f"{name}_{i}")
                m.d.comb += matrix[i].eq(moved(kept, i, had_entered, entered[kind], entrant))
                m.d.sync += kept.eq(moved(matrix[i], i, self.granted, follows[kind], follower))
        return m
