"""The simple memory: when each command completes, and how much it holds."""

import pytest

from mcos_sim.memory import simple_port
from mcos_sim.memory.simple import simple_state
from tests.sim.memory.memory_port import MemoryPort


def memory(*, credit=1_024, **settings):
    state = simple_state(**{"latency": 10, "bytes_per_clock": 64, "slots": 16} | settings)
    return MemoryPort(simple_port, state, credit=credit)


def serve(memory, clock):
    """The slot that completes in a clock."""
    assert memory.takes(clock)
    return memory.serve(clock)


def accept(memory, slot, size, clock):
    memory.accept(slot, 0, 0, 0, size, clock)


def completions(memory, clocks):
    """Slot that completes in each clock in which one does."""
    served = ((clock, serve(memory, clock)) for clock in range(clocks))
    return {clock: slot for clock, slot in served if slot is not None}


@pytest.mark.parametrize("name", ["latency", "bytes_per_clock"])
def test_parameters_are_at_least_one(name):
    with pytest.raises(ValueError, match=f"^{name} must be at least 1, not 0$"):
        memory(**{name: 0})


@pytest.mark.parametrize(("size", "clocks"), [(32, 1), (64, 1), (65, 2), (128, 2), (512, 8)])
def test_a_command_completes_a_latency_after_its_last_byte(size, clocks):
    m = memory()
    accept(m, 7, size, 100)
    assert serve(m, 100 + clocks + 10 - 1) is None
    assert serve(m, 100 + clocks + 10) == 7
    assert serve(m, 100 + clocks + 11) is None


def test_bytes_pass_one_after_another():
    m = memory()
    accept(m, 1, 512, 0)
    accept(m, 2, 256, 3)
    accept(m, 3, 64, 50)  # long after the others have passed
    assert completions(m, 100) == {18: 1, 22: 2, 61: 3}


def test_rates_that_do_not_divide_sizes_lose_nothing():
    m = memory(bytes_per_clock=48, latency=1, credit=10_000)
    for slot in range(9):
        accept(m, slot, 64, 0)
    # Nine times 64 bytes at 48 a clock are 12 clocks.
    served = completions(m, 20)
    assert list(served.values()) == list(range(9))
    assert max(served) == 12 + 1


def test_one_command_completes_in_a_clock():
    m = memory(bytes_per_clock=512)
    for slot in range(4):
        accept(m, slot, 128, 0)
    assert completions(m, 20) == {11: 0, 12: 1, 13: 2, 14: 3}


def test_credit_is_for_what_is_accepted_and_not_served():
    m = memory(credit=512)
    assert m.room(512)
    assert not m.room(513)
    accept(m, 0, 256, 0)
    assert m.held == 256
    assert m.room(256)
    assert not m.room(257)
    assert serve(m, 13) is None
    assert not m.room(512)
    assert serve(m, 14) == 0
    assert m.held == 0
    assert m.room(512)
