"""Accesses that tests make."""

import numpy as np

from mcos_sim.residency.accesses import Accesses

__all__ = [
    "accesses",
    "conversations",
]


def accesses(requests: list[list[int]], tenants: list[int] | None = None) -> Accesses:
    """Accesses of requests given by their blocks."""
    flat = [block for request in requests for block in request]
    numbers = {block: number for number, block in enumerate(dict.fromkeys(flat))}
    return Accesses(
        name="made",
        blocks=np.array([numbers[block] for block in flat], np.int32),
        offsets=np.cumsum([0, *map(len, requests)], dtype=np.int64),
        tenants=np.array(tenants or [0] * len(requests), np.uint8),
        distinct=len(numbers),
    )


def conversations(requests: int, seed: int = 1) -> Accesses:
    """Conversations of several turns, each of which repeats the blocks of the one before."""
    rng = np.random.default_rng(seed)
    made: list[list[int]] = []
    live: list[list[int]] = []
    unused = 1
    for _ in range(requests):
        place = int(rng.integers(0, 40))
        before = live[place][:-1] if place < len(live) and rng.random() < 0.7 else [0]
        count = int(rng.integers(1, 9))
        request = [*before, *range(unused, unused + count)]
        unused += count
        made.append(request)
        if place < len(live):
            live[place] = request
        else:
            live.append(request)
    return accesses(made)
