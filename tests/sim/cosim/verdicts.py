"""What a finished run must satisfy, whatever the arbiter."""

import itertools

import numpy as np

from mcos_sim.cosim.testbench import Testbench


def require_served(bench: Testbench) -> None:
    """Every request was granted once, in its tenant's order, and answered in the memory's order.

    What each grant carried, the bench's checker has compared.
    """
    answers = []
    for requester in bench.requesters:
        granted = bench.checker.granted[requester.tag]
        assert len(granted) == len(requester.offered), requester.stream.name
        assert min(requester.completed, default=0) >= 0, requester.stream.name
        assert not requester.pending
        answers += zip(granted, requester.completed, requester.offered, strict=True)
    answers.sort()
    for before, after in itertools.pairwise(answers):
        assert before[0] < after[0], f"two grants in clock {after[0]}"
        assert before[1] < after[1], f"grants {before} and {after} were answered out of order"
    assert all(offered < granted < answered for granted, answered, offered in answers)


def in_flight_peak(bench: Testbench) -> int:
    """Most bytes that were granted and not yet served in any clock."""
    changes: dict[int, int] = {}
    for requester in bench.requesters:
        granted = bench.checker.granted[requester.tag]
        rows = zip(granted, requester.completed, requester.sizes, strict=False)
        for grant, answer, size in rows:
            changes[grant + 1] = changes.get(grant + 1, 0) + size
            if answer >= 0:
                changes[answer + 1] = changes.get(answer + 1, 0) - size
    return int(np.cumsum([changes[clock] for clock in sorted(changes)]).max())


def bytes_granted(bench: Testbench, first: int, end: int) -> dict[int, int]:
    """Bytes granted to each tag in clocks ``first`` to ``end``, the last excluded."""
    return {
        requester.tag: sum(
            size
            for clock, size in zip(
                bench.checker.granted[requester.tag], requester.sizes, strict=False
            )
            if first <= clock < end
        )
        for requester in bench.requesters
    }


def grants(bench: Testbench) -> list[tuple[int, int, int]]:
    """All grants in order: clock, tag, position in the tenant's stream."""
    return sorted(
        (clock, tag, position)
        for tag, clocks in bench.checker.granted.items()
        for position, clock in enumerate(clocks)
    )
