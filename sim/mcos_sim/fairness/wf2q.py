"""WF2Q+ in exact numbers: whom the textbook would grant at the clocks of a run's grants.

Bennett and Zhang, "Hierarchical Packet Fair Queueing Algorithms" (SIGCOMM 1996), with virtual time
as docs/arbiter.md moves it: ``V' = max(V, S) + s / W`` with every grant, S of the granted head.
"""

from collections import deque
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from mcos_hw.config import UPDATE_CLOCKS, ChannelConfig
from mcos_sim.scenario import RunResult

__all__ = [
    "compact_order",
    "textbook_order",
]


def textbook_order(result: RunResult, weights: Mapping[int, Fraction]) -> np.ndarray:
    """Tenants that WF2Q+ grants, one for each grant of the run, at its clock.

    The textbook serves the run's own requests: each in the clock in which the channel took it, and
    one whenever the channel granted one, whoever that was. A request takes part from the second
    clock after it was taken on, in the first only where nobody else waits: that is how long a
    channel with L = 0 takes to look at it. Nothing is rounded.

    Parameters
    ----------
    result : RunResult
        Of any engine; all requests of one class.
    weights : Mapping[int, Fraction]
        w_i by tag.

    Returns
    -------
    numpy.ndarray
        Shape (grants,): tags in the order of clocks.
    """
    total = sum(weights.values())
    clocks = np.sort(np.concatenate([tenant.granted for tenant in result.tenants]))
    arrivals = sorted(
        (int(clock), tenant.tag, int(size))
        for tenant in result.tenants
        for clock, size in zip(tenant.taken, tenant.sizes, strict=False)
    )
    queues: dict[int, deque[tuple[int, Fraction, int]]] = {
        tenant.tag: deque() for tenant in result.tenants
    }
    finish = {tag: Fraction(0) for tag in queues}
    left = dict.fromkeys(queues, -1)
    time = Fraction(0)
    order = []
    position = 0

    def arrive(until: int) -> None:
        """Requests that were taken up to a clock: their start is told from V after its grant."""
        nonlocal position
        while position < len(arrivals) and arrivals[position][0] <= until:
            clock, tag, size = arrivals[position]
            # A head that leaves in this clock is still before it.
            follows = queues[tag] or left[tag] == clock
            start = finish[tag] if follows else max(finish[tag], time)
            finish[tag] = start + Fraction(size) / weights[tag]
            queues[tag].append((clock, start, size))
            position += 1

    for granted in clocks.tolist():
        arrive(granted - 1)
        heads = {tag: queue[0] for tag, queue in queues.items() if queue}
        known = {tag: head for tag, head in heads.items() if head[0] <= granted - 2} or heads
        reached = {tag: head for tag, head in known.items() if head[1] <= time}

        def by_finish(tag: int, known: dict = known) -> tuple[Fraction, int]:
            _, start, size = known[tag]
            return start + Fraction(size) / weights[tag], tag

        if reached:
            tag = min(reached, key=by_finish)
        else:
            tag = min(known, key=lambda each: (known[each][1], *by_finish(each)))
        _, start, size = queues[tag].popleft()
        left[tag] = granted
        time = max(time, start) + Fraction(size) / total
        order.append(tag)
    return np.array(order, dtype=np.int64)


_WAY_CLOCKS = 2
"""Clocks from the one in which a request is taken to the one in which it enters its queue."""


def compact_order(
    result: RunResult, weights: Mapping[int, Fraction], config: ChannelConfig
) -> np.ndarray:
    """The same where the channel is compact: heads are looked at some clocks before a grant.

    Order and tags are the textbook's. When a request may be granted is by docs/compact.md: behind a
    granted head it has its tags ``UPDATE_CLOCKS`` later; in an empty queue it waits for its turn,
    lowest tag first, one a clock, in no clock with a grant or after one, and has its tags as many
    clocks after that, with V of the clock after its turn. A grant is among those that had tags
    ``look_clocks`` before.

    Parameters
    ----------
    result : RunResult
        Of any engine; all requests of one class.
    weights : Mapping[int, Fraction]
        w_i by tag.
    config : ChannelConfig
        Sizes.

    Returns
    -------
    numpy.ndarray
        Shape (grants,): tags in the order of clocks.
    """
    total = sum(weights.values())
    grants = set(np.concatenate([tenant.granted for tenant in result.tenants]).tolist())
    arrivals: dict[int, list[tuple[int, int]]] = {}
    for tenant in result.tenants:
        for clock, size in zip(tenant.taken.tolist(), tenant.sizes.tolist(), strict=False):
            arrivals.setdefault(clock + _WAY_CLOCKS, []).append((tenant.tag, size))
    queues: dict[int, deque[int]] = {tenant.tag: deque() for tenant in result.tenants}
    start = dict.fromkeys(queues, Fraction(0))
    finish = dict.fromkeys(queues, Fraction(0))
    # Clock from which the head has its tags.
    tagged = dict.fromkeys(queues, 0)
    waiting: set[int] = set()
    time = seen = Fraction(0)
    last = -UPDATE_CLOCKS
    made = None
    order = []

    def give_tags(tag: int, begin: Fraction, clock: int) -> None:
        start[tag], finish[tag] = begin, begin + Fraction(queues[tag][0]) / weights[tag]
        tagged[tag] = clock

    for clock in range(max(grants, default=-1) + 1):
        if clock == last + UPDATE_CLOCKS:
            seen = time
        if made is not None:
            give_tags(made, max(finish[made], seen), clock + UPDATE_CLOCKS - 1)
            made = None
        granted = None
        if clock in grants:
            known = [
                tag
                for tag, queue in queues.items()
                if queue and tag not in waiting and tagged[tag] <= clock - config.look_clocks
            ]
            reached = [tag for tag in known if start[tag] <= time]
            if reached:
                granted = min(reached, key=lambda tag: (finish[tag], tag))
            else:
                granted = min(known, key=lambda tag: (start[tag], finish[tag], tag))
            order.append(granted)
            time = max(time, start[granted]) + Fraction(queues[granted].popleft()) / total
        elif waiting and clock != last + 1:
            made = min(waiting)
            waiting.remove(made)
            # Not to be granted before its tags are made.
            tagged[made] = clock + UPDATE_CLOCKS
        for tag, size in arrivals.get(clock, ()):
            if not queues[tag] and tag != granted:
                waiting.add(tag)
            queues[tag].append(size)
        if granted is not None:
            last = clock
            if queues[granted]:
                give_tags(granted, finish[granted], clock + UPDATE_CLOCKS)
    return np.array(order, dtype=np.int64)
