"""Several channels on the RTL: every byte compared, beside the reference."""

import contextlib
import dataclasses
import functools
import re

import numpy as np
import pytest

from mcos_policy.image import Image
from mcos_sim.building import verilator
from mcos_sim.engines import cocotb as cosim
from mcos_sim.engines import model as reference
from mcos_sim.engines import verilated
from mcos_sim.engines.metered import metered
from mcos_sim.engines.watching import Seen, Watch
from mcos_sim.environment.environment import EnvironmentFault
from mcos_sim.lockstep import ports
from mcos_sim.lockstep.fabric import compare_fabric
from mcos_sim.lockstep.fabric_case import random_fabric_case
from mcos_sim.lockstep.ports import PortFigures
from mcos_sim.ported.lanes import lanes_of
from mcos_sim.ported.settings import image_words
from mcos_sim.scenario import FIRST_CLOCK, RunResult
from mcos_sim.verilated.build import build_library
from mcos_sim.verilated.top import ProbedTop
from tests.sim.fabric.scenarios import (
    CLOCKS,
    CONFIG,
    CREDIT,
    PORTS,
    SPREADING,
    at_channel,
    flood,
    heavy,
    light,
    reader,
    scenario,
    served,
)


def require_equal(ours: RunResult, theirs: RunResult) -> None:
    """Two engines, or two builds of one, ran the same in every clock."""
    for one, other in zip(ours.tenants, theirs.tenants, strict=True):
        for name in ("offered", "taken", "granted", "classes", "completed"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name


@pytest.mark.cocotb
def test_the_reference_has_the_latency_of_the_ports():
    asked = scenario(*light())
    ours, model = verilated.run_scenario(asked), reference.run_scenario(asked)
    assert min(served(ours).values()) > 190
    for one, other in zip(ours.tenants, model.tenants, strict=True):
        answered = (one.completed >= 0) & (other.completed >= 0)
        later = (one.completed - other.completed)[answered]
        # What meets in a queue may wait some clocks more or less.
        assert np.count_nonzero(later) < 0.4 * len(later)
        assert abs(later.mean()) < 1.5
        assert np.median(later) == 0


@pytest.mark.cocotb
def test_every_byte_comes_through_all_channels_and_shares_hold():
    """A response whose data are wrong names an id that nobody waits for, which ends a run."""
    result = verilated.run_scenario(scenario(*heavy()))
    passed = [tenant.bytes_granted for tenant in result.tenants]
    most = len(result.channels) * CONFIG.bytes_per_clock * (result.clocks - FIRST_CLOCK)
    assert sum(passed) > 0.93 * most
    assert min(served(result).values()) > 600


@pytest.mark.cocotb
def test_reads_do_not_wait_for_writes_of_the_same_ports():
    """AXI has a channel for each direction, and the manager has a queue for each."""
    alone, beside = (
        verilated.run_scenario(scenario(*streams)).tenants[0]
        for streams in ((reader(),), (reader(), flood()))
    )
    usual, longer = (
        np.median((each.completed - each.offered)[each.completed >= 0]) for each in (alone, beside)
    )
    assert np.count_nonzero(beside.completed >= 0) > 0.9 * np.count_nonzero(alone.completed >= 0)
    assert longer < 1.5 * usual


@pytest.mark.cocotb
def test_every_channel_is_in_step_with_its_model():
    outcome = compare_fabric(scenario(*heavy()))
    assert outcome.difference is None
    assert outcome.clocks == CLOCKS


@pytest.mark.cocotb
def test_an_image_spreads_addresses_as_it_says(monkeypatch):
    """All is asked of channel 1; hardware with another interleave would ask channel 0 as well."""
    streams = [at_channel(1, each) for each in heavy()]
    asked = dataclasses.replace(scenario(*streams), spreading=SPREADING)
    quiet, busy = verilated.run_scenario(asked).channels
    assert sum(quiet.registers["GRANT_BYTES"]) == 0
    assert sum(busy.registers["GRANT_BYTES"]) > 0
    monkeypatch.setattr(
        verilated,
        "image_words",
        lambda asked: image_words(dataclasses.replace(asked, spreading=None)),
    )
    with pytest.raises(EnvironmentFault):
        verilated.run_scenario(asked)


@pytest.mark.cocotb
def test_lockstep_finds_a_channel_that_differs():
    asked = scenario(*heavy())
    other = dataclasses.replace(asked, image=scenario(*heavy(), credit=CREDIT // 4).image)
    difference = compare_fabric(asked, model=other).difference
    assert difference is not None
    assert difference.clock > FIRST_CLOCK
    assert all(name.startswith("channel_") for name in difference.values)


def random_cases(count: int):
    for seed in range(1, count + 1):
        yield random_fabric_case(CONFIG, ports=PORTS, channels=2, seed=seed, clocks=3_000)


@pytest.mark.cocotb
def test_every_request_of_every_port_is_as_in_the_model():
    figures = PortFigures()
    for case in random_cases(8):
        outcome = compare_fabric(case)
        assert outcome.difference is None
        figures += outcome.ports
    assert figures.requests > 1_000
    assert figures.exact > 100


def later_ports(asked):
    """Ports of the model that take a clock more."""
    return asked


def elsewhere(asked):
    """Requests of the model that go to the other channel."""
    return {(tag, 1 - channel, at): each for (tag, channel, at), each in asked.items()}


def doubled(asked):
    """A request of the model that has come already."""
    first = min(asked.values(), key=lambda each: each.taken)
    first.delivered = 0
    return asked


def shorter(asked):
    """Requests of the model that are a beat longer."""
    for each in asked.values():
        each.beats += 1
    return asked


def turned(asked):
    """Requests of the model that were asked for in the opposite order."""
    for each in asked.values():
        each.turn = -each.turn
    return asked


@pytest.mark.cocotb
@pytest.mark.parametrize(
    ("planted", "signal"),
    [
        (later_ports, r"port_\d\.answer\.clocks"),
        (elsewhere, r"channel_\d\.request\.address"),
        (doubled, r"port_\d\.to_channel_\d\.times"),
        (shorter, r"port_\d\.to_channel_\d\.beats"),
        (turned, r"port_\d\.to_channel_\d\.order"),
    ],
)
def test_lockstep_finds_a_port_that_differs(planted, signal, monkeypatch):
    asked = ports._asked
    monkeypatch.setattr(ports, "_asked", lambda *given: planted(asked(*given)))
    if planted is later_ports:
        clocks = tuple(each + 1 for each in ports.FABRIC_PORT_CLOCKS)
        monkeypatch.setattr(ports, "FABRIC_PORT_CLOCKS", clocks)
    difference = compare_fabric(next(random_cases(1))).difference
    assert difference is not None
    assert difference.clock > FIRST_CLOCK
    (name,) = difference.values
    assert re.fullmatch(signal, name)


@pytest.mark.cocotb
def test_every_channel_keeps_every_rule_in_every_clock():
    asked = scenario(*heavy())
    result = verilated.run_scenario(asked, recording=Watch(asked))
    assert result.clocks == CLOCKS
    other = dataclasses.replace(asked, image=scenario(*heavy(), credit=CREDIT // 4).image)
    with pytest.raises(Seen, match=r"^channel \d: "):
        verilated.run_scenario(asked, recording=Watch(other))


@pytest.mark.cocotb
def test_software_reads_what_each_channel_counts():
    asked = scenario(*heavy(), epoch=5_000)
    names = {stream.tag: stream.name for stream in asked.streams}
    with metered(asked, Image(words=asked.image), names=names) as meter:
        epochs = list(meter.epochs())
    whole = epochs[0]
    assert len(whole.channels) == 2
    for tenant in whole.tenants:
        parts = [each.tenants[tenant.tag].responses.value for each in whole.channels]
        assert min(parts, default=0) > 0 or tenant.tag == 3
        assert sum(parts) == tenant.responses.value


@pytest.mark.cocotb
@pytest.mark.soak
def test_cocotb_gives_the_same_as_the_verilated_engine(tmp_path):
    asked = scenario(*heavy())
    ours = verilated.run_scenario(asked)
    theirs = cosim.run_scenario(asked, directory=tmp_path)
    # Registers are read some clocks apart, in another epoch.
    require_equal(ours, theirs)


@pytest.mark.cocotb
@pytest.mark.soak
@pytest.mark.parametrize("blocks", [[], ["mcos_channel", "mcos_port_0"]])
def test_modules_that_are_elaborated_once_give_the_same(blocks, monkeypatch):
    """Beside a design in which every channel and every port was elaborated."""
    asked = scenario(*heavy())
    top = functools.partial(
        ProbedTop, CONFIG, arbiter=asked.arbiter, ports=asked.axi_ports, channels=2
    )
    lanes = lanes_of(asked.axi_ports, 2)
    shared = build_library(top(), CONFIG, lanes, blocks)
    with monkeypatch.context() as patch:
        patch.setattr(verilator, "emitted", lambda: contextlib.nullcontext({}))
        whole = build_library(top(), CONFIG, lanes)
    assert shared.path != whole.path
    results = []
    for library in (shared, whole):
        with monkeypatch.context() as patch:
            patch.setattr(verilated, "channel_library", lambda *_, found=library: found)
            results.append(verilated.run_scenario(asked))
    require_equal(*results)
    ours, theirs = ([each.registers for each in result.channels] for result in results)
    assert ours == theirs
