"""What a port promises: a beat a clock, and clocks from pin to pin, each stage named."""

import dataclasses

import pytest

from mcos_hw.config import FabricConfig
from mcos_sim.experiments.port_speed import Load, fabric_of, latencies, rates, stages
from tests.planted_hardware import planted_fabric
from tests.sim.axi.bugs import BUGS
from tests.sim.axi.fabrics import FABRIC

pytestmark = pytest.mark.cocotb


def library():
    # The soak's build; no bug of it is live.
    return planted_fabric(FABRIC, tuple(BUGS.values()))


def test_every_stage_is_named_and_adds_what_it_says():
    found = latencies(library(), FABRIC)
    assert found == {channel: sum(each.values()) for channel, each in stages(FABRIC).items()}
    assert found["ar"] - stages(FABRIC)["ar"]["Channel"] <= 6


def test_one_port_needs_no_turns_and_the_fastest_channel_two_clocks_more():
    two = fabric_of(lateness=3, ports=2)
    one = FabricConfig.around(two.channel, ports=two.ports[:1])
    slow = dataclasses.replace(one, channel=dataclasses.replace(one.channel, lateness=0))
    assert [sum(stages(each)["ar"].values()) for each in (two, one, slow)] == [10, 9, 7]


@pytest.mark.parametrize(
    ("load", "number", "reads", "writes"),
    [
        (Load(length=16, writes=0), 1, 0.95, 0),
        (Load(length=2, writes=1000), 0, 0, 0.9),
        (Load(length=8, writes=500, pacer=False), 1, 0.95, 0.95),
    ],
)
def test_a_beat_a_clock(load, number, reads, writes):
    """As far as the small banks of this fabric go; the narrow port needs half a memory beat.

    Runs are long, as beginning and end of a short one differ by chance.
    """
    found = rates(library(), FABRIC, load, transfers=64_000, latency=1, number=number)
    assert found.reads >= reads
    assert found.writes >= writes


def test_the_pacer_holds_both_together_to_a_beat_a_clock():
    found = rates(library(), FABRIC, Load(length=2, writes=500), transfers=32_000, latency=1)
    assert 0.85 < found.reads + found.writes <= 1.05
