"""Page colours and row conflicts on HBM3: what the figures have to show."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.engines.model import run_scenario
from mcos_sim.experiments.behind import hbm
from mcos_sim.experiments.colouring import RUNS, floor, measure_colouring
from mcos_sim.experiments.contention import Setting, compare, contention_scenario, workloads
from mcos_sim.experiments.row_conflicts import measure_row_conflicts
from mcos_sim.memory.hbm import coloured_mapping, default_mapping
from mcos_sim.memory.name import MemoryName

CONFIG = ChannelConfig()


def compiled(name):
    return compile_contract(SAMPLES[name], CONFIG)


@pytest.fixture(scope="module")
def rows():
    found = measure_colouring(compiled("decode-prefill-hbm3"), clocks=200_000)
    assert len(found) == RUNS
    return {(row["layout"], row["workload"], row["arbiter"], row["coloured"]): row for row in found}


def test_the_floor_of_a_layout():
    """A page of 128 bursts opens four rows, or eight."""
    device = hbm(MemoryName.HBM3)
    assert floor(coloured_mapping(device.preset), device) == 4 / 128
    assert floor(default_mapping(device.preset), device) == 8 / 128


def test_behind_mcos_colours_give_the_rows_back(rows):
    for workload in ("decoders", "prefill", "writer"):
        free = rows["8 banks", workload, "mcos", False]
        coloured = rows["8 banks", workload, "mcos", True]
        assert free["row_changes"] > 0.15
        assert coloured["row_changes"] < 0.075
        assert free["utilisation"] < 0.62
        assert coloured["utilisation"] > 0.8
        assert coloured["pj_per_byte"] < 0.85 * free["pj_per_byte"]


def test_coloured_streams_come_to_the_floor_and_the_ceiling(rows):
    for workload in ("decoders", "prefill"):
        row = rows["4 banks", workload, "mcos", True]
        assert 0 <= row["over_floor"] <= 0.005
        assert row["of_ceiling"] >= 0.97


def test_nothing_is_over_the_ceiling_or_under_the_floor(rows):
    for row in rows.values():
        assert row["of_ceiling"] <= 1
        # A refresh that falls on the end of a row saves a change.
        assert row["over_floor"] > -0.002
        assert row["closed"] + row["conflicts"] == pytest.approx(row["row_changes"])
        assert sum(tenant["bursts"] for tenant in row["tenants"]) > 100_000


def test_a_guarantee_is_kept_beside_row_conflicts_where_they_pay_for_memory_time():
    found = measure_row_conflicts(compiled("row-conflicts-hbm3"), clocks=300_000)
    paid, counted = found["compiled_cost"], found["byte_charging"]
    assert found["adversaries_alone"]["row_changes"] == 1.0
    # The contract says 4.
    assert 2 < found["adversaries_alone"]["cost"] <= 4
    assert paid["of_guarantee"] >= 0.98
    assert paid["delay_clocks"] <= paid["delay_bound_clocks"]
    assert counted["of_guarantee"] < 0.8
    assert counted["delay_clocks"] > counted["delay_bound_clocks"]


@pytest.mark.parametrize("name", ["loaded", "saturated"])
def test_the_essays_ratios_hold_on_hbm3(name):
    of = compiled("decode-prefill-hbm3")
    setting = Setting(clocks=600_000, memory=MemoryName.HBM3)
    workload = workloads(setting.memory, of.config)[name]
    results = {
        run: run_scenario(contention_scenario(of, workload, run, setting, name=run))
        for run in ("alone", "fcfs", "mcos")
    }
    found = compare(of, workload, setting, results)
    assert found["ratios"]["fcfs_over_alone"] >= 4
    assert found["ratios"]["mcos_over_alone"] <= 1.15
    assert found["ratios"]["prefill_of_target"] >= 0.98
    assert found["mcos"]["row_changes"] < 0.04
    if name == "loaded":
        assert 0.70 <= found["honesty"]["alone_utilisation"] <= 0.75
        assert found["honesty"]["guarantee_over_alone_demand"] >= 1
