"""Nobody on another port moves a tenant that keeps to its guarantee over its bound."""

import pytest

from mcos_sim.axi.isolation import NEIGHBOURS, measure_isolation
from tests.planted_hardware import planted_fabric
from tests.sim.axi.bugs import BUGS
from tests.sim.axi.fabrics import FABRIC

pytestmark = pytest.mark.cocotb


def test_no_neighbour_moves_a_conforming_tenant_over_its_bound():
    library = planted_fabric(FABRIC, tuple(BUGS.values()))
    found = measure_isolation(FABRIC, library, bursts=300, seed=1)
    assert not found.faults
    assert found.worst.keys() == NEIGHBOURS.keys()
    assert found.kept, found
    # Neighbours are there: they move bytes, and a flooder is felt.
    assert found.neighbour_bytes.pop("nobody") == 0
    assert min(found.neighbour_bytes.values()) > 1_000
    assert found.worst["flooder"] > found.worst["nobody"]
