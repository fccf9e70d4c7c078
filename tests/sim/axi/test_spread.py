"""Ports in front of several channels carry random bursts right, and a mistake in them is seen."""

import pytest

from mcos_sim.axi.campaign import SPREAD_FABRICS, port_soak
from mcos_sim.axi.soak import run
from tests.planted_hardware import live_bug, planted_fabric
from tests.sim.axi.bugs import SPREAD_BUGS
from tests.sim.axi.fabrics import SPREAD, SPREAD_FABRIC, managers, register_writes

pytestmark = pytest.mark.cocotb


def soak(budget, *, seed=1):
    # One build has every mistake, of which none is live without more.
    return run(
        planted_fabric(SPREAD_FABRIC, tuple(SPREAD_BUGS.values())),
        managers(budget),
        writes=register_writes(SPREAD_FABRIC),
        interleave=SPREAD,
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


@pytest.mark.parametrize("name", SPREAD_BUGS)
def test_a_mistake_is_seen(name):
    with live_bug(list(SPREAD_BUGS).index(name)):
        found = soak(2_000)
    assert found.faults, f"{name}: nothing was seen"


@pytest.mark.soak
def test_a_million_random_bursts_of_many_ports_to_many_channels():
    found = port_soak(transactions=1_000_000, fabrics=SPREAD_FABRICS, seed=1)
    assert not found.faults, found.first
    assert found.figures()["transactions"] >= 1_000_000
