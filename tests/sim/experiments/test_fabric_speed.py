"""What is measured of a fabric: its sizes, its limits, and where the figures go."""

import json
from unittest.mock import MagicMock

import numpy as np
import pytest

from mcos_hw.config import CHANNELS
from mcos_sim.axi.steady import Steady
from mcos_sim.commands.bench_fabric import bench_fabric
from mcos_sim.experiments import fabric_scaling, fabric_speed
from mcos_sim.experiments.fabric_speed import DEPTHS, PATTERNS, ROUND_TRIP, fabric_of
from mcos_sim.lending import shows
from mcos_sim.power import figures


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_port_has_enough_under_way(depth):
    fabric = fabric_of(ports=8, channels=8, depth=depth)
    port = fabric.ports[0]
    assert port.reads > ROUND_TRIP
    assert port.reads == {16: 256, 64: 512}[depth]
    assert port.read_units >= 2 * port.reads
    assert port.landing == fabric.channel.queue_depth == depth
    assert port.data_bytes == fabric.beat_bytes == 64


@pytest.mark.parametrize("channels", CHANNELS)
def test_banks_and_slots_hold_a_round_trip_of_one_id(channels):
    fabric = fabric_of(ports=1, channels=channels, depth=DEPTHS[0])
    assert fabric.channel.slots * channels >= 2 * ROUND_TRIP
    assert fabric.ports[0].read_units >= 2 * ROUND_TRIP


@pytest.mark.parametrize(
    ("name", "ports", "limit"),
    [
        ("uniform", 8, 1.0),
        ("uniform", 4, 0.5),
        # A port favours a channel of its own, so no channel is asked for more than others.
        ("skewed", 8, 1.0),
        # Channel 0 is asked for by a fifth of all, and an eighth of the rest: 0.3 of 8 ports.
        ("hot_spot", 8, 1 / 2.4),
    ],
)
def test_limits(name, ports, limit):
    assert PATTERNS[name].limit(ports, 8) == pytest.approx(limit)


def test_slope_of_what_grows_in_proportion_is_one():
    counts = (1, 2, 4, 8)
    assert fabric_scaling.slope(counts, [3 * each for each in counts]) == pytest.approx(1)
    assert fabric_scaling.slope(counts, [each**1.5 for each in counts]) == pytest.approx(1.5)
    assert fabric_scaling.slope(counts, [7] * 4) == pytest.approx(0)


KEYS = {
    "uniform_grants_per_clock",
    "uniform_deep_grants_per_clock",
    "one_id_beats_per_clock",
    "added_latency_clocks",
    "coordinator",
    "coordinator.skewed_of_guarantee",
    "coordinator.others_of_guarantee",
    "scaling",
    "scaling.area_slope",
    "scaling.time_slope",
}
"""What readers of the file look for."""


def test_the_file_has_its_keys_and_keeps_those_of_others(tmp_path, monkeypatch):
    """Hardware, and what runs it, is stood in for."""

    def rates(library, fabric, pattern, *, clocks):
        grants = (0.97,) * 8 if fabric.channel.queue_depth == DEPTHS[0] else (0.99,) * 8
        return Steady(grants=grants, answers=grants, latency=50.0, clocks=clocks)

    for module in (fabric_speed, fabric_scaling):
        monkeypatch.setattr(module, "fabric_library", lambda *_, **__: None)
        monkeypatch.setattr(module, "pattern_rates", rates)
    monkeypatch.setattr(fabric_speed, "one_id", lambda *_, stream, clocks: 0.99 if stream else 0.98)
    monkeypatch.setattr(fabric_speed, "added_latency", lambda *_: {"ar": 10, "r": 7})
    monkeypatch.setattr(fabric_scaling, "fabric_design", lambda fabric: (fabric.channels, []))
    monkeypatch.setattr(fabric_scaling, "cell_counts_of", lambda cells: {"$_AND_": cells})
    monkeypatch.setattr(shows, "LendingRun", MagicMock())
    parts = np.array([[shows.HOT, *[shows.OTHER] * 3]] * 2)
    monkeypatch.setattr(shows, "served", lambda *_, lends: (0.99 * parts, 0.5 * parts))
    governed = {"worst_epoch_error": 0.01, "guarantee_kept": 1, "broadcast_us": 90}
    governor = figures.Figures(**governed, epochs=12, counted=10)
    monkeypatch.setattr(figures, "measure", lambda **_: governor)

    path = tmp_path / "fabric.json"
    path.write_text('{"commits": 10000, "scaling": {}}')
    bench_fabric(path, ports=8, channels=8, scale=0.1)
    found = json.loads(path.read_text())
    nested = {f"{name}.{key}" for name in ("coordinator", "scaling") for key in found[name]}
    assert found.keys() | nested >= KEYS
    assert found["commits"] == 10000
    assert found["governor"] == governed
    assert found["uniform_grants_per_clock"] == 0.97
    assert found["uniform_deep_grants_per_clock"] == 0.99
    assert found["one_id_beats_per_clock"] == 0.98
    # The channel has four of them.
    assert found["added_latency_clocks"] == 6
    assert found["coordinator"]["skewed_of_guarantee"] == 0.99
    assert [row["channels"] for row in found["scaling"]["sizes"]] == [1, 2, 4, 8, 16, 32]
    assert found["scaling"]["area_slope"] == 1
