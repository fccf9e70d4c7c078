"""What a finished run must satisfy, whatever the arbiter."""

import itertools

import numpy as np

from tests.sim.cosim.recipes import Bench


def require_served(bench: Bench) -> None:
    """Every request was granted once, in its tenant's order, and answered in the memory's order.

    What each grant carried, the environment has compared.
    """
    answers = []
    for tenant in bench.tenants:
        granted = tenant.granted
        assert len(granted) == len(tenant.taken) == len(tenant.offered), tenant.name
        assert min(tenant.completed, default=0) >= 0, tenant.name
        answers += zip(
            granted.tolist(), tenant.completed.tolist(), tenant.offered.tolist(), strict=True
        )
    answers.sort()
    for before, after in itertools.pairwise(answers):
        assert before[0] < after[0], f"two grants in clock {after[0]}"
        assert before[1] < after[1], f"grants {before} and {after} were answered out of order"
    assert all(offered < granted < answered for granted, answered, offered in answers)


def in_flight_peak(bench: Bench) -> int:
    """Most bytes that were granted and not yet served in any clock."""
    changes: dict[int, int] = {}
    for tenant in bench.tenants:
        rows = zip(
            tenant.granted.tolist(),
            tenant.completed.tolist(),
            tenant.sizes.tolist(),
            strict=False,
        )
        for grant, answer, size in rows:
            changes[grant + 1] = changes.get(grant + 1, 0) + size
            if answer >= 0:
                changes[answer + 1] = changes.get(answer + 1, 0) - size
    return int(np.cumsum([changes[clock] for clock in sorted(changes)]).max())


def bytes_granted(bench: Bench, first: int, end: int) -> dict[int, int]:
    """Bytes granted to each tag in clocks ``first`` to ``end``, the last excluded."""
    return {
        tenant.tag: int(
            tenant.sizes[: len(tenant.granted)][
                (first <= tenant.granted) & (tenant.granted < end)
            ].sum()
        )
        for tenant in bench.tenants
    }


def grants(bench: Bench) -> list[tuple[int, int, int]]:
    """All grants in order: clock, tag, position in the tenant's stream."""
    return sorted(
        (clock, tag, position)
        for tag, clocks in bench.granted.items()
        for position, clock in enumerate(clocks)
    )
