# amaranth: UnusedElaboratable=no
"""The slot table against a dictionary of what is in flight."""

import random

import pytest

from mcos_hw.channel.slots import SlotTable, slot_entry_layout
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import members, simulate

CONFIG = ChannelConfig(tenants=4, slots=16)
WIDTHS = slot_entry_layout(CONFIG).members


def random_entry(rng):
    values = {name: rng.getrandbits(width) for name, width in WIDTHS.items()}
    return values | {"beats": rng.randint(1, CONFIG.max_beats)}


def size(entry):
    return entry["beats"] * CONFIG.beat_bytes


async def allocate(bench, entry):
    """Takes a slot for ``entry`` and returns its number."""
    assert bench.get("available")
    slot = bench.get("slot")
    bench.set(allocate=1, entry=entry)
    await bench.tick()
    bench.set(allocate=0)
    return slot


def test_signature():
    entry = slot_entry_layout(CONFIG).size
    assert members(SlotTable(CONFIG)) == {
        "in": {"allocate": 1, "entry": entry, "complete": 1, "complete_slot": 4},
        "out": {
            "available": 1,
            "slot": 4,
            "served": 1,
            "served_entry": entry,
            "in_flight": CONFIG.credit_width,
        },
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
            live, served = {}, None
            for clock in range(1200):
                crowd = clock // 120 % 3
                held = len(live) + (served is not None)
                filled += held == CONFIG.slots
                emptied += held == 0
                assert bench.get("available") == (held < CONFIG.slots)
                assert bench.get("served") == (served is not None)
                assert bench.get("in_flight") == sum(map(size, live.values())) + (
                    size(served) if served else 0
                )
                assert served is None or bench.get("served_entry") == served

                allocates = held < CONFIG.slots and rng.random() < (0.9, 0.5, 0.2)[crowd]
                completes = live and rng.random() < (0.3, 0.5, 0.9)[crowd]
                entry = random_entry(rng)
                slot = bench.get("slot")
                bench.set(allocate=allocates, entry=entry, complete=bool(completes))
                served = None
                if completes:
                    slots = list(live)
                    index = {"random": rng.randrange(len(slots)), "oldest": 0, "newest": -1}[order]
                    bench.set(complete_slot=slots[index])
                    served = live.pop(slots[index])
                if allocates:
                    assert slot not in live
                    live[slot] = entry
                    used.add(slot)
                await bench.tick()
            bench.set(allocate=0, complete=0)
            await bench.reset()
            assert bench.get("in_flight") == 0
            assert not bench.get("served")

    simulate(SlotTable(CONFIG), testbench)
    assert used == set(range(CONFIG.slots))
    assert filled
    assert emptied


def test_available_falls_with_the_last_slot_and_rises_after_the_look_up():
    async def testbench(bench):
        entry = random_entry(random.Random(1))
        slots = [await allocate(bench, entry) for _ in range(CONFIG.slots)]
        assert sorted(slots) == list(range(CONFIG.slots))
        assert bench.get("in_flight") == CONFIG.slots * size(entry)
        bench.set(complete=1, complete_slot=9)
        assert not bench.get("available")
        await bench.tick()
        bench.set(complete=0)
        assert bench.get("served")
        assert not bench.get("available")
        await bench.tick()
        assert await allocate(bench, entry) == 9
        assert not bench.get("available")

    simulate(SlotTable(CONFIG), testbench)


def test_the_port_credit_of_all_slots_with_longest_requests_is_counted():
    async def testbench(bench):
        entry = random_entry(random.Random(1)) | {"beats": CONFIG.max_beats}
        for _ in range(CONFIG.slots):
            await allocate(bench, entry)
        assert bench.get("in_flight") == CONFIG.slots * CONFIG.l_max

    simulate(SlotTable(CONFIG), testbench)


def test_one_in_and_one_out_a_clock_sustained():
    rng = random.Random(4)

    async def testbench(bench):
        entries = {}
        previous = None
        for clock in range(100):
            assert bench.get("available")
            entry, slot = random_entry(rng), bench.get("slot")
            bench.set(allocate=1, entry=entry, complete=previous is not None)
            if previous is not None:
                bench.set(complete_slot=previous)
            if clock > 1:
                assert bench.get("served_entry") == entries[clock - 2]
            entries[clock] = entry
            previous = slot
            await bench.tick()

    simulate(SlotTable(CONFIG), testbench)


def test_a_reset_with_slots_in_flight_frees_them_all():
    async def testbench(bench):
        entry = random_entry(random.Random(1))
        for rounds in (CONFIG.slots, 5, CONFIG.slots):
            taken = [await allocate(bench, entry) for _ in range(rounds)]
            assert len(set(taken)) == rounds
            bench.set(complete=1, complete_slot=taken[0])
            await bench.tick()
            bench.set(complete=0)
            await bench.reset()
            assert not bench.get("served")
            assert bench.get("in_flight") == 0
        assert {await allocate(bench, entry) for _ in range(CONFIG.slots)} == set(
            range(CONFIG.slots)
        )

    simulate(SlotTable(CONFIG), testbench)
