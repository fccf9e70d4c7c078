"""How many requests a second the HBM model serves."""

import time

import numpy as np

from mcos_sim.memory.hbm import Policy, Refresh, find_preset, serve
from mcos_sim.memory.hbm.mapping import bursts_of
from mcos_sim.stages import stage

__all__ = ["measure_memory_speeds"]


REQUESTS = 1_000_000
SIZE = 64
"""Bytes of a request: two bursts."""

_WRITES = 0.3


def measure_memory_speeds(*, scale: float = 1.0, seed: int = 1) -> dict[str, float]:
    """Requests of 64 B a second on HBM3, all offered at once, 64 places in each queue, refresh on.

    Parameters
    ----------
    scale : float
        Length of the runs; 1 is a million requests each.
    seed : int
        Seed of addresses and directions.

    Returns
    -------
    dict[str, float]
        ``sequential_req_per_s``, ``random_req_per_s`` and ``mixed_req_per_s`` (random, three in ten
        are writes); the better one of two runs.
    """
    preset = find_preset("hbm3")
    policy = Policy(queue_entries=64, refresh=Refresh.ALL_BANK, refresh_blocks_queues=True)
    count = max(1_000, round(REQUESTS * scale))
    rng = np.random.default_rng(seed)
    random = rng.integers(0, 1 << 24, count) * SIZE
    streams = {
        "sequential": bursts_of(np.arange(count) * SIZE, preset, size=SIZE),
        "random": bursts_of(random, preset, size=SIZE),
        "mixed": bursts_of(random, preset, size=SIZE, write=rng.random(count) < _WRITES),
    }
    serve(streams["mixed"][:100], preset, policy)  # compiled when it is first called
    found = {}
    for name, bursts in streams.items():
        seconds = []
        for _ in range(2):
            begun = time.perf_counter()
            with stage(name):
                serve(bursts, preset, policy)
            seconds.append(time.perf_counter() - begun)
        found[f"{name}_req_per_s"] = count / min(seconds)
    return found
