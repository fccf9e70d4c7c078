"""Ports in front of several channels carry random bursts right, and a mistake in them is seen."""

import dataclasses

import pytest

from mcos_policy.interleave import Interleave
from mcos_sim.axi.campaign import SPREAD_FABRICS, port_soak
from mcos_sim.axi.session import Manager
from mcos_sim.axi.settings import MemoryHabits, PortHabits, Region
from mcos_sim.axi.soak import run
from mcos_sim.axi.steady import ENDLESS, steady
from tests.sim.axi.bugs import SPREAD_BUGS
from tests.sim.axi.fabrics import (
    SPREAD,
    SPREAD_FABRIC,
    image_alone,
    managers,
    register_writes,
    spread_bug,
    spread_library,
)

pytestmark = pytest.mark.cocotb


HASHED = Interleave(
    grain=1, masks=(0x5555_5552, 0x3333_3334), block_width=SPREAD_FABRIC.block_width
)
"""Two blocks after each other in a channel, and the bits above in the choice of both."""


def soak(budget, *, writes=None, interleave=SPREAD, seed=1):
    return run(
        spread_library(),
        managers(budget),
        writes=register_writes(SPREAD_FABRIC) if writes is None else writes,
        interleave=interleave,
        seed=seed,
    )


def test_random_bursts_of_two_ports_to_four_channels():
    found = soak(10_000)
    assert not found.faults, found.first
    assert found.transactions == 20_000
    for port in found.ports:
        assert min(port.reads, port.writes) > 4_000
    # All channels have their part.
    for memory in found.memories:
        assert min(memory.read_bursts, memory.write_bursts) > 5_000


def test_an_image_sets_interleave_and_tenant_tables():
    found = soak(2_000, writes=image_alone(HASHED), interleave=HASHED)
    assert not found.faults, found.first
    assert found.transactions == 4_000
    assert min(port.unmapped for port in found.ports) > 20
    # Memories that are spread otherwise are not where the fabric asks for them.
    assert soak(200, writes=image_alone(HASHED)).faults


@pytest.mark.parametrize("name", SPREAD_BUGS)
def test_a_mistake_is_seen(name):
    with spread_bug(name):
        found = soak(2_000)
    assert found.faults, f"{name}: nothing was seen"


def test_what_a_fabric_carries_is_counted_between_two_clocks():
    habits = PortHabits(
        budget=ENDLESS, vary=False, writes=0, faulty=0, unmapped=0, stray=0, length=1, size=3
    )
    found = steady(
        spread_library(),
        [
            Manager(ids=range(4), habits=habits),
            Manager(ids=range(4), habits=dataclasses.replace(habits, favourite=2, favours=1000)),
        ],
        writes=register_writes(SPREAD_FABRIC),
        memory=MemoryHabits(memory_vary=False, memory_spread=0),
        regions=[Region(base=0, size=1 << 16)],
        interleave=SPREAD,
        seed=1,
        warm=500,
        clocks=2_000,
    )
    # Nothing is lost on the way, and one port asks for everything of one channel.
    assert sum(found.answers) == pytest.approx(sum(found.grants), abs=0.05)
    assert min(found.answers) > 0.1
    others = [rate for channel, rate in enumerate(found.grants) if channel != 2]
    assert found.grants[2] > found.answers[1] > max(others)
    assert found.latency > 10


@pytest.mark.soak
def test_a_million_random_bursts_of_many_ports_to_many_channels():
    found = port_soak(transactions=1_000_000, fabrics=SPREAD_FABRICS, seed=1)
    assert not found.faults, found.first
    assert found.figures()["transactions"] >= 1_000_000
