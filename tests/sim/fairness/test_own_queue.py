"""Own queues, against their definition request by request."""

import numpy as np

from mcos_sim.fairness.own_queue import own_queue
from mcos_sim.scenario import TenantResult


def _tenant(sizes, offered, completed) -> TenantResult:
    empty = np.zeros(0, dtype=np.int64)
    return TenantResult(
        name="a",
        tag=0,
        sizes=np.asarray(sizes, dtype=np.int64),
        offered=np.asarray(offered, dtype=np.int64),
        taken=empty,
        granted=empty,
        classes=empty,
        completed=np.asarray(completed, dtype=np.int64),
        step_started=empty,
        step_ended=empty,
        bytes_granted=0,
    )


def test_requests_in_front_take_what_the_guarantee_says():
    # 64 B at 2 bytes a clock are 32 clocks: the second waits 22, the third 52 - 40 = 12 more.
    tenant = _tenant([64, 64, 64, 64], [0, 10, 52, 1000], [500, 500, 500, 1200])
    assert own_queue(tenant, 2).tolist() == [0, 22, 12, 0]


def test_it_is_at_most_the_latency():
    tenant = _tenant([64, 64, 64], [0, 0, 0], [5, 6, -1])
    assert own_queue(tenant, 2).tolist() == [0, 6, 64]


def test_random_requests_against_the_recurrence():
    rng = np.random.default_rng(1)
    sizes = 32 * rng.integers(1, 17, 1000)
    offered = np.cumsum(rng.integers(0, 400, 1000))
    end, expected = -np.inf, []
    for size, offer in zip(sizes, offered, strict=True):
        expected.append(max(0.0, end - offer))
        end = max(offer, end) + size / 1.7
    found = own_queue(_tenant(sizes, offered, offered + 10**9), 1.7)
    assert np.allclose(found, expected)
    assert found.max() > 1000


def test_nothing_was_offered():
    assert own_queue(_tenant([], [], []), 2).tolist() == []
