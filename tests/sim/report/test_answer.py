"""The sentences on top of a run's report: which objective was kept, which not and why."""

import pytest

from mcos_sim.report.answer import answer
from tests.sim.report.run_sample import best_effort, found, idle, late, tenant

KEPT = "chat keeps 2 µs: its slowest of 12,345 requests took 1.2 µs (promised: 1.4 µs)."
LATE = (
    "search is late 17 times in 20,000 requests (SLO 2 µs): 4.2 µs of the 5.1 µs of its slowest "
    "are in its own queue; it asks for 180 GB/s and is promised 100."
)


def test_the_late_ones_come_first_then_those_in_time_then_the_idle_ones():
    assert answer(found()) == f"{LATE} {KEPT} docs asked for nothing."


@pytest.mark.parametrize(
    ("one", "changed", "said"),
    [
        # Kept.
        (
            tenant("a", verdict="not promised", bound_clocks=2_000),
            {},
            "(but only 2.5 µs are promised).",
        ),
        (tenant("a", bound_clocks=None, verdict="not promised"), {}, "(nothing is promised)."),
        (tenant("a"), {"arbiter": "fcfs"}, "(MCOS promises 1.4 µs)."),
        # Late by its own queue alone.
        (late("a"), {}, "it asks for 180 GB/s and is promised 100."),
        (late("a", asked_gbps=101.9), {}, "own queue; it asks in bursts."),
        (
            late("a", traffic="backlogged"),
            {},
            "own queue; it asks for all there is and is promised 100 GB/s.",
        ),
        (late("a", asked_gbps=102.1), {}, "asks for 102.1 GB/s and is promised 100."),
        (late("a", violations=1, violations_own_queue=1), {}, "a is late once in 20,000 requests"),
        (
            best_effort("a", slo_clocks=1_600.0, violations=5, violations_own_queue=5),
            {},
            (
                "all 75 µs of its slowest are in its own queue; it is best effort and is promised "
                "nothing."
            ),
        ),
        # Late beside it.
        (
            late("a", violations_own_queue=16),
            {},
            (
                "1.4 µs are promised to what keeps to the guarantee, and it went beyond; 16 of "
                "them are late by its own queue alone, as it asks"
            ),
        ),
        (
            late(
                "a",
                violations_own_queue=0,
                breaches=17,
                promised_clocks={"p99": 1_200, "max": 2_000},
            ),
            {},
            (
                "1.4 µs are promised and up to 2.5 µs were taken beside its own queue, so the "
                "promise is broken."
            ),
        ),
        (
            late("a", violations_own_queue=0, verdict="not promised", bound_clocks=4_000),
            {},
            "(SLO 2 µs): the contract promises only 5 µs.",
        ),
        (
            late("a", violations_own_queue=0, verdict="impossible"),
            {},
            "an idle channel takes longer.",
        ),
        (
            late("a", violations_own_queue=0),
            {"arbiter": "round-robin"},
            "(SLO 2 µs). round robin keeps no contract.",
        ),
        (
            best_effort("a", slo_clocks=1_600.0, violations=5),
            {},
            "requests (SLO 2 µs): it is best effort and is promised nothing.",
        ),
        (
            late("a", violations_own_queue=0, bound_clocks=None, verdict=None),
            {},
            "promised no latency",
        ),
        # Nothing to be judged.
        (idle("a"), {}, "a asked for nothing."),
        (
            tenant("a", latency_clocks=None, worst=None),
            {},
            "None of the 12,345 requests of a was answered.",
        ),
        (best_effort("a", latency_clocks=None), {}, "of a was answered: it is best effort."),
        (
            tenant("a", slo_clocks=None, verdict=None),
            {},
            (
                "No tenant has an SLO; the slowest request, one of a, took 1.2 µs, 100 ns of them "
                "in its own queue, and the channel is 97 % full."
            ),
        ),
        (
            best_effort("a"),
            {},
            "one of a, took 75 µs, all of it in its own queue, and the channel is 97 % full.",
        ),
        (idle("a", slo_clocks=None), {}, "No tenant has an SLO; the channel is 97 % full."),
    ],
)
def test_it_says_why(one, changed, said: str):
    assert said in answer(found(one, **changed))


def test_up_to_three_tenants_have_a_sentence_each():
    told = answer(found(late("x"), tenant("a"), tenant("b")))
    assert told.startswith("x is late 17 times")
    assert "a keeps 2 µs: its slowest" in told
    assert "b keeps 2 µs: its slowest" in told


def test_of_more_the_one_that_is_late_most_often_has_one():
    told = answer(found(late("x"), late("y", violations=18), late("z"), tenant("a")))
    assert told.startswith("1 of 4 tenants keeps its SLO. y is late 18 times in 20,000 requests")
    assert told.endswith("x and z are late too.")
    assert "a keeps" not in told

    told = answer(found(*(late(name) for name in "abcde")))
    assert told.startswith("None of 5 tenants keep their SLO. a is late 17 times")
    assert told.endswith("4 tenants are late too.")


def test_where_all_are_in_time_the_closest_is_told():
    near = tenant("near", latency_clocks={"p50": 1, "p99": 2, "max": 1_592})
    told = answer(found(tenant("a"), near, tenant("b"), tenant("c")))
    assert told == (
        "All 4 tenants keep their SLO; the closest is near, whose slowest of 12,345 requests took "
        "1.99 µs of 2 µs."
    )


def test_a_broken_promise_is_told_also_where_the_objective_is_kept():
    broken = tenant("a", breaches=3, promised_clocks={"p99": 600, "max": 1_200})
    told = answer(found(broken))
    assert "3 requests of a took longer than the 1.4 µs that are promised beside" in told
    assert "its own queue, up to 1.5 µs." in told
    assert "promised beside" not in answer(found(broken, arbiter="fcfs"))
    assert "promised beside" not in answer(found(tenant("a")))
    # Where it is late, that is said already.
    assert "promised beside" not in answer(found(late("a", violations_own_queue=0, breaches=17)))
    assert "1 request of a took longer" in answer(found(tenant("a", breaches=1)))
