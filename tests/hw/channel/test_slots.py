# amaranth: UnusedElaboratable=no
"""The slot table against a dictionary of what is in flight."""

import random
from collections import deque

import pytest

from mcos_hw.channel.slots import SlotTable
from mcos_hw.config import ChannelConfig
from mcos_hw.link.served import slot_entry_layout
from tests.hw.channel.bench import boundary, simulate

CONFIG = ChannelConfig(tenants=4, slots=16)
NAMES = {
    "reserve": "grant.valid",
    "take": "departure.valid",
    "entry": "departure.request",
    "complete": "completion.valid",
    "complete_slot": "completion.payload.slot",
}
WIDTHS = slot_entry_layout(CONFIG).members


def random_entry(rng):
    return {name: rng.getrandbits(width) for name, width in WIDTHS.items()}


async def reserve_and_take(bench, entry):
    """Reserves a slot that is said to be available, takes it and returns its number."""
    assert bench.get("open_then")
    await bench.tick()
    bench.set(reserve=1)
    await bench.tick()
    bench.set(reserve=0, take=1, entry=entry)
    slot = bench.get("slot")
    await bench.tick()
    bench.set(take=0)
    return slot


def test_signature():
    assert boundary(SlotTable(CONFIG)) == {
        "in": {"grant", "departure", "completion"},
        "out": {"open_then", "slot", "served"},
    }


@pytest.mark.parametrize("order", ["random", "oldest", "newest"])
@pytest.mark.parametrize("seed", [1, 2])
def test_completions_in_any_order(order, seed):
    rng = random.Random(seed)
    used, filled, emptied = set(), 0, 0

    async def testbench(bench):
        nonlocal filled, emptied
        # A reset in the middle forgets everything; what was in flight never completes.
        for _ in range(2):
            live = {}
            served = None
            available = reserved = False
            # Slots reserved and not yet to be reserved again.
            held = 0
            returning = deque([0, 0])
            for clock in range(1200):
                crowd = clock // 120 % 3
                assert bench.get("served.valid") == (served is not None)
                assert served is None or bench.get("served.entry") == served
                takes, reserved = reserved, available and rng.random() < (0.9, 0.5, 0.2)[crowd]
                completes = bool(live) and rng.random() < (0.3, 0.5, 0.9)[crowd]
                entry = random_entry(rng)
                bench.set(reserve=reserved, take=takes, entry=entry, complete=completes)
                held -= returning.popleft()
                held += reserved
                available = bench.get("open_then")
                assert available == (held < CONFIG.slots)
                filled += held == CONFIG.slots
                emptied += held == 0
                slot = bench.get("slot")
                served = None
                if completes:
                    slots = list(live)
                    index = {"random": rng.randrange(len(slots)), "oldest": 0, "newest": -1}[order]
                    bench.set(complete_slot=slots[index])
                    served = live.pop(slots[index])
                if takes:
                    assert slot not in live
                    live[slot] = entry
                    used.add(slot)
                returning.append(completes)
                await bench.tick()
            bench.set(reserve=0, take=0, complete=0)
            await bench.reset()
            assert not bench.get("served.valid")

    simulate(SlotTable(CONFIG), testbench, NAMES)
    assert used == set(range(CONFIG.slots))
    assert filled
    assert emptied


def test_available_falls_with_the_last_slot_and_rises_after_the_look_up():
    """The entry a clock after its completion; the slot's next reservation two clocks later."""

    async def testbench(bench):
        entry = random_entry(random.Random(1))
        slots = [await reserve_and_take(bench, entry) for _ in range(CONFIG.slots)]
        assert sorted(slots) == list(range(CONFIG.slots))
        assert not bench.get("open_then")
        bench.set(complete=1, complete_slot=9)
        await bench.tick()
        bench.set(complete=0)
        assert bench.get("served.valid")
        assert not bench.get("open_then")
        await bench.tick()
        assert await reserve_and_take(bench, entry) == 9
        assert not bench.get("open_then")

    simulate(SlotTable(CONFIG), testbench, NAMES)


def test_a_reservation_counts_before_it_is_taken():
    async def testbench(bench):
        bench.set(reserve=1)
        for reserved in range(1, CONFIG.slots + 1):
            assert bench.get("open_then") == (reserved < CONFIG.slots)
            await bench.tick()

    simulate(SlotTable(CONFIG), testbench, NAMES)


def test_one_in_and_one_out_a_clock_sustained():
    rng = random.Random(4)

    async def testbench(bench):
        entries = {}
        previous = None
        bench.set(reserve=1)
        await bench.tick()
        bench.set(take=1)
        for clock in range(100):
            assert bench.get("open_then")
            entry, slot = random_entry(rng), bench.get("slot")
            bench.set(entry=entry, complete=previous is not None)
            if previous is not None:
                bench.set(complete_slot=previous)
            if clock > 1:
                assert bench.get("served.entry") == entries[clock - 2]
            entries[clock] = entry
            previous = slot
            await bench.tick()

    simulate(SlotTable(CONFIG), testbench, NAMES)


def test_a_reset_with_slots_in_flight_frees_them_all():
    async def testbench(bench):
        entry = random_entry(random.Random(1))
        for rounds in (CONFIG.slots, 5, CONFIG.slots):
            taken = [await reserve_and_take(bench, entry) for _ in range(rounds)]
            assert len(set(taken)) == rounds
            bench.set(complete=1, complete_slot=taken[0])
            await bench.tick()
            bench.set(complete=0)
            await bench.reset()
            assert not bench.get("served.valid")
        assert {await reserve_and_take(bench, entry) for _ in range(CONFIG.slots)} == set(
            range(CONFIG.slots)
        )

    simulate(SlotTable(CONFIG), testbench, NAMES)
