# amaranth: UnusedElaboratable=no
"""The residency table against a dictionary."""

import random

import pytest

from mcos_hw.config import MovementConfig
from mcos_hw.movement.hashing import row_bits
from mcos_hw.movement.table import SIDES, WAYS, Table
from tests.hw.channel.bench import boundary, simulation
from tests.hw.movement.test_dma import fabric_of

MOVEMENT = MovementConfig(frame_bytes=1024, jobs=4, rows=4, table_rows=8, frames=(8, 8))
PLACES = SIDES * WAYS * MOVEMENT.table_rows


def test_signature():
    assert boundary(Table(fabric_of(), MOVEMENT)) == {
        "in": {"look", "object", "moves", "looking", "deciding", "store", "at", "taken", "value"},
        "out": {"found", "entry", "slot", "full", "clashes", "clears"},
    }


@pytest.mark.parametrize("side", range(SIDES))
def test_names_that_count_up_go_to_rows_that_differ(side):
    """Any 16 names in sequence, whatever the rest of the name is."""
    masks = row_bits(side, 4)
    rng = random.Random(side)
    for _ in range(50):
        high = rng.getrandbits(60) << 4
        found = {
            sum(((high | low) & mask).bit_count() % 2 << k for k, mask in enumerate(masks))
            for low in range(16)
        }
        assert len(found) == 16


def run(scenario):
    async def testbench(bench):
        bench.set(moves=1)
        while bench.get("clears"):
            await bench.tick()
        await scenario(bench)

    simulation(Table, fabric_of(), MOVEMENT).run(testbench)


async def look(bench, name):
    """What is found of a name two clocks later."""
    bench.set(look=1, object=name)
    await bench.tick()
    bench.set(look=0)
    await bench.tick()
    return {each: bench.get(each) for each in ("found", "entry", "slot", "full")}


async def store(bench, found, *, taken=1, **fields):
    bench.set(store=1, at=found["slot"], taken=taken, value=found["entry"] | fields)
    await bench.tick()
    bench.set(store=0)


@pytest.mark.parametrize("sequence", [False, True])
def test_every_name_is_found_until_it_is_removed(sequence):
    """A new one is refused only if its two rows are full; nine tenths are used before that."""

    async def scenario(bench):
        rng = random.Random(5)
        names = [each if sequence else rng.getrandbits(64) for each in range(PLACES + 8)]
        known, refused = {}, []
        for name in names:
            found = await look(bench, name)
            assert not found["found"]
            if found["full"]:
                refused.append(len(known))
                continue
            await store(bench, found, object=name, version=len(known) + 1)
            known[name] = len(known) + 1
        assert len(refused) >= 8
        assert refused[0] >= 0.75 * PLACES
        for name in names:
            found = await look(bench, name)
            assert found["found"] == (name in known)
            if name in known:
                assert found["entry"]["object"] == name
                assert found["entry"]["version"] == known[name]
        for name in list(known)[::3]:
            await store(bench, await look(bench, name), taken=0)
            del known[name]
        for name in names:
            assert (await look(bench, name))["found"] == (name in known)

    run(scenario)


def test_names_that_may_share_a_row_clash():
    """While the one before is looked for, and while it is not decided."""

    async def scenario(bench):
        rng = random.Random(6)
        masks = [row_bits(side, 3) for side in range(SIDES)]

        def rows(name):
            return [
                sum((name & mask).bit_count() % 2 << k for k, mask in enumerate(each))
                for each in masks
            ]

        seen = set()
        for _ in range(60):
            first, second = (rng.getrandbits(64) for _ in range(2))
            await look(bench, first)
            shares = any(a == b for a, b in zip(rows(first), rows(second), strict=True))
            for looking, deciding in ((1, 0), (0, 1), (0, 0)):
                bench.set(object=second, looking=looking, deciding=deciding)
                assert bench.get("clashes") == (shares and (looking or deciding))
            seen.add(shares)
        assert seen == {False, True}

    run(scenario)


def test_one_name_in_every_clock():
    async def scenario(bench):
        names = [3, 1 << 40, 99]
        for name in names:
            await store(bench, await look(bench, name), object=name)
        for clock in range(12):
            bench.set(look=1, object=names[clock % 3])
            if clock >= 2:
                assert bench.get("found")
                assert bench.get("entry")["object"] == names[(clock - 2) % 3]
            await bench.tick()

    run(scenario)
