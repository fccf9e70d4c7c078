"""The soak passes what is right and counts what is wrong, each mistake as what it is."""

import dataclasses

import pytest

from mcos_policy.interleave import Interleave
from mcos_sim.axi.session import Manager
from mcos_sim.axi.settings import MemoryHabits, PortHabits, Region
from mcos_sim.axi.soak import REGIONS, run
from mcos_sim.errors import HardwareError
from tests.sim.axi.stand_in import BUGS, live_bug, stand_in

pytestmark = pytest.mark.cocotb

# A design without a port's checks must get nothing that breaks a rule.
HABITS = PortHabits(budget=3_000, faulty=0, unmapped=0, stray=0)


def soak(*, seed=1, habits=HABITS, **more):
    return run(stand_in(), [Manager(ids=range(16), habits=habits)], seed=seed, **more)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_right_passes(seed):
    found = soak(seed=seed)
    assert not found.faults, found.first
    assert found.transactions == HABITS.budget
    port = found.ports[0]
    assert port.reads + port.writes == HABITS.budget
    assert min(port.bytes_read, port.bytes_written) > 10 * HABITS.budget
    assert 10 < port.mean_read < port.worst_read


def test_the_same_seed_is_the_same_run():
    assert dataclasses.replace(soak(), seconds=0) == dataclasses.replace(soak(), seconds=0)
    assert soak().clocks != soak(seed=2).clocks


@pytest.mark.parametrize("name", BUGS)
def test_a_mistake_is_counted_as_what_it_is(name):
    sort = BUGS[name][2]
    # An answer of the next burst would be seen by its code before what else goes wrong.
    regions = REGIONS if sort == "corrupted" else REGIONS[:2]
    with live_bug(name):
        found = soak(regions=regions)
    assert getattr(found, sort) > 0, (found.figures(), found.first)
    assert found.first.startswith("clock ")


def test_latency_is_that_of_the_memory():
    """A read alone: the clock that it takes effect in, the memory's latency, a beat a clock."""
    habits = PortHabits(
        budget=50, writes=0, vary=False, faulty=0, unmapped=0, period=100, length=4, size=3
    )
    memory = MemoryHabits(memory_vary=False, memory_latency=7, memory_spread=0)
    found = soak(habits=habits, memory=memory, regions=[Region(base=0)])
    assert found.ports[0].worst_read == found.ports[0].mean_read == 1 + 7 + 3
    assert found.clocks >= 49 * 100


def test_a_run_that_does_not_end_has_failed():
    found = soak(most_clocks=2_000)
    assert found.deadlocks == 1
    assert found.lost > 0
    assert "under way" in found.first


def test_a_register_that_does_not_answer_is_reported():
    with pytest.raises(HardwareError, match="register 0x10 must answer OKAY, not nothing"):
        soak(writes=[(0x10, 1)])


def test_managers_are_one_a_port():
    with pytest.raises(ValueError, match="managers must be one for each of 1 ports, not 0"):
        run(stand_in(), [], seed=1)


def test_an_interleave_is_over_the_memories():
    spread = Interleave.default(2, 9)
    with pytest.raises(ValueError, match="interleave must be over 1 memories, not 2"):
        soak(interleave=spread)


def test_a_region_is_whole_pages():
    with pytest.raises(ValueError, match="base must be a multiple of 4096, not 64"):
        Region(base=64)
