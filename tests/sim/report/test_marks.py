"""Pass marks, tight on both sides."""

import copy

import pytest

from mcos_sim.report.marks import marks
from tests.sim.report.sample import result

LIMITS = [
    ("loaded", "FCFS p99 / alone", "ratios", "fcfs_over_alone", 4.0, 3.999),
    ("saturated", "FCFS p99 / alone", "ratios", "fcfs_over_alone", 4.0, 3.999),
    ("loaded", "MCOS p99 / alone", "ratios", "mcos_over_alone", 1.05, 1.051),
    ("saturated", "MCOS p99 / alone", "ratios", "mcos_over_alone", 1.15, 1.151),
    ("saturated", "prefill / target", "ratios", "prefill_of_target", 0.98, 0.979),
    ("loaded", "MCOS / FCFS utilisation", None, "mcos_utilisation_over_fcfs", 0.99, 0.989),
    ("saturated", "fewest decoder steps", "honesty", "fewest_decoder_steps", 300, 299),
    ("saturated", "prefill active", "honesty", "prefill_active", 0.5, 0.499),
    ("loaded", "guarantee / alone demand", "honesty", "guarantee_over_alone_demand", 1.0, 0.999),
    ("loaded", "alone uses enough", "honesty", "alone_utilisation", 0.70, 0.699),
    ("loaded", "alone uses no more", "honesty", "alone_utilisation", 0.75, 0.751),
    ("backlogged", "MCOS share error", None, "max_share_error_mcos", 0.01, 0.0101),
    ("backlogged", "grants", None, "grants", 100_000, 99_999),
]


def test_the_sample_passes_every_mark():
    found = marks(result())
    assert [mark.scope for mark in found] == [
        *["loaded"] * 9,
        *["saturated"] * 6,
        *["backlogged"] * 2,
    ]
    assert all(mark.passed for mark in found)


@pytest.mark.parametrize(("scope", "label", "part", "key", "good", "bad"), LIMITS)
def test_a_mark_passes_at_its_limit_and_fails_beyond(scope, label, part, key, good, bad):
    for value, passed in ((good, True), (bad, False)):
        changed = copy.deepcopy(result())
        place = changed[scope] if scope == "backlogged" else changed["scenarios"][scope]
        (place[part] if part else place)[key] = value
        verdicts = {(mark.scope, mark.label): mark.passed for mark in marks(changed)}
        assert verdicts.pop((scope, label)) is passed
        assert all(verdicts.values())


def test_marks_are_written_for_people():
    written = {mark.label: (mark.text, mark.rule) for mark in marks(result())}
    assert written["MCOS p99 / alone"] == ("1.010", "≤ 1.150")
    assert written["MCOS share error"] == ("0.42%", "≤ 1.00%")
    assert written["grants"] == ("123,456", "≥ 100,000")
