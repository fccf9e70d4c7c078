"""The same prefix hits as another simulator of KV caches, where the definitions are the same."""

import numpy as np
import pytest

from mcos_sim.residency.accesses import Accesses
from mcos_sim.residency.names import Policy
from mcos_sim.residency.replay import AT_ARRIVAL, replay
from tests.sim.residency.made import conversations

pytest.importorskip("kvcache_sim", reason="kvcache-simulator is not installed")

from kvcache_sim.plan import ExecutionPlan, build_execution_plan
from kvcache_sim.policies import simulate_ceiling, simulate_policy
from kvcache_sim.trace import TraceData


def _plan(accesses: Accesses) -> ExecutionPlan:
    """Every block as one token; the second half of the requests is measured."""
    return build_execution_plan(
        TraceData(
            ids=accesses.blocks.tolist(),
            tokens=[1] * len(accesses),
            request_starts=accesses.offsets.tolist(),
            block_size=1,
            request_count=accesses.requests,
            unique_raw_blocks=accesses.distinct,
            total_input_tokens=len(accesses),
            average_input_tokens=len(accesses) / accesses.requests,
            parse_errors=0,
            skipped_records=0,
        ),
        warmup_fraction=0.5,
    )


def _prefix_hits(accesses: Accesses, policy: Policy, frames: int) -> int:
    """Ours of the second half."""
    there = replay(accesses, policy, frames).marks & AT_ARRIVAL != 0
    hits = 0
    for request in range(accesses.requests // 2, accesses.requests):
        own = there[accesses.offsets[request] : accesses.offsets[request + 1]]
        hits += len(own) if own.all() else int(np.argmin(own))
    return hits


@pytest.mark.parametrize("frames", [50, 400])
def test_fifo(frames: int) -> None:
    made = conversations(700)
    theirs = simulate_policy(_plan(made), "fifo", frames)
    assert theirs.measurementMode == "fixed_window"
    assert theirs.hitTokens == _prefix_hits(made, Policy.FIFO, frames) > 0


def test_a_cache_that_evicts_nothing() -> None:
    made = conversations(700)
    theirs = simulate_ceiling(_plan(made))
    assert theirs.hitTokens == _prefix_hits(made, Policy.LRU, made.distinct)
