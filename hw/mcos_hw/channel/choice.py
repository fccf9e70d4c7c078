"""Whose head is granted next."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.probe import NO_CLASS
from mcos_hw.channel.select import pick, set_below
from mcos_hw.config import ChannelConfig

__all__ = ["Choice"]


_NOBODY = 7
"""The last rank. 0 is a promoted head; 1, 3, 5 are the candidates of the classes, 2, 4, 6 the other
heads of theirs."""


class Choice(wiring.Component):
    """Chooses the grant of the next clock.

    The head of least rank is chosen; among candidates that with the least F, stale ones before all
    others and in the order of tenants; among other heads that with the least S, among equals the
    least F. While ``overcommitted`` is set a tenant's priority goes before F.

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
        Order of the heads, see :class:`mcos_hw.channel.order.PairOrder`.
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
    below : Out(tenants)
        Bit j: a tenant lower than j is granted.
    then : Out(tenants)
        Who is granted in the next clock, if anybody is and it is not ``granted`` again.
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
    below: Signal
    then: Signal
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
                "below": Out(config.tenants),
                "then": Out(config.tenants),
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
        for i in tenants:
            m.d.sync += priorities[i].eq(Mux(self.overcommitted, self.priorities[i], 0))
            for j in tenants:
                if i != j:
                    m.d.sync += prior[i][j].eq(
                        self.overcommitted & (self.priorities[i] < self.priorities[j])
                    )

        ranks = [Signal(3, name=f"rank_{i}") for i in tenants]
        serviceable = Signal(config.tenants)
        for i in tenants:
            code = self.class_codes[i]
            rank = Mux(self.promote[i] & (code != NO_CLASS), 0, _rank(code, self.reached[i]))
            m.d.comb += [
                ranks[i].eq(Mux(self.present[i], rank, _NOBODY)),
                serviceable[i].eq(self.present[i] & ~self.granted[i] & (code != NO_CLASS)),
            ]

        # The tenant granted now takes no part as a head; who that is comes last.
        best = Signal(config.tenants)
        for i in tenants:
            first = []
            for j in tenants:
                if i == j:
                    continue
                finish_first = prior[i][j] | (~prior[j][i] & self.by_finish[i][j])
                among_equals = Mux(
                    ranks[i][0],
                    _among_candidates(self.stale[i], self.stale[j], int(i < j), finish_first),
                    _among_others(self.by_start[i][j], self.same_start[i][j], finish_first),
                )
                first.append(_goes_first(ranks[i], ranks[j], among_equals) | self.granted[j])
            m.d.comb += best[i].eq(serviceable[i] & Cat(first).all())

        fresh = Signal(config.tenants)
        others = Signal()
        m.d.comb += [
            fresh.eq(
                self.fresh & ~self.granted & Cat(self.class_codes[i] != NO_CLASS for i in tenants)
            ),
            others.eq(serviceable.any()),
            self.then.eq(Mux(others, best, fresh)),
        ]

        # The one that follows the granted head against the best of the others.
        follows = Signal()
        goes_first = Signal()
        priority = pick(self.granted, priorities)
        finish_first = Cat(
            (priority < priorities[i]) | ((priority == priorities[i]) & self.next_by_finish[i])
            for i in tenants
        )
        finish_first = (best & finish_first).any()
        best_rank = pick(best, ranks)
        if_reached = _goes_first(
            _rank(self.next_class_code, Const(1, 1)),
            best_rank,
            _among_candidates(
                self.next_stale,
                (best & self.stale).any(),
                (best & self.below).any(),
                finish_first,
            ),
        )
        if_not = _goes_first(
            _rank(self.next_class_code, Const(0, 1)),
            best_rank,
            _among_others(
                (best & self.next_by_start).any(),
                (best & self.next_same_start).any(),
                finish_first,
            ),
        )
        m.d.comb += [
            follows.eq(self.next_present & (self.next_class_code != NO_CLASS)),
            goes_first.eq(~others | Mux(self.next_reached, if_reached, if_not)),
        ]

        chosen = Signal(config.tenants)
        was_granted = Signal(config.tenants)
        m.d.sync += [
            was_granted.eq(self.granted),
            chosen.eq(self.then & self.open_then.replicate(config.tenants)),
            self.again.eq(self.open_then & follows & goes_first),
            self.grant.eq(self.open_then & (follows | others | fresh.any())),
        ]
        m.d.comb += [
            self.granted.eq(Mux(self.again, was_granted, chosen)),
            self.below.eq(Mux(self.again, set_below(was_granted), set_below(chosen))),
            self.candidates.eq(Cat(rank[0] & (rank != _NOBODY) for rank in ranks) & ~self.granted),
        ]
        return m


def _rank(class_code, reached):
    """Rank of a head that is not promoted."""
    return Mux(class_code == NO_CLASS, _NOBODY, Cat(~reached, class_code) + 1)


def _goes_first(rank, other_rank, among_equals):
    """Whether a head goes before another one."""
    return (rank < other_rank) | ((rank == other_rank) & among_equals)


def _among_candidates(stale, other_stale, lower, finish_first):
    return Mux(stale, ~other_stale | lower, ~other_stale & finish_first)


def _among_others(start_first, same_start, finish_first):
    return start_first | (same_start & finish_first)
