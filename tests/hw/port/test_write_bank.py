# amaranth: UnusedElaboratable=no
"""The write bank against a dictionary of beats."""

import random

import pytest

from mcos_hw.link.transfer import FETCH_CLOCKS
from mcos_hw.port.write_bank import WriteBank
from tests.hw.channel.bench import boundary, simulation
from tests.hw.port.writing import fabric_of


def word(rng, entry, last):
    values = [rng.randrange(256) for _ in range(8)]
    return {"entry": entry, "last": last, "data": values, "strobe": rng.getrandbits(8)}


def test_signature():
    fabric = fabric_of(8, 8)
    assert boundary(WriteBank(fabric, fabric.ports[0])) == {"in": {"words", "fetch"}, "out": set()}


@pytest.mark.parametrize("clocks", [300, pytest.param(2000, marks=pytest.mark.soak)])
@pytest.mark.parametrize(("offers", "fetches"), [(0.9, 0.5), (0.5, 0.9), (1.0, 1.0)])
def test_fragments_are_fetched_in_any_order(offers, fetches, clocks):
    """Each beat comes back once, with its strobes, while others are stored."""
    fabric = fabric_of(8, 8, writes=8, write_units=16)
    rng = random.Random(f"{offers} {fetches}")
    seen = {"stored": 0, "full": 0}

    async def testbench(bench):
        free, filling, ready = list(range(8)), [], []
        offered = fetching = None
        beats, under_way = 0, []
        for clock in range(clocks):
            if offered is None and rng.random() < offers:
                if not filling and free:
                    entry = free.pop(rng.randrange(len(free)))
                    beats = rng.choice((1, rng.randrange(1, 9)))
                    filling = [entry]
                if filling:
                    offered = word(rng, filling[0], len(filling) == beats)
                    bench.set(**{"words.payload": offered})
            bench.set(**{"words.valid": offered is not None, "fetch.stb": 0})
            # What stands on the wires of a fetch that is none must not matter.
            bench.set(**{"fetch.entry": rng.randrange(8), "fetch.last": rng.randrange(2)})
            if fetching is None and ready and rng.random() < fetches:
                fetching = ready.pop(rng.randrange(len(ready)))
            if fetching is not None and rng.random() < fetches:
                entry, beat = fetching[0], fetching.pop(1)
                last = len(fetching) == 1
                bench.set(fetch={"stb": 1, "entry": entry, "last": last})
                under_way.append((clock, beat))
                if last:
                    fetching = None
                    free.append(entry)
            if under_way and under_way[0][0] == clock - FETCH_CLOCKS:
                _, beat = under_way.pop(0)
                assert bench.get("fetch.data").to_bytes(8, "little") == bytes(beat["data"])
                assert bench.get("fetch.strobe") == beat["strobe"]
            seen["full"] += not bench.get("words.ready")
            if offered is not None and bench.get("words.ready"):
                seen["stored"] += 1
                filling.append(offered)
                if offered["last"]:
                    ready.append(filling)
                    filling = []
                offered = None
            await bench.tick()

    simulation(WriteBank, fabric, fabric.ports[0]).run(testbench)
    assert seen["stored"] > clocks // 3
    assert offers != 0.9 or seen["full"]


def test_a_full_bank_waits_until_a_beat_is_fetched():
    """It holds as many beats as it has units, no more and no less, whatever was before."""
    fabric = fabric_of(8, 8, writes=8, write_units=16)
    rng = random.Random(1)

    async def testbench(bench):
        for _ in range(2):
            words = [word(rng, i // 8, i % 8 == 7) for i in range(17)]
            for each in words[:16]:
                assert bench.get("words.ready")
                bench.set(words={"payload": each, "valid": 1})
                await bench.tick()
            bench.set(words={"payload": words[16]})
            for _ in range(5):
                assert not bench.get("words.ready")
                await bench.tick()
            # A beat of the second fragment goes: its unit takes one word more.
            bench.set(fetch={"stb": 1, "entry": 1, "last": 0})
            await bench.tick()
            bench.set(fetch={"stb": 0})
            for clock in range(1, 8):
                assert bench.get("words.ready") == (clock == 4)
                if clock == FETCH_CLOCKS:
                    assert bench.get("fetch.strobe") == words[8]["strobe"]
                await bench.tick()
            bench.set(words={"valid": 0})
            await bench.reset()

    simulation(WriteBank, fabric, fabric.ports[0]).run(testbench)


def test_a_beat_can_be_fetched_in_the_clock_after_it_was_stored():
    fabric = fabric_of(8, 8, writes=4, write_units=16)
    rng = random.Random(2)

    async def testbench(bench):
        words = [word(rng, i % 4, True) for i in range(40)]
        for clock in range(43):
            stored = clock < 40
            bench.set(words={"payload": words[clock % 40], "valid": stored})
            assert bench.get("words.ready")
            bench.set(fetch={"stb": 0 < clock <= 40, "entry": (clock - 1) % 4, "last": 1})
            if clock >= 3:
                values = bytes(words[clock - 3]["data"])
                assert bench.get("fetch.data").to_bytes(8, "little") == values
            await bench.tick()

    simulation(WriteBank, fabric, fabric.ports[0]).run(testbench)
