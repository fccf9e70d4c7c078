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

    Every head has a rank, and the head of least rank is chosen::

        rank     head
        0        promoted
        1 or 2   conforming; 1 if virtual time has reached its S
        3 or 4   burst; 3 if reached
        5 or 6   scavenging; 5 if reached
        7        none, or one without a class, even if it is promoted

    Heads of rank 1, 3 or 5 are *candidates*. Candidates of equal rank: stale heads go first, lowest
    tenant first; then the head with the least F. Heads of equal even rank: the least S goes first,
    of equal S the least F. Equal F go to the lowest tenant. While ``overcommitted`` is set, the
    priority of the tenant is compared just before F; the lower number goes first.

    Three requests may be chosen. The *best* head of the tenants that are not granted in this clock
    is known early, because the order of those is in registers. The *following* request, which is
    behind the head granted in this clock, is compared with the best head in this clock. That
    decides one bit: whether its tenant is granted ``again``, instead of ``chosen``. The *entering*
    request that becomes a head is chosen only if neither of the two can be granted, and if its
    tenant is not granted in this clock.

    :class:`mcos_hw.channel.arbiter.wf2q.wfq.WfqArbiter` shows these words in a timing diagram.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    open_then : In(1)
        Pacer, slots and port let a grant be made in the next clock.
    overcommitted, priorities : In
        Of the live image: whether priorities count, and the priority of each tenant, 0 to 15; 0
        goes first.
    present : In(tenants)
        Which tenants have a head.
    fresh : In(tenants)
        Tenant of the entering request if that becomes the head, one-hot, or 0.
    class_codes : In(ArrayLayout(2, tenants))
        :class:`mcos_hw.registers.GrantClass` of each head, of an empty queue that of the entering
        request; NO_CLASS (3) if it waits for tokens.
    promote : In(tenants)
        Tenant of the promoted head, one-hot, or 0.
    reached : In(tenants)
        Whether virtual time has reached S of each head; always if the head is stale.
    stale : In(tenants)
        Whether each head is stale.
    order : In(ArrayLayout(precedence_layout, tenants))
        How the head of each tenant compares with the other heads.
    following : In(following_layout)
        The following request.
    turn : Out(turn_layout)
        The grant of this clock.
    candidates : Out(tenants)
        Heads of rank 1, 3 or 5: of all classes, stale or not, but not promoted. The head that is
        granted in this clock is left out.
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

        # ``ranks[k]`` has bit k of the rank of every tenant, so that one rank is compared with all
        # others by a few operations on vectors.
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

        # The best head of the tenants that are not granted: it goes before all others of them.
        # ``finish_first`` is by priority, then by F. The constant has the tenants that i is below.
        # ``granted`` is behind a multiplexer and comes late, so it is used last.
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

        # Who is granted unless ``again``: the best head, or a fresh one if nobody else has any.
        fresh = Signal(config.tenants)
        others = Signal()
        then = Signal(config.tenants)
        m.d.comb += [
            fresh.eq(self.fresh & ~granted & has_class),
            others.eq(serviceable.any()),
            then.eq(Mux(others, best, fresh)),
        ]

        # The following request against the best head.
        follows = Signal()
        before_all = self._before_each(m, ranks, pick(granted, priorities), priorities, below)
        goes_first = Mux(self.following.reached, *((best & each).any() for each in before_all))
        m.d.comb += follows.eq(self.following.present & (self.following.class_code != NO_CLASS))

        # The grant of the next clock. ``chosen`` and ``again`` select tags, with a wire to every
        # bit of them, so each has four copies, which share this fan-out. ``turn_layout`` says what
        # each is for; ``again_order`` goes to PairOrder.
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
        """Add registers of each tenant's priority and of how it compares with those of all tenants.

        Returns
        -------
        priorities : list[Signal]
            Priority of each tenant.
        prior, level : list[Signal]
            Bit j of element i: the priority of tenant i goes before that of tenant j; is equal to
            it. While ``overcommitted`` is not set, all tenants have 0 and are level.
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
        """Before which heads the following request goes: if V has reached its S, and if not.

        Whether V has reached it, and ``by_finish`` of it, come as late as the best head. So both
        results are made, and what ``by_finish`` decides is made for either value of it.
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

        first_anyway = goes_first(1, among_reached(prior_to))
        first_if_by_finish = goes_first(1, among_reached(prior_to | level_with))
        rank_less = goes_first(0, Const(0, self.config.tenants))
        rank_not_more = goes_first(0, Const(-1, unsigned(self.config.tenants)))
        among_others = _among_others(
            following.order.by_start,
            following.order.same_start,
            prior_to | (level_with & following.order.by_finish),
        )
        if_reached = Signal(self.config.tenants, name="first_if_reached")
        if_not = Signal(self.config.tenants, name="first_if_not")
        m.d.comb += [
            if_reached.eq(first_anyway | (first_if_by_finish & following.order.by_finish)),
            if_not.eq(rank_less | (rank_not_more & among_others)),
        ]
        return if_reached, if_not


def _bits(values, width):
    """Element k of the result has bit k of each value."""
    return [Cat(value[k] for value in values) for k in range(width)]


def _compare(left, right):
    """Which numbers of ``left`` are less than those of ``right``, and which are equal.

    Both are given as :func:`_bits` has them.
    """
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
    """Whether a head goes before another one; ``among_equals`` says it for equal ranks."""
    less, equal = _compare(rank, other_rank)
    return less | (equal & among_equals)


def _among_candidates(stale, other_stale, below, finish_first):
    """For equal odd ranks. ``below``: this tenant has the lower number."""
    return (stale & below) | (~other_stale & (stale | finish_first))


def _among_others(start_first, same_start, finish_first):
    """For equal even ranks."""
    return start_first | (same_start & finish_first)
