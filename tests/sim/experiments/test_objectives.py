"""What a run says of promises: against the hardware's own monitor, and on cases made by hand."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, GrantClass
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.engines.dispatch import Engine, run_scenario
from mcos_sim.experiments.objectives import promise_figures, run_figures
from mcos_sim.experiments.prepare import Common, prepare_plan
from mcos_sim.experiments.run_words import (
    breach_sentence,
    objective_sentence,
    time_words,
)
from mcos_sim.memory.name import MemoryName
from mcos_sim.report.amounts import rounded
from mcos_sim.scenario import FIRST_CLOCK, RunResult, TenantResult

CONFIG = ChannelConfig()
KHZ = CONFIG.clock_khz
TRAFFIC = (
    "decode-a=steady:rate=300 GB/s,stop=20us,request=128B",
    "decode-b=closed:window=32,stop=20us",
    "decode-c=on-off:rate=400 GB/s,on=3us,off=7us,stop=20us",
)
COMMON = Common(
    name="mcos", arbiter=ArbiterKind.MCOS, seed=1, memory=MemoryName.SIMPLE, window=None
)


def compiled_with(folder: Path, slo: str, epoch: str = "75 us") -> Compiled:
    """The sample contract with another objective and epoch."""
    text = SAMPLES["decode-prefill"].read_text()
    text = text.replace('latency_slo = "25 us"', f'latency_slo = "{slo}"')
    path = folder / "c.toml"
    path.write_text(text.replace('epoch = "75 us"', f'epoch = "{epoch}"'))
    return compile_contract(path, CONFIG)


@pytest.mark.parametrize("slo", ["200 ns", "500 ns", "2 us"])
@pytest.mark.parametrize(
    "engine", [Engine.REFERENCE, pytest.param(Engine.VERILATED, marks=pytest.mark.cocotb)]
)
def test_violations_are_those_that_the_hardware_counts(engine, slo, tmp_path):
    """All tenants with an objective ask for 20 us, in the first epoch of 50 us after the commit.

    The run ends in the second one, so that the registers hold the first.
    """
    compiled = compiled_with(tmp_path, slo, epoch="50 us")
    prepared = prepare_plan(compiled, file=None, options=TRAFFIC, clocks=60_000, common=COMMON)
    result = run_scenario(engine, prepared.scenario, directory=tmp_path)
    assert result.channel.registers["EPOCH"] == [1]
    rows = promise_figures(compiled, prepared.scenario, result)
    counted = result.channel.registers["SLO_VIOLATIONS"]
    ours = [rows[name]["violations"] for name in ("decode-a", "decode-b", "decode-c")]
    assert ours == counted[1:4]
    assert sum(ours) > 0


def tenant(name: str, tag: int, offered, granted, completed, size: int = 512) -> TenantResult:
    offered = np.array(offered, np.int64) + FIRST_CLOCK
    none = np.zeros(0, np.int64)
    return TenantResult(
        name=name,
        tag=tag,
        sizes=np.full(len(offered), size, np.int64),
        offered=offered,
        taken=offered,
        granted=np.array(granted, np.int64) + FIRST_CLOCK,
        classes=np.zeros(len(granted), np.int64),
        completed=np.array([-1 if c is None else c + FIRST_CLOCK for c in completed], np.int64),
        step_started=none,
        step_ended=none,
        bytes_granted=size * len(granted),
    )


def row_of(folder: Path, seen: TenantResult, *, end: int, slo: str = "125 ns") -> dict:
    """The row of decode-a (16 bytes a clock, 512 B in 32 clocks) with what it saw."""
    compiled = compiled_with(folder, slo)
    prepared = prepare_plan(compiled, file=None, options=(), clocks=2_000, common=COMMON)
    scenario = prepared.scenario.with_streams(
        each for each in prepared.scenario.streams if each.name == seen.name
    )
    result = RunResult(clocks=FIRST_CLOCK + end, tenants=(seen,), channels=(), seconds=1.0)
    found = run_figures(compiled, scenario, result, {"decode-a": "steady"})
    assert json.loads(json.dumps(found)) == found
    return next(row for row in found["tenants"] if row["name"] == "decode-a")


def test_a_latency_is_late_over_the_objective_and_not_at_it(tmp_path):
    """125 ns are 100 clocks."""
    row = row_of(tmp_path, tenant("decode-a", 1, [0, 500], [5, 505], [100, 601]), end=1_000)
    assert row["slo_clocks"] == 100
    assert row["violations"] == 1
    assert row["violations_own_queue"] == 0
    assert row["worst"] == {
        "request": 1,
        "offered": FIRST_CLOCK + 500,
        "granted": FIRST_CLOCK + 505,
        "completed": FIRST_CLOCK + 601,
        "latency_clocks": 101,
        "own_queue_clocks": 0,
    }
    assert row["latency_clocks"] == {"p50": 100, "p90": 101, "p99": 101, "p999": 101, "max": 101}


@pytest.mark.parametrize(("end", "late"), [(600, 0), (601, 1)])
def test_an_unanswered_request_is_late_when_it_is_past_the_objective(tmp_path, end, late):
    row = row_of(tmp_path, tenant("decode-a", 1, [0, 500], [5], [90, None]), end=end)
    assert row["violations"] == late
    assert row["worst"]["completed"] is None
    assert row["worst"]["granted"] is None
    assert row["latency_clocks"]["max"] == 90


def test_what_its_own_requests_take_at_the_guarantee_is_not_promised(tmp_path):
    """Four at once: the last waits for three of 32 clocks each."""
    row = row_of(
        tmp_path, tenant("decode-a", 1, [0] * 4, [4, 36, 68, 100], [50, 82, 114, 150]), end=999
    )
    assert row["own_queue_clocks"] == {"p50": 32, "p99": 96, "max": 96}
    assert row["promised_clocks"] == {"p99": 54, "max": 54}
    assert (row["violations"], row["violations_own_queue"]) == (2, 2)


def test_less_than_a_clock_is_no_wait(tmp_path):
    """527 bytes take 32.94 clocks: 0.94 too long after one request, 1.88 after two."""
    seen = tenant("decode-a", 1, [0, 31, 62], [5, 36, 67], [50, 81, 112])
    row = row_of(tmp_path, seen, end=999)
    assert row["own_queue_clocks"]["max"] == 2
    early = tenant("decode-a", 1, [0, 32, 64], [5, 36, 67], [50, 81, 112], size=500)
    assert row_of(tmp_path, early, end=999)["own_queue_clocks"]["max"] == 0
    late = tenant("decode-a", 1, [0, 32, 64], [5, 36, 67], [50, 81, 112], size=527)
    assert row_of(tmp_path, late, end=999)["own_queue_clocks"]["max"] == 1


def test_a_promised_part_over_the_bound_is_a_breach(tmp_path):
    row = row_of(tmp_path, tenant("decode-a", 1, [0], [5], [90]), end=2_000)
    bound = int(row["bound_clocks"]) + 1
    for latency, breaches in ((bound, 0), (bound + 1, 1)):
        row = row_of(tmp_path, tenant("decode-a", 1, [0], [5], [latency]), end=2_000)
        assert row["breaches"] == breaches
        assert row["conforming"]
    assert breach_sentence(row, KHZ).startswith("decode-a: 1 of 1 requests waited longer than the ")
    burst = dataclasses.replace(
        tenant("decode-a", 1, [0], [5], [bound + 1]), classes=np.array([GrantClass.BURST])
    )
    row = row_of(tmp_path, burst, end=2_000)
    assert (row["conforming"], row["breaches"]) == (False, 0)


def test_a_histogram_has_every_answered_request_in_a_quarter_octave(tmp_path):
    latencies = [1, 2, 2, 3, 100, 128, 129, 1_000]
    seen = tenant("decode-a", 1, [0] * 8, [5] * 8, latencies)
    found = row_of(tmp_path, seen, end=2_000)["latency_histogram"]
    edges, counts = found["edges_clocks"], found["counts"]
    assert len(edges) == len(counts) + 1
    assert sum(counts) == len(latencies)
    assert edges[0] <= 1
    assert edges[-1] > 1_000
    assert np.allclose(np.diff(np.log2(edges)), 0.25, atol=1e-3)
    assert counts[edges.index(128.0)] == 2


def test_sentences_say_what_was_late_and_why(tmp_path):
    kept = row_of(tmp_path, tenant("decode-a", 1, [0], [5], [80]), end=900)
    promised = f"promised {time_words(kept['bound_clocks'], KHZ)}"
    assert objective_sentence(kept, KHZ) == f"decode-a: kept: worst 100 ns, {promised}"
    beyond = objective_sentence({**kept, "breaches": 1}, KHZ)
    assert beyond.startswith("decode-a: its SLO is kept, what is promised is not: worst 100 ns, ")
    fabric = row_of(tmp_path, tenant("decode-a", 1, [0], [5], [160]), end=900)
    assert objective_sentence(fabric, KHZ) == (
        f"decode-a: 1 of 1 requests later than 125 ns; worst 200 ns (request 0), {promised}"
    )
    seen = tenant("decode-a", 1, [0] * 9, [4] * 9, [40 + 32 * k for k in range(9)])
    own = row_of(tmp_path, seen, end=100)
    assert objective_sentence(own, KHZ) == (
        "decode-a: 7 of 9 requests later than 125 ns; worst 370 ns (request 8), 320 ns of that "
        "behind its own requests: it asked for 294.9 GB/s and is promised 102.4"
    )


@pytest.mark.parametrize(
    ("clocks", "text"),
    [
        (0, "0 ns"),
        (1, "1.25 ns"),
        (79, "98.8 ns"),
        (100, "125 ns"),
        (799, "999 ns"),
        (800, "1 us"),
        (80_000, "100 us"),
    ],
)
def test_times_are_told_in_a_unit_that_fits(clocks, text):
    assert time_words(clocks, KHZ) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (9.765625e-05, "0.00009766"),
        (0.3922, "0.3922"),
        (120, "120"),
        (99.995, "100"),
        (4799.4, "4,799"),
        (9999.6, "10,000"),
        (52_164.8, "52,160"),
        (5.24288e6, "5,243,000"),
    ],
)
def test_four_digits_have_no_exponent(number, text):
    assert rounded(number, 4) == text
