"""Whose head is granted next."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.tags import selects_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.primitive.replicated import Replicated
from mcos_hw.primitive.select import pick, set_below, spread

__all__ = ["Choice"]


class Choice(wiring.Component):
    """Chooses the grant of the next clock.

    Rank 0 is a promoted head, 1, 3 and 5 are the candidates of the classes, 2, 4 and 6 the other
    heads of theirs, 7 is nobody. The head of least rank is chosen; among candidates that with the
    least F, stale ones before all others and in the order of tenants; among other heads that with
    the least S, among equals the least F. While ``overcommitted`` is set a tenant's priority goes
    before F.

    First the best of the tenants that are not granted now, whose order is known (``then``), then
    whether the request behind the granted head goes before that one (``again``): what is compared
    in this clock comes last and decides one bit.

    A request that enters an empty queue takes part in its clock only if it is alone.

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
        Whose queue a request enters as its head.
    class_codes : In(ArrayLayout(2, tenants))
        Classes of heads, or of entering ones; NO_CLASS where one has to wait.
    promote : In(tenants)
        Heads of rank 0.
    reached, stale : In(tenants)
        Whose S virtual time has reached; whose is stale, which counts as reached.
    by_finish, by_start, same_start : In
        Order of the heads, see :class:`mcos_hw.channel.arbiter.wf2q.order.PairOrder`.
    next_present : In(1)
        A request follows the head granted in this clock.
    next_class_code, next_reached, next_stale : In
        The same of that request.
    next_by_finish, next_by_start, next_same_start : In(tenants)
        Its order against the heads.
    granted : Out(tenants)
        Whose head is granted in this clock, at most one.
    grant : Out(1)
        Whether one is.
    again : Out(1)
        It is the tenant of the clock before.
    belows : Out(ArrayLayout(tenants, 2))
        Bit j: a tenant lower than j is granted. The first holds unless ``again``, the second one
        if ``again``.
    chosen : Out(tenants)
        Whose head is granted in this clock, unless ``again``; nobody's where none may be.
    selects : Out(selects_layout)
        Copies of ``chosen``, to select tags with.
    candidates : Out(tenants)
        Heads that are candidates of their class.
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
    by_finish: data.View
    by_start: data.View
    same_start: data.View
    next_present: Signal
    next_class_code: Signal
    next_reached: Signal
    next_stale: Signal
    next_by_finish: Signal
    next_by_start: Signal
    next_same_start: Signal
    granted: Signal
    grant: Signal
    again: Signal
    belows: data.View
    chosen: Signal
    selects: data.View
    candidates: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        matrix = data.ArrayLayout(config.tenants, config.tenants)
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
                "by_finish": In(matrix),
                "by_start": In(matrix),
                "same_start": In(matrix),
                "next_present": In(1),
                "next_class_code": In(2),
                "next_reached": In(1),
                "next_stale": In(1),
                "next_by_finish": In(config.tenants),
                "next_by_start": In(config.tenants),
                "next_same_start": In(config.tenants),
                "granted": Out(config.tenants),
                "grant": Out(1),
                "again": Out(1),
                "belows": Out(data.ArrayLayout(config.tenants, 2)),
                "chosen": Out(config.tenants),
                "selects": Out(selects_layout(config)),
                "candidates": Out(config.tenants),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)

        # While not overcommitted all priorities count as equal.
        priorities = [Signal(4, name=f"priority_{i}") for i in tenants]
        prior = [Signal(config.tenants, name=f"prior_{i}") for i in tenants]
        everybody = (1 << config.tenants) - 1
        level = [Signal(config.tenants, init=everybody, name=f"level_{i}") for i in tenants]
        all_priorities = _bits(self.priorities, 4)
        for i in tenants:
            own = [spread(bit, config.tenants) for bit in self.priorities[i]]
            lower, equal = _compare(own, all_priorities)
            m.d.sync += [
                priorities[i].eq(Mux(self.overcommitted, self.priorities[i], 0)),
                prior[i].eq(Mux(self.overcommitted, lower, 0)),
                level[i].eq(equal | spread(~self.overcommitted, config.tenants)),
            ]

        # Of all ranks the bits of one place are one vector: a row of comparisons is a few words.
        codes = _bits(self.class_codes, 2)
        has_class = ~(codes[0] & codes[1])
        serviceable = Signal(config.tenants)
        ranks = [Signal(config.tenants, name=f"rank_bit_{k}") for k in range(3)]
        m.d.comb += [
            serviceable.eq(self.present & ~self.granted & has_class),
            *(
                bits.eq(~(self.present & has_class) | (bit & ~self.promote))
                for bits, bit in zip(ranks, _rank(codes, self.reached), strict=True)
            ),
        ]

        # The tenant granted now takes no part as a head; who that is comes last.
        best = Signal(config.tenants)
        for i in tenants:
            finish_first = prior[i] | (level[i] & self.by_finish[i])
            among_equals = Mux(
                ranks[0][i],
                _among_candidates(
                    spread(self.stale[i], config.tenants),
                    self.stale,
                    Const(-2 << i, unsigned(config.tenants)),
                    finish_first,
                ),
                _among_others(self.by_start[i], self.same_start[i], finish_first),
            )
            own = [spread(bits[i], config.tenants) for bits in ranks]
            first = _goes_first(own, ranks, among_equals) | self.granted | (1 << i)
            m.d.comb += best[i].eq(serviceable[i] & first.all())

        fresh = Signal(config.tenants)
        others = Signal()
        then = Signal(config.tenants)
        m.d.comb += [
            fresh.eq(self.fresh & ~self.granted & has_class),
            others.eq(serviceable.any()),
            then.eq(Mux(others, best, fresh)),
        ]

        # The one that follows the granted head against each of the others. How their tags compare
        # comes late, so there is an answer for either case of it; which of the others is the best
        # comes as late.
        follows = Signal()
        below = Signal(config.tenants)
        first_if_reached = Signal(config.tenants)
        first_if_not = Signal(config.tenants)
        priority = pick(self.granted, priorities)
        prior_to = Cat(priority < each for each in priorities)
        level_with = Cat(priority == each for each in priorities)

        def next_goes_first(reached, among_equals):
            rank = _rank(self.next_class_code, Const(reached, 1))
            own = [spread(bit, config.tenants) for bit in rank]
            return _goes_first(own, ranks, among_equals)

        def among_reached(finish_first):
            stale = spread(self.next_stale, config.tenants)
            return _among_candidates(stale, self.stale, below, finish_first)

        anyway = next_goes_first(1, among_reached(prior_to))
        by_finish = next_goes_first(1, among_reached(prior_to | level_with))
        by_class = next_goes_first(0, Const(0, config.tenants))
        by_start = next_goes_first(0, Const(-1, unsigned(config.tenants)))
        among_others = _among_others(
            self.next_by_start,
            self.next_same_start,
            prior_to | (level_with & self.next_by_finish),
        )
        m.d.comb += [
            follows.eq(self.next_present & (self.next_class_code != NO_CLASS)),
            first_if_reached.eq(best & (anyway | (by_finish & self.next_by_finish))),
            first_if_not.eq(best & (by_class | (by_start & among_others))),
        ]
        goes_first = Mux(self.next_reached, first_if_reached.any(), first_if_not.any())

        # Who is chosen also selects tags, with a wire to every bit of them: that takes copies.
        m.submodules.chosen = chosen = Replicated(width=config.tenants, copies=4)
        was_granted = Signal(config.tenants)
        m.d.comb += [
            chosen.value.eq(Mux(self.open_then, then, 0)),
            self.chosen.eq(chosen.copies[0]),
            self.selects.low_finishes.eq(chosen.copies[1]),
            self.selects.low_starts.eq(chosen.copies[2]),
            self.selects.highs.eq(chosen.copies[3]),
        ]
        m.d.sync += [
            was_granted.eq(self.granted),
            self.again.eq(self.open_then & follows & (~others | goes_first)),
            self.grant.eq(self.open_then & (follows | others | fresh.any())),
        ]
        m.d.comb += [
            self.granted.eq(Mux(self.again, was_granted, self.chosen)),
            self.belows.eq(Cat(set_below(self.chosen), set_below(was_granted))),
            below.eq(Mux(self.again, self.belows[1], self.belows[0])),
            self.candidates.eq(ranks[0] & ~(ranks[1] & ranks[2]) & ~self.granted),
        ]
        return m


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
