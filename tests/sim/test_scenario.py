"""A scenario: what it refuses, its streams at their ports, its channels, and engines' limit."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.engines.dispatch import Engine, run_scenario
from mcos_sim.errors import UserError
from mcos_sim.scenario import Channel, Port, RunResult, Scenario, Window, one_port
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

CHANNEL = Channel(latency=10, credit=4_096)


def stream(tag, *, window=1):
    return Stream(
        name=f"t{tag}",
        tag=tag,
        window=window,
        closed=True,
        requests=np.zeros(0, REQUEST),
        steps=np.zeros(0, STEP),
    )


def scenario(**changes):
    fields = {"ports": one_port([stream(0), stream(3)]), "channels": (CHANNEL,)} | changes
    return Scenario(
        name="run",
        arbiter=ArbiterKind.MCOS,
        config=ChannelConfig(tenants=4),
        image=(),
        clocks=2_000,
        seed=1,
        **fields,
    )


def two_ports():
    return (
        Port(name="a", streams=(stream(0), stream(2))),
        Port(name="b", streams=(stream(3),)),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ports": ()}, "'run' must have at least one port and one channel, not 0 and 1"),
        ({"channels": ()}, "'run' must have at least one port and one channel, not 1 and 0"),
        (
            {"ports": (Port(name="a", streams=()), Port(name="a", streams=()))},
            r"ports of 'run' must have different names, not \['a', 'a'\]",
        ),
        (
            {"ports": (*one_port([stream(3)]), Port(name="b", streams=(stream(3),)))},
            r"streams of 'run' must have different tags, not \[3, 3\]",
        ),
    ],
)
def test_names_of_ports_and_tags_of_streams_are_unique(changes, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        scenario(**changes)


def test_a_stream_stays_at_its_port():
    asked = scenario(ports=two_ports())
    assert [each.tag for each in asked.streams] == [0, 2, 3]
    found = asked.with_streams([stream(3, window=7), stream(0)])
    assert [(port.name, [each.tag for each in port.streams]) for port in found.ports] == [
        ("a", [0]),
        ("b", [3]),
    ]
    assert found.ports[1].streams[0].window == 7
    message = "^tag of 't1' must be that of a stream of 'run', which has several ports, not 1$"
    with pytest.raises(ValueError, match=message):
        asked.with_streams([stream(1)])
    assert [each.tag for each in scenario().with_streams([stream(1)]).streams] == [1]


def test_channels_are_alike():
    assert scenario().with_channel(latency=20).channel == dataclasses.replace(CHANNEL, latency=20)
    slower = dataclasses.replace(CHANNEL, latency=20)
    assert scenario(channels=(CHANNEL,) * 2).with_channel(latency=20).channels == (slower,) * 2
    with pytest.raises(ValueError, match=r"^channels of 'run' must be alike, not "):
        assert scenario(channels=(CHANNEL, slower)).channel
    result = RunResult(clocks=0, tenants=(), channels=(), seconds=0.0)
    with pytest.raises(ValueError, match=r"^a result must be of one channel, not 0$"):
        assert result.channel


REFUSED = {
    "ports": ({"ports": two_ports()}, "runs one port without AXI, not 2; put all streams of 'run'"),
    "channels": ({"channels": (CHANNEL,) * 2}, "runs one channel without AXI, not 2; put"),
    "count": (
        {"channels": (CHANNEL,) * 3, "axi_ports": ((3,),)},
        "runs 1, 2, 4, 8, 16, 32 channels, all alike, not the 3 of 'run'; choose such a number",
    ),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=list(REFUSED))
@pytest.mark.parametrize("engine", list(Engine))
def test_what_no_engine_runs_is_refused(engine, changes, message):
    with pytest.raises(UserError, match=re.escape(message)):
        run_scenario(engine, scenario(**changes), directory=Path("unused"))


def test_cocotb_writes_no_waveform_of_several_channels():
    window = Window(path=Path("unused"), first=0, end=1)
    asked = scenario(channels=(CHANNEL,) * 2, axi_ports=((3,),), window=window)
    with pytest.raises(UserError, match="of 2 channels must be of the verilated or the reference"):
        run_scenario(Engine.COCOTB, asked, directory=Path("unused"))
