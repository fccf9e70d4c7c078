"""HBM behind the memory port: what it takes, when it answers, and what it counts."""

import itertools

import numpy as np
import pytest

from mcos_sim.memory.hbm import PRESETS, Policy, Refresh, Scheduler, bursts_of, find_preset, serve
from mcos_sim.memory.hbm import port as at
from mcos_sim.memory.hbm.mapping import Field, Mapping
from mcos_sim.memory.hbm.memory import Hbm, memory_array, memory_counts
from tests.sim.memory.memory_port import MemoryPort

CLOCK_PS = 1250.0
FIRST = 1024
LATENCY = 20
SLOTS = 64


def array(hbm, *, slots=SLOTS, latency=LATENCY):
    return memory_array(
        hbm, clock_ps=CLOCK_PS, first_clock=FIRST, latency=latency, slots=slots, tenants=4
    )


def drive(memory, commands, *, held=SLOTS):
    """Give commands (tenant, write, address, size) as soon as they are taken.

    Returns the clock in which each was taken and was answered.
    """
    taken, answered = [], {}
    slots = list(range(SLOTS))
    of_slot = {}
    for clock in itertools.count(FIRST):
        if memory.takes(clock) and len(taken) < len(commands) and len(of_slot) < held:
            slot = slots.pop(0)
            of_slot[slot] = len(taken)
            memory.accept(slot, *commands[len(taken)], clock)
            taken.append(clock)
        slot = memory.serve(clock)
        if slot is not None:
            answered[of_slot.pop(slot)] = clock
            slots.append(slot)
        if len(answered) == len(commands):
            return taken, [answered[k] for k in range(len(commands))]
        assert clock < FIRST + 100_000


def some_commands(count, *, seed, writes=0.3):
    rng = np.random.default_rng(seed)
    return [
        (
            int(rng.integers(4)),
            int(rng.random() < writes),
            32 * int(rng.integers(1 << 14)),
            32 * int(rng.integers(1, 17)),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("refresh", Refresh)
def test_a_command_is_answered_when_its_last_burst_is_done(name, refresh):
    """The same bursts served as arrays, each from the tick on in which the port had it."""
    hbm = Hbm(preset=find_preset(name), policy=Policy(refresh=refresh, queue_entries=24))
    memory = MemoryPort(at, array(hbm), credit=1 << 20)
    commands = some_commands(400, seed=5)
    taken, answered = drive(memory, commands)
    ticks = int(memory.state[at.TICKS]), int(memory.state[at.TICKS_OVER])
    first_tick = 2 * -(-FIRST * ticks[0] // (2 * ticks[1]))

    def tick_of(clock):
        return -(-clock * ticks[0] // ticks[1])

    bursts = np.concatenate(
        [
            bursts_of(
                np.array([address]),
                hbm.preset,
                size=size,
                write=bool(write),
                # Its last tick of the clock in which it was taken; refresh counts from FIRST.
                arrival=tick_of(clock + 1) - 1 - first_tick,
            )
            for (_, write, address, size), clock in zip(commands, taken, strict=True)
        ]
    )
    served = serve(bursts, hbm.preset, hbm.policy)
    ends = np.cumsum([size // 32 for *_, size in commands])
    done = np.array([part.max() for part in np.split(served.completed, ends[:-1])])
    due = -(-(done + 1 + first_tick) * ticks[1] // ticks[0]) + LATENCY
    # Two may be due in one clock, and one is answered.
    assert (np.array(answered) >= due).all()
    assert np.mean(np.array(answered) == due) > 0.9
    counts = memory_counts(memory.state, 4)
    assert counts.classes.sum(axis=0).tolist() == np.bincount(served.classes).tolist()
    assert counts.commands == served.commands or refresh is not Refresh.NONE
    for tenant in range(4):
        mine = [each for each in commands if each[0] == tenant]
        assert counts.reads[tenant] == sum(size // 32 for _, write, _, size in mine if not write)
        assert counts.writes[tenant] == sum(size // 32 for _, write, _, size in mine if write)


def test_an_idle_row_is_opened_and_read():
    """ACT, RCD, CAS latency and data, and the latency of the way back."""
    hbm = Hbm(preset=find_preset("hbm3"))
    memory = MemoryPort(at, array(hbm), credit=1 << 20)
    (taken,), (answered,) = drive(memory, [(0, 0, 0, 32)])
    # The first tick of the next clock is a falling edge: ACT is issued one later.
    timing = hbm.preset.timing
    device = (timing["nRCDRD"] + timing["nCL"] + timing["nBL"]) * hbm.preset.clock_ps
    device_clocks = device / CLOCK_PS
    assert taken == FIRST
    assert LATENCY + 1 + device_clocks <= answered - taken <= LATENCY + 2 + device_clocks + 1


def test_the_port_waits_while_the_queue_is_full():
    """With four places, a command of sixteen bursts holds the port until the last one is in."""
    hbm = Hbm(preset=find_preset("hbm3"), policy=Policy(queue_entries=4))
    conflicts = [(0, 0, (k % 2) << 20, 512) for k in range(8)]
    taken, _ = drive(MemoryPort(at, array(hbm), credit=1 << 20), conflicts)
    assert min(np.diff(taken)) > 4
    wide = Hbm(preset=find_preset("hbm3"), policy=Policy(queue_entries=64))
    taken, _ = drive(MemoryPort(at, array(wide), credit=1 << 20), conflicts[:4])
    assert np.diff(taken).tolist() == [1, 1, 1]


def test_commands_overtake_each_other_and_none_is_lost():
    hbm = Hbm(preset=find_preset("hbm3"), policy=Policy(scheduler=Scheduler.FRFCFS))
    taken, answered = drive(
        MemoryPort(at, array(hbm), credit=1 << 20), some_commands(2_000, seed=9, writes=0.5)
    )
    assert (np.array(answered) > np.array(taken)).all()
    assert len(set(answered)) == len(answered)
    assert (np.diff(answered) < 0).any()


def test_the_mapping_decides():
    """All in one bank is all conflicts, all in one row is all hits."""

    def fields(order):
        bits = {"column": 5, "pseudo_channel": 1, "stack_id": 1, "bank_group": 2, "bank": 2}
        bits["row"] = 14
        return Mapping(tuple((Field(name), bits[name]) for name in order))

    rows_first = fields(["row", "column", "pseudo_channel", "stack_id", "bank_group", "bank"])
    columns_first = fields(["column", "row", "pseudo_channel", "stack_id", "bank_group", "bank"])
    for mapping, hits in ((rows_first, 0), (columns_first, 31)):
        hbm = Hbm(preset=find_preset("hbm3"), mapping=mapping, policy=Policy(refresh=Refresh.NONE))
        memory = MemoryPort(at, array(hbm), credit=1 << 20)
        drive(memory, [(1, 0, 32 * k, 32) for k in range(32)])
        assert memory_counts(memory.state, 4).classes.tolist()[1] == [hits, 1, 31 - hits]


def test_quiet_clocks_are_quiet():
    """Skipping to the clock that it names changes nothing."""
    hbm = Hbm(preset=find_preset("hbm3"))
    commands = some_commands(300, seed=3)

    def spaced(skips):
        memory = MemoryPort(at, array(hbm), credit=1 << 20)
        rng = np.random.default_rng(1)
        gaps = rng.integers(1, 400, len(commands))
        due = FIRST + np.cumsum(gaps)
        answers = []
        clock, k = FIRST, 0
        while len(answers) < len(commands):
            takes = memory.takes(clock)
            if k < len(commands) and clock >= due[k] and takes:
                memory.accept(k % SLOTS, *commands[k], clock)
                k += 1
            slot = memory.serve(clock)
            if slot is not None:
                answers.append((clock, slot))
            clock += 1
            if skips:
                quiet = at.quiet_until(memory.state, clock)
                clock = min(quiet, int(due[k])) if k < len(commands) else quiet
        return answers, memory_counts(memory.state, 4)

    plain, counts = spaced(False)
    skipped, skipped_counts = spaced(True)
    assert plain == skipped
    assert counts.commands == skipped_counts.commands
    assert (counts.classes == skipped_counts.classes).all()
