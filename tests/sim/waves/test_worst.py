"""The request that a percentile points at, and its window."""

import json
import re

import numpy as np
import pytest

from mcos_sim.cli import main
from mcos_sim.errors import UserError
from mcos_sim.scenario import RunResult, TenantResult
from mcos_sim.waves.worst import Percentile, late_request


def tenant(name: str, latencies: list[int]) -> TenantResult:
    offered = np.arange(len(latencies)) + 2_000
    return TenantResult(
        name=name,
        tag=0,
        sizes=np.full(len(latencies), 512),
        offered=offered,
        taken=offered,
        granted=offered + 1,
        classes=np.zeros(len(latencies), dtype=np.int64),
        completed=np.where(np.array(latencies) < 0, -1, offered + latencies),
        step_started=np.zeros(0),
        step_ended=np.zeros(0),
        bytes_granted=0,
    )


def result(*tenants: TenantResult) -> RunResult:
    return RunResult(clocks=9_000, tenants=tenants, channels=(), seconds=0)


@pytest.mark.parametrize(
    ("text", "name", "index", "latency"),
    [
        ("worst:p100", "b", 1, 90),
        ("worst:p50", "a", 2, 30),
        ("worst:p20", "a", 0, 10),
        ("worst:p20.1", "a", 1, 20),
        ("worst:p100:a", "a", 2, 30),
    ],
)
def test_the_request_of_a_percentile(text, name, index, latency):
    """By nearest rank, over all answered requests."""
    run = result(tenant("a", [10, 20, 30, -1]), tenant("b", [40, 90]))
    late = late_request(run, Percentile.parse(text))
    assert (late.tenant, late.index, late.latency) == (name, index, latency)


@pytest.mark.parametrize("text", ["p99", "worst:99", "worst:p0", "worst:p100.1", "worst:p"])
def test_a_wrong_percentile_is_refused(text):
    with pytest.raises(UserError, match="must be violation, or worst:pN"):
        Percentile.parse(text)


def test_nobody_and_nothing_are_refused():
    with pytest.raises(UserError, match="asks for something, not 'c'; choose one of a, b"):
        late_request(result(tenant("a", [1]), tenant("b", [2])), Percentile.parse("worst:p9:c"))
    with pytest.raises(UserError, match="needs an answered request"):
        late_request(result(tenant("a", [-1])), Percentile.parse("worst:p9"))


def test_the_window_shows_the_request(tmp_path, capsys):
    found = tmp_path / "run.json"
    arguments = ("run", "--workload", "saturated", "--engine", "reference", "--clocks", "20000")
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--record", "worst:p99.9", "-o", str(tmp_path), "--json", str(found)])
    assert not caught.value.code
    late = json.loads(found.read_text())["recorded"]
    assert f"answered in {late['completed']:,}" in " ".join(capsys.readouterr().out.split())
    state = json.loads((tmp_path / "worst.json").read_text())
    assert state["clock"] == max(1_024, late["offered"] - 64)
    text = (tmp_path / "worst.gtkw").read_text()
    marker = int(re.search(r"^\*\S+ (\d+)", text, re.MULTILINE)[1])
    assert marker == late["granted"] * 1_250
