"""Runs of the model keep their promises, and the checker sees it when they do not."""

import dataclasses

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.experiments.promises import WEIGHTS, Promises, measure_promises
from mcos_sim.fairness.check import check_bounds
from mcos_sim.scenario import RunResult, TenantResult


@pytest.mark.slow
@pytest.mark.parametrize("lateness", [0, 3])
def test_the_model_keeps_its_promises(lateness):
    config = ChannelConfig(lateness=lateness)
    found = measure_promises(config, runs=16, clocks=100_000, epochs=1)
    assert found.kept, found
    # The bound is not one that anything would keep.
    assert found.wfi_worst_bytes > found.wfi_bound_bytes / 4


GOOD = Promises(
    cycles=1,
    wfi_worst_bytes=1.0,
    wfi_bound_bytes=2.0,
    wfi_violations=0,
    delay_violations=0,
    delay_worst=0.5,
    max_share_error=0.0005,
    share_bound=0.001,
    depth1_share=0.95,
)


@pytest.mark.parametrize(
    "broken",
    [
        {"wfi_violations": 1},
        {"delay_violations": 1},
        {"max_share_error": 0.0011},
        {"depth1_share": 0.949},
    ],
)
def test_one_broken_promise_is_enough(broken):
    assert GOOD.kept
    assert not dataclasses.replace(GOOD, **broken).kept


def test_a_tenant_that_is_passed_over_breaks_both_bounds():
    config = ChannelConfig()
    grants = 2_000

    def tenant(tag, granted):
        count = len(granted)
        zeros = np.zeros(count, dtype=np.int64)
        return TenantResult(
            name=str(tag),
            tag=tag,
            sizes=np.full(count, 512, dtype=np.int64),
            offered=zeros,
            taken=zeros,
            granted=np.asarray(granted, dtype=np.int64),
            classes=zeros,
            completed=zeros,
            bytes_granted=512 * count,
            step_started=zeros[:0],
            step_ended=zeros[:0],
        )

    clocks = 10 + 8 * np.arange(grants)
    tenants = (tenant(0, clocks[:-10]), tenant(1, clocks[-10:]))
    result = RunResult(clocks=int(clocks[-1]) + 1, tenants=tenants, channels=(), seconds=1.0)
    weights = dict(enumerate(WEIGHTS[:2]))
    served, passed_over = check_bounds(result, weights, config)
    assert served.wfi_holds
    assert served.delay_holds
    assert not passed_over.wfi_holds
    assert not passed_over.delay_holds
