"""How a tenant was served, read from what a run found."""

import pytest

from mcos_policy.objectives import Verdict
from mcos_sim.report.served import Outcome, Served
from tests.sim.report.run_sample import best_effort, idle, late, tenant

WORST = tenant("a")["worst"]


@pytest.mark.parametrize(
    ("found", "outcome", "status"),
    [
        (tenant("a"), Outcome.KEPT, "kept"),
        (tenant("a", violations=1), Outcome.LATE, "1 late"),
        (tenant("a", violations=1_234), Outcome.LATE, "1,234 late"),
        (tenant("a", slo_clocks=None), Outcome.NO_OBJECTIVE, "no SLO"),
        (best_effort("a"), Outcome.NO_OBJECTIVE, "best effort"),
        (best_effort("a", slo_clocks=10**6), Outcome.KEPT, "kept"),
        (idle("a"), Outcome.NO_REQUESTS, "no requests"),
        (tenant("a", latency_clocks=None), Outcome.NO_ANSWERS, "no answers"),
        # Requests that were not answered are late once their time is over.
        (tenant("a", latency_clocks=None, violations=3), Outcome.LATE, "3 late"),
    ],
)
def test_outcome(found, outcome: Outcome, status: str):
    served = Served.of(found)
    assert (served.outcome, served.status) == (outcome, status)


def test_a_promise_is_known_by_the_verdicts_text():
    verdicts = {verdict: Served.of(tenant("a", verdict=verdict.value)) for verdict in Verdict}
    assert [verdict for verdict, each in verdicts.items() if each.promised] == [Verdict.HOLDS]


@pytest.mark.parametrize(
    ("worst", "parts"),
    [
        (WORST, (80, 760, 120)),
        # Its own requests took longer than it waited for its grant: burst bandwidth moved them.
        (WORST | {"own_queue_clocks": 900}, (900, 0, 60)),
        (WORST | {"own_queue_clocks": 2_000}, (960, 0, 0)),
        (WORST | {"own_queue_clocks": 0}, (0, 840, 120)),
        # The run ended before its grant, or its response.
        (WORST | {"granted": None, "completed": None}, (80, 880, 0)),
        (WORST | {"completed": None}, (80, 760, 120)),
    ],
)
def test_parts_of_the_slowest_request_sum_up_to_its_latency(worst, parts):
    slowest = Served.of(late("a", worst=worst)).slowest
    assert slowest is not None
    assert (slowest.own_queue, slowest.fabric, slowest.memory) == parts
    assert sum(parts) == slowest.latency
