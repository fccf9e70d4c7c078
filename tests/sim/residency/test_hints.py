import dataclasses

import numpy as np
import pytest

from mcos_sim.residency.accesses import (
    accesses_of,
    alone,
    conversations,
    dealt,
    flooded,
    generated,
)
from mcos_sim.residency.hints import told
from mcos_sim.residency.layout import NO_HINT, NO_USE
from mcos_sim.residency.names import Hints, Policy
from mcos_sim.residency.replay import replay
from mcos_sim.shared import shared_path
from mcos_sim.traffic.trace import read_trace
from tests.sim.residency.made import accesses

CONVERSATION = shared_path("traces", "mooncake", "conversation_trace.jsonl")

HALF_WRONG = (Hints.SWAPPED, Hints.NOISE, Hints.MISSING)


def test_exact_hints_count_the_accesses_of_their_tenant() -> None:
    made = dataclasses.replace(
        accesses([[1, 2], [3, 1], [2]], tenants=[0, 1, 0]), names=("one", "other")
    )
    hints = told(made, Hints.EXACT).distances
    assert hints is not None
    # Block 1 comes again in an access of the other tenant, one access of its own later.
    assert hints.tolist() == [1, 1, NO_USE, NO_USE, NO_USE]


@pytest.mark.parametrize("hints", HALF_WRONG)
def test_a_fifth_of_the_hints_is_wrong(hints: Hints) -> None:
    made = generated("sessions", requests=2000, seed=1)
    right, said = told(made, Hints.EXACT).distances, told(made, hints, seed=3).distances
    assert right is not None
    assert said is not None
    wrong = np.mean(right != said)
    # Some that are swapped, or scaled by little, are right all the same.
    assert 0.08 < wrong < 0.21
    assert (np.count_nonzero(said == NO_HINT) > 0) == (hints is Hints.MISSING)


def test_a_liar_lies_and_the_others_say_nothing() -> None:
    made = generated("sessions", requests=300, seed=1)
    said = told(made, Hints.LYING, liars=frozenset([2])).distances
    assert said is not None
    tenants = np.repeat(made.tenants, np.diff(made.offsets))
    assert np.array_equal(said != NO_HINT, tenants == 2)


def test_turns_follow_the_last_block_that_is_known() -> None:
    made = accesses([[0, 1, 2], [0, 5], [0, 1, 3, 4], [0, 1, 3, 6, 7], [0, 5, 8]])
    turns, begun = conversations(made)
    assert turns.tolist() == [1, 1, 2, 3, 2]
    assert begun.tolist() == [0, 1, 0, 0, 1]
    assert dealt(made, 2).tenants.tolist() == [0, 1, 0, 0, 1]


def test_hints_are_worth_as_much_as_they_are_right() -> None:
    made = generated("agents", requests=3000, seed=1)
    most = replay(made, Policy.OPTIMUM, 1000).hit_rate
    none = replay(made, Policy.DENSITY, 1000).hit_rate
    found = {
        hints: replay(made, Policy.COMBINED, 1000, hints=told(made, hints)).hit_rate
        for hints in (Hints.EXACT, *HALF_WRONG, Hints.LYING)
    }
    assert found[Hints.EXACT] >= 0.95 * most
    for hints in HALF_WRONG:
        assert max(0.75 * most, none) <= found[hints] < found[Hints.EXACT]
    assert found[Hints.LYING] >= none - 0.01


def test_a_calendar_of_exact_hints_is_nearly_the_optimum() -> None:
    made = alone(generated("agents", requests=3000, seed=1), 1)
    most = replay(made, Policy.OPTIMUM, 400).hit_rate
    exact = replay(made, Policy.NEXT_USE, 400, hints=told(made, Hints.EXACT)).hit_rate
    assert 0.99 * most <= exact <= most
    lying = replay(made, Policy.NEXT_USE, 400, hints=told(made, Hints.LYING)).hit_rate
    assert lying < replay(made, Policy.DENSITY, 400).hit_rate


@pytest.mark.parametrize("kind", ["sessions", "agents"])
def test_neither_flood_nor_liar_takes_from_a_quota(kind: str) -> None:
    made = generated(kind, requests=4000, seed=2)
    frames, victim = 1000, 1
    quotas = dict.fromkeys(range(5), frames // 5)
    before = replay(made, Policy.DENSITY, frames, quotas=quotas).tenant_rates()[victim]
    own = replay(alone(made, victim), Policy.DENSITY, frames // 5).hit_rate
    assert before == pytest.approx(own, abs=0.01)
    flood = replay(flooded(made, blocks=30), Policy.DENSITY, frames, quotas=quotas)
    assert flood.tenant_rates()[victim] == pytest.approx(before, abs=0.01)
    lies = told(made, Hints.LYING, liars=frozenset([0]))
    lied = replay(made, Policy.COMBINED, frames, quotas=quotas, hints=lies)
    assert lied.tenant_rates()[victim] == pytest.approx(before, abs=0.01)
    # Without quotas or a table, the flood would be felt.
    lru = [replay(each, Policy.LRU, frames) for each in (made, flooded(made, blocks=30))]
    assert lru[1].tenant_rates()[victim] < lru[0].tenant_rates()[victim] - 0.03


def test_a_low_priority_leaves_more_to_the_others() -> None:
    made = generated("sessions", requests=4000, seed=2)
    even = replay(made, Policy.DENSITY, 1000).tenant_rates()
    low = replay(made, Policy.DENSITY, 1000, priorities={0: 3}).tenant_rates()
    assert low[0] < even[0] - 0.02
    assert all(low[tenant] > even[tenant] for tenant in (1, 2, 3))


@pytest.mark.skipif(CONVERSATION is None, reason="the conversation trace is not in ../shared")
def test_real_conversations_reach_the_goals_of_hints() -> None:
    assert CONVERSATION is not None
    made = accesses_of(read_trace(CONVERSATION))
    for frames in (1000, 20000):
        most = replay(made, Policy.OPTIMUM, frames).hit_rate
        none = replay(made, Policy.DENSITY, frames).hit_rate
        for hints, goal in (
            (Hints.EXACT, 0.95 * most),
            (Hints.SWAPPED, max(0.75 * most, none)),
            (Hints.NOISE, max(0.75 * most, none)),
            (Hints.MISSING, max(0.75 * most, none)),
            (Hints.LYING, none - 0.01),
        ):
            found = replay(made, Policy.COMBINED, frames, hints=told(made, hints))
            assert found.hit_rate >= goal, hints
