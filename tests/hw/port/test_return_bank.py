# amaranth: UnusedElaboratable=no
"""The return bank against a dictionary of beats."""

import random

import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.port.return_bank import ReturnBank
from tests.hw.channel.bench import boundary, simulation
from tests.hw.port.returning import fabric_of, random_response

UNITS = 32
ENTRIES = 8


def sizes():
    return fabric_of(8, 16, reads=ENTRIES, read_units=UNITS)


async def reserve(bench, beats):
    """Waits for a clock, reserves room, if there is any, and says whether there was."""
    bench.set(beats=beats, waits=1)
    await bench.tick()
    room = bench.get("room")
    bench.set(reserve=room, waits=0)
    await bench.tick()
    bench.set(reserve=0)
    return room


async def send(bench, entry, data, *, response=Response.OKAY, last=True):
    """One clock in which a beat returns."""
    bench.set(
        returned={
            "valid": 1,
            "entry": entry,
            "data": data,
            "response": response,
            "last": last,
        }
    )
    await bench.tick()
    bench.set(returned={"valid": 0})


async def read(bench, entry, beat):
    """Finds and reads a beat, and returns its data and response."""
    bench.set(find=1, entry=entry, beat=beat)
    await bench.tick()
    bench.set(find=0, read=1)
    await bench.tick()
    bench.set(read=0)
    return bench.get("data"), bench.get("response")


def test_signature():
    assert boundary(ReturnBank(*sizes())) == {
        "in": {"beats", "waits", "reserve", "returned", "find", "entry", "beat", "read"},
        "out": {"room", "data", "response"},
    }


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(i, marks=pytest.mark.soak) for i in range(2, 9))]
)
def test_nothing_is_lost_or_doubled(seed):
    """Fragments reserved, returned in any order and read in any order, each at its own pace."""
    rng = random.Random(seed)
    full = least = interleaved = 0

    async def testbench(bench):
        nonlocal full, least, interleaved
        for _ in range(2):
            idle = list(range(ENTRIES))
            # Beats yet to come, and all beats, of each fragment reserved.
            coming, beats_of = {}, {}
            # Beats that may be found, and the one that was found last.
            ready, found, shown = [], None, None
            young, younger, free, freeing = [], [], UNITS, [0, 0]
            previous = None
            beats, waits = 1, False
            for clock in range(300):
                crowd = clock // 75 % 3
                if shown is not None:
                    assert (bench.get("data"), bench.get("response")) == shown
                beats = beats if waits else rng.choice((1, 2, 16, rng.randint(1, 16)))
                fits = waits and free >= beats
                room = fits or free >= 16
                bench.set(beats=beats)
                assert bench.get("room") == room
                full += free < beats
                least += fits and free == beats
                reserves = bool(idle) and room and rng.random() < (0.9, 0.3, 0.1)[crowd]
                waits = not reserves and rng.random() < 0.9
                bench.set(reserve=reserves, waits=waits)

                # What came two clocks ago can be found.
                ready += young
                young, younger = younger, []
                bench.set(returned={"valid": 0})
                if coming and rng.random() < (0.5, 0.9, 1)[crowd]:
                    entry = rng.choice(list(coming))
                    interleaved += previous not in (None, entry)
                    data, response = rng.getrandbits(128), random_response(rng)
                    place = beats_of[entry] - coming[entry]
                    coming[entry] -= 1
                    last = not coming[entry]
                    previous = None if last else entry
                    if last:
                        del coming[entry]
                    younger.append((entry, place, (data, response)))
                    bench.set(
                        returned={
                            "valid": 1,
                            "entry": entry,
                            "data": data,
                            "response": response,
                            "last": last,
                        }
                    )
                if reserves:
                    entry = idle.pop(rng.randrange(len(idle)))
                    coming[entry] = beats_of[entry] = beats
                    free -= beats

                free += freeing.pop(0)
                reads = found is not None and rng.random() < (0.5, 0.8, 0.9)[crowd]
                bench.set(read=reads, find=0)
                freeing.append(reads)
                if reads:
                    shown, found = found, None
                if ready and found is None and rng.random() < (0.5, 0.8, 1)[crowd]:
                    entry, place, found = ready.pop(rng.randrange(len(ready)))
                    bench.set(find=1, entry=entry, beat=place)
                    if entry not in {*coming, *(other[0] for other in ready + young + younger)}:
                        idle.append(entry)
                await bench.tick()
            bench.set(reserve=0, find=0, read=0, returned={"valid": 0})
            await bench.reset()

    simulation(ReturnBank, *sizes()).run(testbench)
    assert full
    assert least
    assert interleaved


@pytest.mark.parametrize("beats", [1, 2, 15, 16])
def test_room_is_exact_after_a_clock(beats):
    """As many fragments as fit, then not one beat more than is free."""

    async def testbench(bench):
        taken = [await reserve(bench, beats) for _ in range(UNITS // beats + 1)]
        assert taken == [1] * (UNITS // beats) + [0]
        rest = UNITS % beats
        for wanted in (rest + 1, rest):
            bench.set(beats=wanted, waits=1)
            await bench.tick()
            assert bench.get("room") == (wanted <= rest)
            # Nothing is known of a fragment that has just come.
            bench.set(waits=0)
            await bench.tick()
            assert not bench.get("room")

    simulation(ReturnBank, *sizes()).run(testbench)


def test_a_unit_is_room_three_clocks_after_its_read():
    """And what is reserved then may return in the clock after, in the only unit that is free."""

    async def testbench(bench):
        for _ in range(2):
            assert await reserve(bench, 16)
        for beat in range(UNITS):
            await send(bench, beat // 16, beat, last=beat % 16 == 15)
        await bench.tick()
        bench.set(beats=1)
        for beat in (3, 15, 0):
            assert await read(bench, 1, beat) == (16 + beat, Response.OKAY)
            assert not bench.get("room")
            await bench.tick()
            assert not bench.get("room")
            await bench.tick()
            assert await reserve(bench, 1)
            assert not bench.get("room")
            await send(bench, 2, 100 + beat)
            await bench.tick()
            assert await read(bench, 2, 0) == (100 + beat, Response.OKAY)
            await bench.tick(2)
            assert await reserve(bench, 1)
            await send(bench, 2, 200 + beat)
        for beat in range(16):
            assert await read(bench, 0, beat) == (beat, Response.OKAY)

    simulation(ReturnBank, *sizes()).run(testbench)


def test_a_beat_in_and_a_beat_out_in_every_clock():
    """Fragments of one beat in turn, and no more units than are under way."""

    async def testbench(bench):
        bench.set(beats=1)
        for clock in range(120):
            assert bench.get("room")
            bench.set(
                reserve=1,
                returned={
                    "valid": clock >= 1,
                    "entry": (clock - 1) % ENTRIES,
                    "data": clock - 1,
                    "last": 1,
                },
                find=clock >= 3,
                entry=(clock - 3) % ENTRIES,
                read=clock >= 4,
            )
            if clock >= 5:
                assert bench.get("data") == clock - 5
            await bench.tick()

    simulation(ReturnBank, *sizes()).run(testbench)


def test_what_was_found_and_read_waits():
    """A beat that was found may be read much later, and what was read stays."""

    async def testbench(bench):
        assert await reserve(bench, 2)
        await send(bench, 5, 7, last=False)
        await send(bench, 5, 8, response=Response.DECERR)
        await bench.tick()
        bench.set(find=1, entry=5, beat=1)
        await bench.tick()
        bench.set(find=0, beat=0, entry=1)
        await bench.tick(3)
        bench.set(read=1)
        await bench.tick()
        bench.set(read=0)
        for _ in range(3):
            assert (bench.get("data"), bench.get("response")) == (8, Response.DECERR)
            await bench.tick()

    simulation(ReturnBank, *sizes()).run(testbench)


@pytest.mark.parametrize("response", Response)
def test_an_exclusive_answer_is_a_plain_one(response):
    async def testbench(bench):
        assert await reserve(bench, 1)
        await send(bench, 0, 1, response=response)
        await bench.tick()
        kept = Response.OKAY if response is Response.EXOKAY else response
        assert await read(bench, 0, 0) == (1, kept)

    simulation(ReturnBank, *sizes()).run(testbench)


def test_reset_in_the_middle_of_a_fragment():
    """The next fragment of the entry begins with its first beat, and all units are free."""

    async def testbench(bench):
        assert await reserve(bench, 16)
        # Units are handed out in the same order after the reset, so 3 gets another one.
        await send(bench, 1, 0, last=False)
        await send(bench, 3, 1, last=False)
        await send(bench, 3, 2, last=False)
        await bench.reset()
        assert await reserve(bench, 16)
        assert await reserve(bench, 16)
        await send(bench, 3, 9, last=False)
        await bench.tick()
        assert await read(bench, 3, 0) == (9, Response.OKAY)

    simulation(ReturnBank, *sizes()).run(testbench)
