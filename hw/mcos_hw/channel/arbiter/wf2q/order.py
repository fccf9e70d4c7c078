"""Who goes before whom, kept as rows of bits."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.structs import precedence_layout, tags_layout, turn_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.carry_save import carry_save
from mcos_hw.primitive.select import modular_less, set_below

__all__ = ["PairOrder"]


class PairOrder(wiring.Component):
    """Keeps the order of all heads, by finish tag and by start tag.

    The result of every comparison of two heads is in a register, so that a choice compares nothing.
    Two heads that stay keep their order; only the tags of a new head change it:

    - The *following* request, which is behind the head granted in this clock, is the head of that
      tenant from the next clock on. Results for it go into the rows of registers at the clock edge.
    - The *entering* request becomes the head of a queue that is empty in the next clock. Results
      for it come late, so they are registered. In the next clock they bypass the rows, and are
      written to them at its end.

    Each of the two is compared with every head in its clock. Comparators grow with the number of
    tenants, not with its square. Each pair is kept twice, in the rows of both tenants, because the
    choice reads along a row.

    The result for two tags that are half of the modular scale apart or more means nothing.

    :class:`mcos_hw.channel.arbiter.wf2q.wfq.WfqArbiter` defines ``again``, following and entering.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    heads : In(ArrayLayout(tags_layout, tenants))
        Tags of the heads.
    turn : In(turn_layout)
        The grant of this clock.
    followings : In(ArrayLayout(tags_layout, 2))
        Tags of the following request, [0] unless ``again``, [1] if ``again``.
    entry : In(tenants)
        Tenant of the entering request, one-hot, or 0.
    enters : In(tenants)
        ``entry`` if that request becomes the head, else 0. It is the granted tenant only if no
        request is behind the head that leaves.
    entering_start, entering_cost : In(tag_width)
        S of the entering request, and s / w; their sum is its F.
    order : Out(ArrayLayout(precedence_layout, tenants))
        How the head of each tenant compares with the others. Bit i of element i means nothing.
    following : Out(precedence_layout)
        How the following request compares with the heads.
    """

    heads: data.View
    turn: data.View
    followings: data.View
    entry: Signal
    enters: Signal
    entering_start: Signal
    entering_cost: Signal
    order: data.View
    following: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        tags = tags_layout(config)
        precedence = precedence_layout(config)
        super().__init__(
            {
                "heads": In(data.ArrayLayout(tags, config.tenants)),
                "turn": In(turn_layout(config)),
                "followings": In(data.ArrayLayout(tags, 2)),
                "entry": In(config.tenants),
                "enters": In(config.tenants),
                "entering_start": In(config.tag_width),
                "entering_cost": In(config.tag_width),
                "order": Out(data.ArrayLayout(precedence, config.tenants)),
                "following": Out(precedence),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
        granted, again = self.turn.granted, self.turn.again_order
        heads = [self.heads[j] for j in tenants]
        followings = [self.followings[k] for k in range(2)]

        def before(left, right, tie):
            """Whether ``left`` is before ``right`` on the modular scale, or equal and ``tie``."""
            return (Cat(Const(0, 1), left) - Cat(tie, right))[len(left)]

        def sum_before(first, second, right, tie):
            """The same for a sum as the left side, with one chain of carries for both."""
            width = len(right)
            terms, carries = carry_save(first, second, ~right, width)
            return (terms + Cat(~tie, carries[1:]))[width - 1]

        # ``again`` drives many multiplexers and comes late, so both elements of ``followings`` are
        # compared.
        def either(unless_again, if_again):
            return [Mux(again, *both) for both in zip(if_again, unless_again, strict=True)]

        def follows_as(following, below):
            return (
                Cat(before(following.finish, heads[j].finish, below[j]) for j in tenants),
                Cat(modular_less(following.start, heads[j].start) for j in tenants),
                Cat(following.start == heads[j].start for j in tenants),
            )

        follows = either(*(follows_as(followings[k], self.turn.belows[k]) for k in range(2)))
        m.d.comb += self.following.eq(Cat(follows))

        # The entering request. It is compared whether or not it becomes a head, which is known late
        # and matters from the next clock on only. Of the granted tenant it is compared with the
        # following request, not with the head that leaves. Equal finish tags go to the entering
        # request if its tenant has the lower number.
        start, cost = self.entering_start, self.entering_cost
        lower_than = set_below(self.entry)

        def enters(other, tie):
            return (
                sum_before(start, cost, other.finish, tie),
                modular_less(start, other.start),
                start == other.start,
            )

        def meets(following):
            if_higher = sum_before(start, cost, following.finish, Const(0, 1))
            return (if_higher, *enters(following, Const(1, 1)))

        first_if_higher, first_if_lower, *starts = either(*map(meets, followings))
        lower = (lower_than & granted).any()
        meeting = [Mux(lower, first_if_lower, first_if_higher), *starts]
        entering = [
            [Mux(granted[j], met, new) for met, new in zip(meeting, news, strict=True)]
            for j, news in enumerate(enters(head, lower_than[j]) for j, head in enumerate(heads))
        ]
        found = data.ArrayLayout(config.tenants, 3)
        had_entered = Signal(config.tenants)
        entered = data.View(found, Signal(found, name="entered"))
        m.d.sync += [
            had_entered.eq(self.enters),
            entered.eq(Cat(Cat(news) for news in zip(*entering, strict=True))),
        ]

        # The rows. A new head changes its own row, and its column in the rows of the others.
        def moved(row, i, who, news, column):
            changed = (row & ~who) | Mux(column[i], who, 0)
            return Mux(who[i], news, changed)

        for name, kind, seen_from_others in (
            ("by_finish", 0, lambda news: ~news[0]),
            ("by_start", 1, lambda news: ~news[1] & ~news[2]),
            ("same_start", 2, lambda news: news[2]),
        ):
            entrant, follower = seen_from_others(entered), seen_from_others(follows)
            for i in tenants:
                kept = Signal(config.tenants, name=f"{name}_{i}")
                row = Signal(config.tenants, name=f"{name}_now_{i}")
                m.d.comb += [
                    row.eq(moved(kept, i, had_entered, entered[kind], entrant)),
                    self.order[i][name].eq(row),
                ]
                m.d.sync += kept.eq(moved(row, i, granted, follows[kind], follower))
        return m
