"""Rows of a result and the leaves of its settings."""

import pytest

from mcos_sim.report.rows import RUNS, flatten, rows
from tests.sim.report.sample import result


def test_rows_go_tenant_by_tenant_and_run_by_run():
    runs = list(RUNS)
    assert [(row.tenant, row.run) for row in rows(result(), "loaded")] == [
        *(("prefill", run) for run in runs[1:]),
        *((tenant, run) for tenant in ("decode-a", "decode-b", "decode-c") for run in runs),
    ]


def test_latency_is_in_clocks_and_microseconds_and_over_alone():
    found = {(row.tenant, row.run): row for row in rows(result(), "loaded")}
    row = found["decode-b", "fcfs"]

    assert (row.p50_clocks, row.p99_clocks) == (135_000, 150_000)
    assert (row.p50_us, row.p99_us) == (168.75, 187.5)  # 800 clocks are a microsecond
    assert row.over_alone == 5.0
    assert found["decode-b", "alone"].over_alone == 1.0
    assert (row.share, row.target_share, row.steps) == (0.231, 0.234, 345)


def test_a_tenant_without_steps_has_no_latency():
    row = next(row for row in rows(result(), "saturated") if row.run == "mcos")
    assert row.tenant == "prefill"
    assert (row.p50_clocks, row.p50_us, row.p99_us, row.over_alone) == (None,) * 4


@pytest.mark.parametrize(
    ("value", "leaves"),
    [
        ({"a": {"b": 1, "c": "x"}}, [("a.b", "1"), ("a.c", "x")]),
        ({"a": [1, 2.5]}, [("a", "1, 2.5")]),
        ({"a": [{"b": 1}, {"b": 2}]}, [("a[0].b", "1"), ("a[1].b", "2")]),
        ({"a": None, "b": {}}, [("a", "None")]),
    ],
)
def test_flatten(value, leaves):
    assert list(flatten(value)) == leaves
