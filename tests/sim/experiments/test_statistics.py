"""What a run says about a tenant, on runs small enough to count by hand."""

import numpy as np
import pytest

from mcos_sim.experiments.statistics import (
    bytes_between,
    grants_between,
    step_latencies,
    step_percentiles,
)
from mcos_sim.scenario import TenantResult


def tenant(*, steps=(), granted=(), sizes=()):
    def column(values):
        return np.array(values, dtype=np.int64)

    return TenantResult(
        name="a",
        tag=0,
        sizes=column(sizes),
        offered=column([0] * len(sizes)),
        granted=column(granted),
        taken=column([0] * len(granted)),
        classes=column([0] * len(granted)),
        completed=column([-1] * len(sizes)),
        bytes_granted=sum(sizes[: len(granted)]),
        step_started=column([start for start, _ in steps]),
        step_ended=column([end for _, end in steps]),
    )


STEPS = ((0, 50), (99, 500), (100, 130), (200, 260), (300, -1))


def test_latencies_leave_out_the_warm_up_and_what_has_not_ended():
    assert step_latencies(tenant(steps=STEPS), first=100).tolist() == [30, 60]
    assert step_latencies(tenant(steps=STEPS), first=0).tolist() == [50, 401, 30, 60]


@pytest.mark.parametrize(
    ("count", "p50", "p99"),
    # Nearest rank: the least latency that half, or 99 %, of the steps stay at or under.
    [(1, 1, 1), (2, 1, 2), (3, 2, 3), (99, 50, 99), (100, 50, 99), (101, 51, 100), (200, 100, 198)],
)
def test_percentiles_are_latencies_that_occurred(count, p50, p99):
    latencies = np.random.default_rng(count).permutation(np.arange(1, count + 1))
    steps = [(7, 7 + latency) for latency in latencies]
    row = step_percentiles(tenant(steps=steps), first=0)
    assert row == {"steps": count, "p50_clocks": p50, "p99_clocks": p99}
    assert all(type(value) is int for value in row.values())


def test_no_steps_have_no_percentiles():
    row = step_percentiles(tenant(steps=STEPS), first=1_000)
    assert row == {"steps": 0, "p50_clocks": None, "p99_clocks": None}


def test_bytes_and_grants_of_an_interval():
    t = tenant(granted=(3, 10, 11, 20), sizes=(32, 64, 128, 256, 512, 512))
    assert (bytes_between(t, 10, 20), grants_between(t, 10, 20)) == (192, 2)
    assert (bytes_between(t, 10, 21), grants_between(t, 10, 21)) == (448, 3)
    assert (bytes_between(t, 0, 100), grants_between(t, 0, 100)) == (480, 4)
    assert (bytes_between(t, 21, 100), grants_between(t, 21, 100)) == (0, 0)
