"""One grant in every clock: weights, sizes and the set of backlogged tenants change meanwhile."""

import json
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from tests.sim.cosim.regression import regress

RESULTS = Path("build/soak")
SOAK_CLOCKS = 1_000_000
TIMEOUT = 1_800


def measure(directory, *, lateness, clocks):
    """Runs the simulation and returns what it found."""
    regress(
        "regress_line_rate",
        directory,
        config=ChannelConfig(lateness=lateness),
        timeout=TIMEOUT,
        clocks=clocks,
    )
    return json.loads((directory / "line_rate.json").read_text(encoding="utf-8"))


@pytest.mark.cocotb
def test_no_clock_is_lost(tmp_path):
    result = measure(tmp_path, lateness=ChannelConfig().lateness, clocks=30_000)
    assert result["commits"] >= 1
    assert result["grants_per_clock"] >= 0.9999


@pytest.mark.soak
@pytest.mark.parametrize("lateness", [0, ChannelConfig().lateness])
def test_no_clock_is_lost_in_a_million(lateness, tmp_path):
    result = measure(tmp_path, lateness=lateness, clocks=SOAK_CLOCKS)
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"line_rate_{lateness}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    assert result["clocks"] >= SOAK_CLOCKS - 1_000
    assert result["commits"] >= 30
    assert result["grants_per_clock"] >= 0.9999
