"""A grant in every clock, or interval: weights, sizes and backlogged tenants change meanwhile."""

import json
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from tests.sim.cosim.regression import regress

RESULTS = Path("build/soak")
SOAK_CLOCKS = 1_000_000
TIMEOUT = 1_800


def measure(directory, *, config, clocks):
    """Runs the simulation and returns what it found."""
    regress(
        "regress_line_rate",
        directory,
        config=config,
        timeout=TIMEOUT,
        clocks=clocks,
    )
    return json.loads((directory / "line_rate.json").read_text(encoding="utf-8"))


@pytest.mark.cocotb
def test_no_clock_is_lost(tmp_path):
    result = measure(tmp_path, config=ChannelConfig(), clocks=30_000)
    assert result["commits"] >= 1
    assert result["grants_per_clock"] >= 0.9999


@pytest.mark.soak
@pytest.mark.parametrize(
    ("lateness", "interval"), [(0, 1), (ChannelConfig().lateness, 1), (0, 4), (0, 8)]
)
def test_no_clock_is_lost_in_a_million(lateness, interval, tmp_path):
    config = ChannelConfig(lateness=lateness, grant_interval=interval)
    result = measure(tmp_path, config=config, clocks=SOAK_CLOCKS)
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"line_rate_{lateness}_{interval}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    assert result["clocks"] >= SOAK_CLOCKS - 1_000
    assert result["commits"] >= 30
    assert 0.9999 <= result["grants_per_clock"] * interval <= 1.0001
