import itertools

import numpy as np
import pytest

from mcos_sim.residency.accesses import accesses_of, generated
from mcos_sim.residency.names import Policy
from mcos_sim.residency.optimum import optimum
from mcos_sim.residency.replay import Setting, replay
from mcos_sim.shared import shared_path
from mcos_sim.traffic.trace import read_trace
from tests.sim.residency.made import accesses, conversations

CONVERSATION = shared_path("traces", "mooncake", "conversation_trace.jsonl")


def _most_hits(blocks: tuple[int, ...], frames: int) -> int:
    """The most hits of any choice, by trying all of them."""
    reached = {frozenset(): 0}
    for block in blocks:
        following: dict[frozenset, int] = {}
        for held, hits in reached.items():
            if block in held:
                choices, now = [held], hits + 1
            else:
                kept = [held - {each} for each in held] if len(held) == frames else [held]
                choices, now = [held, *(each | {block} for each in kept)], hits
            for choice in choices:
                following[choice] = max(following.get(choice, 0), now)
        reached = following
    return max(reached.values())


def test_the_optimum_is_what_trying_everything_finds() -> None:
    rng = np.random.default_rng(5)
    for frames, _ in itertools.product((1, 2, 3), range(25)):
        blocks = tuple(rng.integers(0, 6, 14).tolist())
        made = accesses([list(blocks)])
        assert optimum(made, frames).sum() == _most_hits(blocks, frames)


def test_the_optimum_that_takes_everything_in_never_has_more_hits() -> None:
    made = conversations(400)
    for frames in (1, 20, 100):
        assert optimum(made, frames, bypass=False).sum() <= optimum(made, frames).sum()


@pytest.mark.parametrize("policy", list(Policy))
def test_a_cache_that_holds_everything_misses_first_accesses_only(policy: Policy) -> None:
    made = conversations(300)
    outcome = replay(made, policy, made.distinct)
    first = np.unique(made.blocks, return_index=True)[1]
    assert np.array_equal(np.flatnonzero(outcome.marks & 1 == 0), np.sort(first))


@pytest.mark.parametrize("policy", [each for each in Policy if each is not Policy.OPTIMUM])
def test_no_policy_beats_the_optimum_or_holds_more_than_its_frames(policy: Policy) -> None:
    made = conversations(600)
    for frames in (1, 7, 64):
        hits = np.count_nonzero(replay(made, policy, frames).marks & 1)
        assert hits <= optimum(made, frames).sum()


def test_a_prefix_ends_at_the_first_block_that_is_not_resident() -> None:
    made = accesses([[1, 2], [1, 3, 2], [4, 1]])
    outcome = replay(made, Policy.LRU, 4)
    assert outcome.hit_rate == pytest.approx(3 / 7)
    assert outcome.prefix_hit_rate == pytest.approx(1 / 7)


@pytest.mark.parametrize(
    ("frames", "quotas", "complaint"),
    [
        (0, None, "frames must be 1 or more, not 0"),
        (5, {0: 3, 1: 3}, "quotas must be at most the 5 frames together, not 6"),
    ],
)
def test_what_cannot_be_is_refused(frames: int, quotas: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"^{complaint}$"):
        replay(conversations(3), Policy.DENSITY, frames, quotas=quotas)


def test_ends_of_prompts_that_leave_first_keep_prefixes_whole() -> None:
    made = generated("agents", requests=2500, seed=1)
    plain = replay(made, Policy.DENSITY, 1000)
    kept = replay(made, Policy.DENSITY, 1000, setting=Setting(suffix_steps=4))
    assert kept.prefix_hit_rate > plain.prefix_hit_rate + 0.005
    assert kept.hit_rate > plain.hit_rate - 0.01


@pytest.mark.skipif(CONVERSATION is None, reason="the conversation trace is not in ../shared")
def test_real_conversations_reach_the_goals_of_hit_rates() -> None:
    assert CONVERSATION is not None
    made = accesses_of(read_trace(CONVERSATION))
    for frames, goal, lru, best in (
        (1000, 0.080, 0.045, 0.191),
        (5000, 0.165, 0.110, 0.341),
        (20000, 0.300, 0.288, 0.366),
    ):
        assert replay(made, Policy.DENSITY, frames).hit_rate >= goal
        assert replay(made, Policy.LRU, frames).hit_rate == pytest.approx(lru, abs=6e-4)
        assert optimum(made, frames).mean() == pytest.approx(best, abs=6e-4)
