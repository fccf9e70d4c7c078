"""The AXI top carries random bursts right, and a mistake in it is seen."""

import pytest

from mcos_hw.registers import PortError, fabric_map
from mcos_hw.registers.ports import PORT_ERROR_KINDS
from mcos_sim.axi.campaign import port_soak
from mcos_sim.axi.soak import run
from tests.planted_hardware import live_bug, planted_fabric
from tests.sim.axi.bugs import BUGS
from tests.sim.axi.fabrics import FABRIC, managers, register_writes

pytestmark = pytest.mark.cocotb


ERRORS = fabric_map(FABRIC)["PORT_ERRORS"]


def soak(budget, *, seed=1):
    # One build has every mistake, of which none is live without more.
    library = planted_fabric(FABRIC, tuple(BUGS.values()))
    reads = [ERRORS.offset + 4 * index for index in range(ERRORS.count)]
    return run(library, managers(budget), writes=register_writes(), reads=reads, seed=seed)


def test_random_bursts_of_two_ports():
    found = soak(10_000)
    assert not found.faults, found.first
    assert found.transactions == 20_000
    for port in found.ports:
        assert min(port.reads, port.writes) > 4_000
        assert min(port.unmapped, port.faulty) > 100
    # What was refused was counted by the port that refused it, as what it was.
    for number, port in enumerate(found.ports):
        counts = found.registers[PORT_ERROR_KINDS * number :]
        unmapped = (PortError.UNMAPPED_READ, PortError.UNMAPPED_WRITE)
        faulty = (PortError.FAULTY_READ, PortError.FAULTY_WRITE, PortError.WRONG_LAST)
        assert sum(counts[kind] for kind in unmapped) == port.unmapped
        assert sum(counts[kind] for kind in faulty) == port.faulty


@pytest.mark.parametrize("name", BUGS)
def test_a_mistake_is_seen(name):
    with live_bug(list(BUGS).index(name)):
        found = soak(2_000)
    assert found.faults, f"{name}: nothing was seen"


@pytest.mark.soak
def test_a_million_random_bursts():
    found = port_soak(transactions=1_000_000, seed=1)
    assert not found.faults, found.first
    assert found.figures()["transactions"] >= 1_000_000
