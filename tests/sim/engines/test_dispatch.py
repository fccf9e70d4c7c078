"""The three engines give the same result for the same scenario."""

import dataclasses

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.engines import cocotb as cosim
from mcos_sim.engines import model as reference
from mcos_sim.engines import verilated
from mcos_sim.environment.environment import tenant_results
from mcos_sim.errors import UserError
from mcos_sim.lockstep.case import random_case
from mcos_sim.memory.hbm import PRESETS, find_preset
from mcos_sim.memory.hbm.memory import Hbm
from mcos_sim.memory.simple import SIMPLE
from mcos_sim.model.probe import probe_places
from mcos_sim.scenario import FIRST_CLOCK, Window

CLOCKS = 3_000


def scenario(seed, *, config=None, arbiter=ArbiterKind.MCOS):
    case = random_case(config or ChannelConfig(), arbiter=arbiter, seed=seed, clocks=CLOCKS)
    return case.scenario.with_channel(credit=1 << 20)


def require_same(one, other):
    assert one.clocks == other.clocks
    for ours, theirs in zip(one.tenants, other.tenants, strict=True):
        for field in dataclasses.fields(ours):
            mine, yours = getattr(ours, field.name), getattr(theirs, field.name)
            assert np.array_equal(mine, yours), f"{ours.name}: {field.name} differs"
    # Reading takes clocks, in which queues and load may move and an epoch may end.
    mine, yours = one.channel.registers, other.channel.registers
    if mine["EPOCH"] == yours["EPOCH"]:
        for name in ("BUSY", "GRANT_BYTES", "RESPONSES", "LATENCY"):
            assert mine[name] == yours[name]


@pytest.mark.cocotb
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_three_engines_agree(seed, tmp_path):
    asked = scenario(seed)
    assert asked.streams
    result = cosim.run_scenario(asked, directory=tmp_path)
    assert sum(len(tenant.granted) for tenant in result.tenants) > 20
    require_same(result, verilated.run_scenario(asked))
    require_same(result, reference.run_scenario(asked))


@pytest.mark.cocotb
@pytest.mark.parametrize("name", PRESETS)
def test_three_engines_agree_on_hbm(name, tmp_path):
    """The port is not always ready, and commands overtake each other."""
    asked = scenario(4).with_channel(memory=Hbm(preset=find_preset(name)))
    result = cosim.run_scenario(asked, directory=tmp_path)
    counts = result.channel.memory
    assert counts is not None
    assert counts.bursts > 500
    for other in (
        verilated.run_scenario(asked),
        reference.run_scenario(asked),
    ):
        require_same(result, other)
        assert other.channel.memory is not None
        assert np.array_equal(other.channel.memory.classes, counts.classes)
        assert other.channel.memory.commands == counts.commands
    moved = sum(int(tenant.sizes[tenant.completed >= 0].sum()) for tenant in result.tenants)
    # A request that is not aligned touches a burst more.
    most = sum(tenant.bytes_granted + 32 * len(tenant.granted) for tenant in result.tenants)
    assert moved <= 32 * counts.bursts <= most


@pytest.mark.cocotb
def test_three_engines_write_the_same_window(tmp_path):
    def window(name):
        path = tmp_path / f"{name}.vcd"
        return path, dataclasses.replace(
            scenario(5), window=Window(path=path, first=FIRST_CLOCK + 500, end=FIRST_CLOCK + 900)
        )

    first, asked = window("reference")
    reference.run_scenario(asked)
    assert first.read_text().count("\n") > 1_000
    second, asked = window("verilated")
    verilated.run_scenario(asked)
    third, asked = window("cocotb")
    cosim.run_scenario(asked, directory=tmp_path)
    for suffix in (".vcd", ".json"):
        texts = [each.with_suffix(suffix).read_text() for each in (first, second, third)]
        assert texts[0] == texts[1] == texts[2]


def test_a_window_behind_the_end_of_a_run_is_refused(tmp_path):
    asked = scenario(5)
    window = Window(path=tmp_path / "w.vcd", first=asked.clocks + 10, end=asked.clocks + 20)
    with pytest.raises(UserError, match="must begin before the run ends"):
        reference.run_scenario(dataclasses.replace(asked, window=window))


@pytest.mark.parametrize("arbiter", list(ArbiterKind))
def test_the_model_serves_every_arbiter(arbiter):
    result = reference.run_scenario(scenario(3, arbiter=arbiter))
    assert sum(len(tenant.granted) for tenant in result.tenants) > 100


@pytest.mark.parametrize(
    "memory", [SIMPLE, Hbm(preset=find_preset("hbm3"))], ids=["simple", "hbm3"]
)
def test_skipping_idle_clocks_changes_nothing(memory):
    asked = scenario(11).with_channel(memory=memory)
    lazy = reference.run_scenario(asked)
    (s,), e = reference.started(asked)
    rows = np.zeros((1, 64), dtype=np.int64)
    places = probe_places(asked.config)
    for _ in range(FIRST_CLOCK, asked.clocks):
        if not reference.watch(s, e, places, rows):
            break
    for ours, theirs in zip(lazy.tenants, tenant_results(asked, e), strict=True):
        assert np.array_equal(ours.granted, theirs.granted)
        assert np.array_equal(ours.completed, theirs.completed)


def unrolled(stream):
    """The same stream without repetition."""
    steps = np.tile(stream.steps, stream.repeat)
    steps["first"] = np.concatenate([[0], np.cumsum(steps["count"][:-1], dtype=np.uint32)])
    return dataclasses.replace(
        stream, requests=np.tile(stream.requests, stream.repeat), steps=steps, repeat=1
    )


def test_a_repeated_stream_is_the_same_as_a_long_one():
    stream = dataclasses.replace(scenario(3).streams[0], repeat=3, until=None)
    assert stream.closed
    steps = stream.steps.copy()
    steps["ready"] = 0
    stream = dataclasses.replace(stream, steps=steps)
    asked = dataclasses.replace(scenario(3), clocks=1_000_000).with_streams([stream])
    repeated = reference.run_scenario(asked)
    long = asked.with_streams([unrolled(stream)])
    require_same(repeated, reference.run_scenario(long))
    assert len(repeated.tenants[0].granted) == 3 * len(stream.requests)

    shorter = reference.run_scenario(dataclasses.replace(asked, keep_requests=False))
    assert shorter.clocks == repeated.clocks
    assert len(shorter.tenants[0].granted) == 0
    assert shorter.tenants[0].bytes_granted == repeated.tenants[0].sizes.sum()
    assert np.array_equal(shorter.tenants[0].step_ended, repeated.tenants[0].step_ended)
