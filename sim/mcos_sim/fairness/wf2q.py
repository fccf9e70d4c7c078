"""WF2Q+ in exact numbers: whom the textbook would grant at the clocks of a run's grants.

Bennett and Zhang, "Hierarchical Packet Fair Queueing Algorithms" (SIGCOMM 1996), with virtual time
as docs/arbiter.md moves it: ``V' = max(V, S) + s / W`` with every grant, S of the granted head.
"""

from collections import deque
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from mcos_sim.scenario import RunResult

__all__ = ["textbook_order"]


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
