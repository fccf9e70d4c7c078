"""Scenarios behind AXI ports: data behind every request, on all engines."""

import dataclasses

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.engines import cocotb as cosim
from mcos_sim.engines import model as reference
from mcos_sim.engines import verilated
from mcos_sim.errors import UserError
from mcos_sim.lockstep.case import random_case
from mcos_sim.scenario import Scenario

CONFIG = ChannelConfig(tenants=4, bytes_per_clock=16, beat_bytes=16, max_beats=8)
PORTS = ((0, 1), (2, 3))
CLOCKS = 6_000


def scenario(seed: int, *, config: ChannelConfig = CONFIG) -> Scenario:
    """A random one whose requests lie within their blocks."""
    case = random_case(config, arbiter=ArbiterKind.MCOS, seed=seed, clocks=CLOCKS)
    asked = case.scenario.with_channel(credit=1 << 20)
    streams = []
    for stream in asked.streams:
        requests = stream.requests.copy()
        requests["address"] &= np.uint64((1 << 40) - config.l_max)
        streams.append(dataclasses.replace(stream, requests=requests))
    return asked.with_streams(streams).behind_axi(PORTS)


def served(result) -> dict[int, int]:
    """Requests of each tenant that were answered."""
    return {t.tag: int((t.completed >= 0).sum()) for t in result.tenants}


def latency(result) -> float:
    """Mean of all requests that were answered, in clocks."""
    ended = [(t.completed - t.offered)[t.completed >= 0] for t in result.tenants]
    return float(np.concatenate(ended).mean())


@pytest.mark.cocotb
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_every_byte_comes_through_the_ports(seed):
    """A response whose data are wrong names an id that nobody waits for, which ends a run."""
    asked = scenario(seed)
    result = verilated.run_scenario(asked)
    answered = served(result)
    assert sum(answered.values()) > 100
    # The model: the order of the channel, and the ports' clocks added to every answer.
    model = reference.run_scenario(asked)
    for tag, count in served(model).items():
        assert answered[tag] == pytest.approx(count, rel=0.1, abs=8), tag
    assert latency(result) == pytest.approx(latency(model), rel=0.1)


@pytest.mark.cocotb
@pytest.mark.soak
def test_cocotb_gives_the_same_as_the_verilated_engine(tmp_path):
    asked = scenario(3)
    ours = verilated.run_scenario(asked)
    theirs = cosim.run_scenario(asked, directory=tmp_path)
    assert served(ours) == served(theirs)
    for one, other in zip(ours.tenants, theirs.tenants, strict=True):
        assert np.array_equal(one.granted, other.granted)
        assert np.array_equal(one.completed, other.completed)


def test_a_beat_must_be_a_clock_s_worth():
    wide = dataclasses.replace(CONFIG, bytes_per_clock=32)
    with pytest.raises(UserError, match="beat_bytes must be 32 behind AXI ports"):
        scenario(3, config=wide)


def test_a_request_must_not_leave_its_block():
    asked = dataclasses.replace(scenario(3), axi_ports=())
    stream = asked.streams[0]
    requests = stream.requests.copy()
    requests["address"] = CONFIG.l_max - CONFIG.beat_bytes
    requests["beats"] = 1
    inside = asked.with_streams([dataclasses.replace(stream, requests=requests)])
    assert inside.behind_axi(PORTS).axi_ports == PORTS
    requests["beats"] = 2
    outside = asked.with_streams([dataclasses.replace(stream, requests=requests)])
    with pytest.raises(UserError, match=r"must lie within blocks of 128 bytes .*; align them"):
        outside.behind_axi(PORTS)


def test_every_tag_has_a_port():
    asked = dataclasses.replace(scenario(3), axi_ports=())
    with pytest.raises(ValueError, match=r"ports must have every tag of .*, not lack \[0"):
        asked.behind_axi(((), (1, 2, 3)))
