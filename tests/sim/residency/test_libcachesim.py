"""Access by access the same hits as another simulator, where the definitions are the same."""

import numpy as np
import pytest

from mcos_sim.residency.accesses import NO_NEXT, Accesses, next_uses
from mcos_sim.residency.names import Policy
from mcos_sim.residency.optimum import optimum
from mcos_sim.residency.replay import replay
from tests.sim.residency.made import conversations

libcachesim = pytest.importorskip("libcachesim", reason="libcachesim is not installed")

FRAMES = (20, 137)

_NEVER = np.iinfo(np.int64).max


def _theirs(cache: object, accesses: Accesses, following: np.ndarray | None = None) -> np.ndarray:
    request = libcachesim.Request(obj_size=1, op=libcachesim.ReqOp.OP_GET)
    marks = np.zeros(len(accesses), np.uint8)
    for position, block in enumerate(accesses.blocks.tolist()):
        request.obj_id = block + 1
        request.clock_time = position
        if following is not None:
            request.next_access_vtime = following[position]
        marks[position] = cache.get(request)
    return marks


@pytest.mark.parametrize("frames", FRAMES)
@pytest.mark.parametrize("policy", [Policy.LRU, Policy.FIFO, Policy.S3_FIFO])
def test_online_policies(policy: Policy, frames: int) -> None:
    kinds = {
        Policy.LRU: libcachesim.LRU,
        Policy.FIFO: libcachesim.FIFO,
        Policy.S3_FIFO: libcachesim.S3FIFO,
    }
    made = conversations(800)
    ours = replay(made, policy, frames).marks & 1
    assert 0 < ours.mean() < 0.9
    assert np.array_equal(ours, _theirs(kinds[policy](frames, hashpower=12), made))


@pytest.mark.parametrize("frames", FRAMES)
def test_the_optimum_that_takes_everything_in(frames: int) -> None:
    """Theirs takes every block in; ours with bypass has no other that is exact."""
    made = conversations(800)
    following = next_uses(made).astype(np.int64)
    following = np.where(following == NO_NEXT, _NEVER, following + 1)
    theirs = _theirs(libcachesim.Belady(frames, hashpower=12), made, following)
    assert np.array_equal(optimum(made, frames, bypass=False), theirs)
