"""The main job in small: contract to report, through the emitted Verilog."""

import json

import pytest
from vcdvcd import VCDVCD

from mcos_policy.samples import SAMPLES
from tests.sim.commands.command_line import run_command

RUNS = ["alone", "fcfs", "round_robin", "fixed_priority", "mcos"]


@pytest.mark.cocotb
@pytest.mark.slow
def test_demo_writes_what_it_names(tmp_path, capfd):
    out = tmp_path / "demo"
    code = run_command(
        *("demo", SAMPLES["decode-prefill"], "-o", out),
        *("--clocks", 200_000),
    )
    # Too few steps for a 99th percentile: that mark fails, and says so.
    assert code == 1
    result = json.loads((out / "result.json").read_text())
    assert set(result["scenarios"]) == {"loaded", "saturated"}
    for runs in result["scenarios"].values():
        for run in RUNS:
            rows = runs[run]["tenants"]
            names = ["prefill"] * (run != "alone") + ["decode-a", "decode-b", "decode-c"]
            assert [row["name"] for row in rows] == names
            # A request granted in the interval's last clock counts whole.
            assert 0 < runs[run]["utilisation"] <= 1.0002
        ratios = runs["ratios"]
        # An eighth of the demo: too few steps for its marks, enough for who wins.
        assert ratios["fcfs_over_alone"] > 4
        assert ratios["mcos_over_alone"] < 1.3
        assert ratios["prefill_of_target"] > 0.95
    assert result["backlogged"]["grants"] >= 100_000
    assert result["backlogged"]["max_share_error_mcos"] <= 0.001
    assert result["backlogged"]["max_share_error_fcfs"] > 1

    page = (out / "report.html").read_text()
    assert "<svg" in page
    assert "decode-a" in page
    assert VCDVCD(str(out / "window.vcd")).endtime > 0
    shown = capfd.readouterr()
    for name in ("result.json", "report.html", "window.vcd", "window.gtkw"):
        assert (out / name).exists()
        assert name in shown.err
    assert "MCOS" in shown.out
    assert "fewest decoder steps" in shown.err


@pytest.mark.cocotb
@pytest.mark.soak
def test_the_demo_on_a_compact_channel(tmp_path):
    out = tmp_path / "demo"
    run_command("demo", SAMPLES["decode-prefill-fpga"], "-o", out)
    result = json.loads((out / "result.json").read_text())
    assert result["config"]["grant_interval"] == 4
    for name, most in (("loaded", 1.07), ("saturated", 1.15)):
        ratios = result["scenarios"][name]["ratios"]
        assert ratios["fcfs_over_alone"] > 4
        assert ratios["mcos_over_alone"] < most
        assert ratios["prefill_of_target"] > 0.98
        assert result["scenarios"][name]["mcos_utilisation_over_fcfs"] >= 0.99
    assert result["backlogged"]["max_share_error_mcos"] <= 0.01
