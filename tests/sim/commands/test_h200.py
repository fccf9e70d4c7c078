"""The sample of an H200: six tenants, one of best effort, two objectives that hold and one not."""

import json
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.objectives import Verdict, judge
from mcos_policy.samples import SAMPLES
from tests.sim.commands.command_line import run_command

NAMES = ["chat", "search", "agents", "batch", "ingest", "spare"]
BURSTS = "agents=on-off:rate=2400 GB/s,on=5us,off=45us"


def ran(folder: Path, *options: str, code: int = 0) -> dict:
    """The rows of a run of 125 us by name."""
    out = folder / "run.json"
    arguments = ("run", "h200", *options, "--engine", "reference", "--clocks", 101_024)
    assert run_command(*arguments, "--json", out, "-o", folder) == code
    found = json.loads(out.read_text())
    assert (found["channels"], found["capacity_gbps"]) == (96, 4800)
    rows = {row["name"]: row for row in found["tenants"]}
    assert list(rows) == NAMES
    return rows


def test_two_objectives_hold_and_one_is_not_promised():
    compiled = compile_contract(SAMPLES["h200"], ChannelConfig())
    judged = judge(compiled.contract, compiled.config)
    verdicts = [judged[position].verdict for position in compiled.contract.tenants]
    none = [None] * 3
    assert verdicts == [Verdict.HOLDS, Verdict.HOLDS, Verdict.NOT_PROMISED, *none]


def test_at_their_guarantees_all_are_served_and_spare_gets_the_rest(tmp_path, capsys):
    rows = ran(tmp_path, "--require-slo")
    for name in ("chat", "search", "agents"):
        assert rows[name]["granted_gbps"] == pytest.approx(rows[name]["guaranteed_gbps"], rel=0.01)
        assert rows[name]["latency_clocks"]["max"] <= rows[name]["bound_clocks"]
    for name in ("batch", "ingest"):
        assert rows[name]["granted_gbps"] >= rows[name]["guaranteed_gbps"]
    assert sum(row["granted_gbps"] for row in rows.values()) == pytest.approx(4800, rel=0.01)
    spare = rows["spare"]
    assert spare["best_effort"]
    assert (spare["bound_clocks"], spare["promised_clocks"], spare["breaches"]) == (None, None, 0)
    told = capsys.readouterr().out
    assert all(f"{name}: kept: worst" in told for name in ("chat", "search", "agents"))


def test_best_effort_scavenges_what_nobody_asks_for(tmp_path):
    rows = ran(tmp_path, "--traffic-of", "batch=idle", "--traffic-of", "ingest=idle")
    asked = sum(rows[name]["granted_gbps"] for name in ("chat", "search", "agents"))
    assert rows["spare"]["granted_gbps"] == pytest.approx(4800 - asked, rel=0.02)
    assert rows["chat"]["violations"] == 0


def test_bursts_of_its_own_are_late_and_hurt_nobody_else(tmp_path, capsys):
    rows = ran(tmp_path, "--traffic-of", BURSTS, "--require-slo", code=1)
    agents = rows["agents"]
    assert agents["violations"] > 100
    assert agents["violations_own_queue"] == agents["violations"]
    for name in ("chat", "search"):
        assert rows[name]["violations"] == 0
    told = capsys.readouterr().out
    assert "requests later than 1 us; worst" in told
    assert "of that behind its own requests" in told
