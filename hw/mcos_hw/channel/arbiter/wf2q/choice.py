"""Whose head is granted next."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.structs import (
    following_layout,
    precedence_layout,
    turn_layout,
)
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.primitive.replicated import Replicated
from mcos_hw.primitive.select import pick, set_below, spread

__all__ = ["Choice"]


class Choice(wiring.Component):
    """Chooses the grant of the next clock.

    Every head has a rank: 0 for a promoted head, 1, 3 and 5 for the candidates of the three
    classes, 2, 4 and 6 for the other heads of each class, 7 for none. A candidate is a head whose S
    virtual time has reached. The head of least rank is chosen. Among candidates of a class, stale
    heads go first, in the order of tenants; then the head with the least F. Among other heads of a
    class, the one with the least S goes first, and among equals the one with the least F. While
    ``overcommitted`` is set, a tenant's priority goes before F.

    The choice is between two tenants. One is the best of those that are not granted in this clock;
    their order is in registers, so it is known early (``then``). The other is the tenant that is
    granted in this clock, if a *following* request is behind its head. The tags of that request are
    compared in this clock, and decide only one bit: whether that tenant is granted ``again``.

    A request that enters an empty queue is chosen only if no other request can be.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    open_then : In(1)
        A grant may be made in the next clock.
    overcommitted, priorities : In
        Live configuration.
    present : In(tenants)
        Which tenants have a head.
    fresh : In(tenants)
        Whose queue a request enters as its head, at most one.
    class_codes : In(ArrayLayout(2, tenants))
        Classes of heads, or of entering requests; NO_CLASS if one has to wait.
    promote : In(tenants)
        Promoted heads, at most one.
    reached, stale : In(tenants)
        Whose S virtual time has reached; whose head is stale, which counts as reached.
    order : In(ArrayLayout(precedence_layout, tenants))
        How the head of each tenant compares with the others.
    following : In(following_layout)
        The following request.
    turn : Out(turn_layout)
        The grant of this clock.
    candidates : Out(tenants)
        Heads that are candidates of their class, but for the granted one.
    """

    open_then: Signal
    overcommitted: Signal
    priorities: data.View
    present: Signal
    fresh: Signal
    class_codes: data.View
    promote: Signal
    reached: Signal
    stale: Signal
    order: data.View
    following: data.View
    turn: data.View
    candidates: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "open_then": In(1),
                "overcommitted": In(1),
                "priorities": In(data.ArrayLayout(4, config.tenants)),
                "present": In(config.tenants),
                "fresh": In(config.tenants),
                "class_codes": In(data.ArrayLayout(2, config.tenants)),
                "promote": In(config.tenants),
                "reached": In(config.tenants),
                "stale": In(config.tenants),
                "order": In(data.ArrayLayout(precedence_layout(config), config.tenants)),
                "following": In(following_layout(config)),
                "turn": Out(turn_layout(config)),
                "candidates": Out(config.tenants),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
        granted = Signal(config.tenants)
        below = Signal(config.tenants)
        priorities, prior, level = self._priorities(m)

        # Of all ranks the bits of one place are one vector: a row of comparisons is a few words.
        codes = _bits(self.class_codes, 2)
        has_class = ~(codes[0] & codes[1])
        serviceable = Signal(config.tenants)
        ranks = [Signal(config.tenants, name=f"rank_bit_{k}") for k in range(3)]
        m.d.comb += [
            serviceable.eq(self.present & ~granted & has_class),
            *(
                bits.eq(~(self.present & has_class) | (bit & ~self.promote))
                for bits, bit in zip(ranks, _rank(codes, self.reached), strict=True)
            ),
        ]

        # The best of the other tenants: nobody else goes before it. Who is granted is known last.
        best = Signal(config.tenants)
        for i in tenants:
            row = self.order[i]
            finish_first = prior[i] | (level[i] & row.by_finish)
            among_equals = Mux(
                ranks[0][i],
                _among_candidates(
                    spread(self.stale[i], config.tenants),
                    self.stale,
                    Const(-2 << i, unsigned(config.tenants)),
                    finish_first,
                ),
                _among_others(row.by_start, row.same_start, finish_first),
            )
            own = [spread(bits[i], config.tenants) for bits in ranks]
            first = _goes_first(own, ranks, among_equals) | granted | (1 << i)
            m.d.comb += best[i].eq(serviceable[i] & first.all())

        fresh = Signal(config.tenants)
        others = Signal()
        then = Signal(config.tenants)
        m.d.comb += [
            fresh.eq(self.fresh & ~granted & has_class),
            others.eq(serviceable.any()),
            then.eq(Mux(others, best, fresh)),
        ]

        # The following request against the best one.
        follows = Signal()
        before_all = self._before_each(m, ranks, pick(granted, priorities), priorities, below)
        goes_first = Mux(self.following.reached, *((best & each).any() for each in before_all))
        m.d.comb += follows.eq(self.following.present & (self.following.class_code != NO_CLASS))

        # The grant of the next clock. Both registers select tags, with a wire to every bit of them:
        # that takes copies.
        m.submodules.chosen = chosen = Replicated(width=config.tenants, copies=4)
        m.submodules.again = again = Replicated(width=1, copies=4)
        grant = Signal()
        was_granted = Signal(config.tenants)
        belows = [set_below(chosen.copies[0]), set_below(was_granted)]
        m.d.comb += [
            chosen.value.eq(Mux(self.open_then, then, 0)),
            again.value.eq(self.open_then & follows & (~others | goes_first)),
            granted.eq(Mux(again.copies[0], was_granted, chosen.copies[0])),
            below.eq(Mux(again.copies[0], belows[1], belows[0])),
        ]
        m.d.sync += [
            grant.eq(self.open_then & (follows | others | fresh.any())),
            was_granted.eq(granted),
        ]
        turn = self.turn
        m.d.comb += [
            turn.grant.eq(grant),
            turn.granted.eq(granted),
            Cat(turn.again, turn.again_order, turn.again_finishes, turn.again_starts).eq(
                again.copies
            ),
            Cat(turn.chosen, turn.low_finishes, turn.low_starts, turn.highs).eq(chosen.copies),
            turn.belows.eq(Cat(belows)),
            self.candidates.eq(ranks[0] & ~(ranks[1] & ranks[2]) & ~granted),
        ]
        return m

    def _priorities(self, m):
        """Registers of each tenant's priority, of the tenants after it, and of those level with it.

        While ``overcommitted`` is not set, all tenants are level.
        """
        tenants = range(self.config.tenants)
        width = self.config.tenants
        priorities = [Signal(4, name=f"priority_{i}") for i in tenants]
        prior = [Signal(width, name=f"prior_{i}") for i in tenants]
        level = [Signal(width, init=(1 << width) - 1, name=f"level_{i}") for i in tenants]
        all_priorities = _bits(self.priorities, 4)
        for i in tenants:
            own = [spread(bit, width) for bit in self.priorities[i]]
            lower, equal = _compare(own, all_priorities)
            m.d.sync += [
                priorities[i].eq(Mux(self.overcommitted, self.priorities[i], 0)),
                prior[i].eq(Mux(self.overcommitted, lower, 0)),
                level[i].eq(equal | spread(~self.overcommitted, width)),
            ]
        return priorities, prior, level

    def _before_each(self, m, ranks, priority, priorities, below):
        """Before which heads the following request goes, if V has reached it, and if not.

        How its tags compare is known as late as the best head, so everything else is ready for
        either outcome.
        """
        following = self.following
        prior_to = Cat(priority < each for each in priorities)
        level_with = Cat(priority == each for each in priorities)

        def goes_first(reached, among_equals):
            rank = _rank(following.class_code, Const(reached, 1))
            own = [spread(bit, self.config.tenants) for bit in rank]
            return _goes_first(own, ranks, among_equals)

        def among_reached(finish_first):
            stale = spread(following.stale, self.config.tenants)
            return _among_candidates(stale, self.stale, below, finish_first)

        anyway = goes_first(1, among_reached(prior_to))
        by_finish = goes_first(1, among_reached(prior_to | level_with))
        by_class = goes_first(0, Const(0, self.config.tenants))
        by_start = goes_first(0, Const(-1, unsigned(self.config.tenants)))
        among_others = _among_others(
            following.order.by_start,
            following.order.same_start,
            prior_to | (level_with & following.order.by_finish),
        )
        if_reached = Signal(self.config.tenants, name="first_if_reached")
        if_not = Signal(self.config.tenants, name="first_if_not")
        m.d.comb += [
            if_reached.eq(anyway | (by_finish & following.order.by_finish)),
            if_not.eq(by_class | (by_start & among_others)),
        ]
        return if_reached, if_not


def _bits(values, width):
    """Of some values the lowest bits of all, then the next ones, and so on."""
    return [Cat(value[k] for value in values) for k in range(width)]


def _compare(left, right):
    """Which numbers are less and which are equal; both are given as :func:`_bits` has them."""
    less, equal = Const(0, len(left[0])), ~Const(0, len(left[0]))
    for left_bit, right_bit in zip(left, right, strict=True):
        same = ~(left_bit ^ right_bit)
        less = (~left_bit & right_bit) | (same & less)
        equal &= same
    return less, equal


def _rank(class_code, reached):
    """Bits of the rank of a head that has a class and is not promoted: 2 code + 2 - reached."""
    return [reached, ~(class_code[0] ^ reached), class_code[1] | (class_code[0] & ~reached)]


def _goes_first(rank, other_rank, among_equals):
    """Whether a head goes before another one."""
    less, equal = _compare(rank, other_rank)
    return less | (equal & among_equals)


def _among_candidates(stale, other_stale, lower, finish_first):
    return (stale & lower) | (~other_stale & (stale | finish_first))


def _among_others(start_first, same_start, finish_first):
    return start_first | (same_start & finish_first)
