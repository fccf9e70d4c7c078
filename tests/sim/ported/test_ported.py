"""Scenarios behind AXI ports: data behind every request, on all engines."""

import dataclasses

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.engines import cocotb as cosim
from mcos_sim.engines import model as reference
from mcos_sim.engines import verilated
from mcos_sim.errors import UserError
from mcos_sim.scenario import FIRST_CLOCK, Channel, Scenario
from mcos_sim.traffic.stream import Stream
from tests.sim.cosim.recipes import LATENCY, contract, image, make_scenario, stream

CONFIG = ChannelConfig(tenants=4, bytes_per_clock=16, beat_bytes=16, max_beats=8, slots=32)
PORTS = ((0, 1), (2,))
CLOCKS = 8_000
CREDIT = 4_096


def scenario(*streams: Stream, config: ChannelConfig = CONFIG) -> Scenario:
    """Each of three tenants is guaranteed a quarter; none has more under way than fits."""
    guarantees = dict.fromkeys(range(3), config.bytes_per_clock // 4)
    settings = contract(config, guarantees, channel={"port_credit": CREDIT})
    return make_scenario(
        config,
        *streams,
        image=image(config, settings).words,
        clocks=CLOCKS,
        channels=(Channel(latency=LATENCY, credit=CREDIT),),
    )


def light() -> list[Stream]:
    """A request of each tenant now and then."""
    return [
        stream(
            tag,
            requests=300,
            steps=300,
            beats=(1, 8),
            window=4,
            ready=FIRST_CLOCK + 17 * tag,
            every=48,
        )
        for tag in range(3)
    ]


def heavy() -> list[Stream]:
    """As much as fits: reads and writes of all sizes, far more than the channel passes."""
    return [stream(tag, requests=1_000, beats=(1, 8), window=12) for tag in range(3)]


def served(result) -> dict[int, int]:
    """Requests of each tenant that were answered."""
    return {t.tag: int((t.completed >= 0).sum()) for t in result.tenants}


def latency(result) -> float:
    """Mean of all requests that were answered, in clocks."""
    ended = [(t.completed - t.offered)[t.completed >= 0] for t in result.tenants]
    return float(np.concatenate(ended).mean())


@pytest.mark.cocotb
def test_the_model_of_the_port_has_its_latency():
    """The order of the channel, and the ports' clocks added to every answer."""
    asked = scenario(*light()).behind_axi(PORTS)
    ours, model = verilated.run_scenario(asked), reference.run_scenario(asked)
    assert min(served(ours).values()) > 140
    assert latency(ours) == pytest.approx(latency(model), abs=0.5)
    for one, other in zip(ours.tenants, model.tenants, strict=True):
        count = min(served(ours)[one.tag], served(model)[one.tag]) - 4
        differ = (one.completed != other.completed)[:count]
        # What meets in a queue may wait a clock more or less.
        assert np.count_nonzero(differ) < 0.1 * count


@pytest.mark.cocotb
def test_every_byte_comes_through_and_shares_hold():
    """A response whose data are wrong names an id that nobody waits for, which ends a run."""
    result = verilated.run_scenario(scenario(*heavy()).behind_axi(PORTS))
    granted = {t.tag: t.bytes_granted for t in result.tenants}
    for tag, amount in granted.items():
        assert amount == pytest.approx(sum(granted.values()) / 3, rel=0.03), tag
    assert sum(granted.values()) > 0.9 * CONFIG.bytes_per_clock * (result.clocks - FIRST_CLOCK)


@pytest.mark.cocotb
@pytest.mark.soak
def test_cocotb_gives_the_same_as_the_verilated_engine(tmp_path):
    asked = scenario(*heavy()).behind_axi(PORTS)
    ours = verilated.run_scenario(asked)
    theirs = cosim.run_scenario(asked, directory=tmp_path)
    assert served(ours) == served(theirs)
    for one, other in zip(ours.tenants, theirs.tenants, strict=True):
        assert np.array_equal(one.granted, other.granted)
        assert np.array_equal(one.completed, other.completed)


def test_a_beat_must_be_a_clock_s_worth():
    wide = dataclasses.replace(CONFIG, bytes_per_clock=32)
    with pytest.raises(UserError, match="beat_bytes must be 32 behind AXI ports"):
        scenario(*heavy(), config=wide).behind_axi(PORTS)


def test_a_request_must_not_leave_its_block():
    asked = scenario(*heavy())
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


def test_software_must_have_time_for_all_ports():
    sixteen = dataclasses.replace(CONFIG, tenants=16)
    asked = scenario(*heavy(), config=sixteen)
    two, three = [[tuple(range(k, 16, count)) for k in range(count)] for count in (2, 3)]
    assert asked.behind_axi(two).axi_ports == tuple(two)
    with pytest.raises(UserError, match=r"16 tenants must have at most 2 AXI ports .*, not 3"):
        asked.behind_axi(three)


def test_every_tag_has_a_port():
    asked = scenario(*heavy())
    with pytest.raises(ValueError, match=r"ports must have every tag of .*, not lack \[0"):
        asked.behind_axi(((), (1, 2)))
