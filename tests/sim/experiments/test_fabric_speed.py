"""What is measured of a fabric: its sizes, its limits, and where the figures go."""

import json

import pytest

from mcos_sim.axi.steady import Steady
from mcos_sim.commands.bench_fabric import bench_fabric
from mcos_sim.experiments import fabric_scaling, fabric_speed
from mcos_sim.experiments.fabric_speed import DEPTHS, PATTERNS, ROUND_TRIP, fabric_of
from mcos_sim.lending import shows
from mcos_sim.lending.shows import FIGURES, SHOWS


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_port_has_enough_under_way(depth):
    fabric = fabric_of(ports=8, channels=8, depth=depth)
    port = fabric.ports[0]
    assert port.reads > ROUND_TRIP
    assert port.reads == {16: 256, 64: 512}[depth]
    assert port.read_units >= 2 * port.reads
    assert port.landing == fabric.channel.queue_depth == depth
    assert port.data_bytes == fabric.beat_bytes == 64


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


def test_figures_are_set_beside_those_of_others(tmp_path, monkeypatch):
    def rates(library, fabric, pattern, *, clocks):
        grants = (0.97,) * 8 if fabric.channel.queue_depth == DEPTHS[0] else (0.99,) * 8
        return Steady(grants=grants, answers=grants, latency=50.0, clocks=clocks)

    monkeypatch.setattr(fabric_speed, "fabric_library", lambda fabric: None)
    monkeypatch.setattr(fabric_speed, "pattern_rates", rates)
    monkeypatch.setattr(fabric_speed, "one_id", lambda *_, stream, clocks: 0.99 if stream else 0.98)
    monkeypatch.setattr(fabric_speed, "added_latency", lambda *_: {"ar": 10, "r": 7})
    row = {"channels": 1, "cells": 1, "memories": 1, "clocks_per_s": 1}
    scaling = {"area_slope": 0.9, "time_slope": 1.0, "ports": 8, "sizes": [row]}
    monkeypatch.setattr(fabric_scaling, "measure_scaling", lambda **_: scaling)
    shown = dict.fromkeys(FIGURES, 0.99)
    lending = {"channels": 8, "intervals": 200, **dict.fromkeys(SHOWS, shown)}
    monkeypatch.setattr(shows, "figures", lambda **_: lending)
    path = tmp_path / "fabric.json"
    path.write_text('{"elsewhere": {"measured": 0.99}}')
    bench_fabric(path, ports=8, channels=8, scale=0.1)
    found = json.loads(path.read_text())
    assert found["elsewhere"] == {"measured": 0.99}
    assert found["coordinator"] == lending
    assert found["scaling"] == scaling
    assert found["uniform_grants_per_clock"] == 0.97
    assert found["uniform_deep_grants_per_clock"] == 0.99
    assert found["one_id_beats_per_clock"] == 0.98
    # The channel has four of them.
    assert found["added_latency_clocks"] == 6
