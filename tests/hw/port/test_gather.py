# amaranth: UnusedElaboratable=no
"""What several channels tell in one clock: each item once, in its channel's order."""

import random

import pytest
from amaranth.lib import data

from mcos_hw.port.gather import Gather
from tests.hw.channel.bench import boundary, simulate

ITEM = data.StructLayout({"entry": 8})


def gathered(channels, clocks, *, depth):
    """Items that leave, as (clock, item), when ``clocks[n][c]`` comes from channel c in clock n."""
    found = []

    async def testbench(bench):
        for clock in range(len(clocks) + channels * depth + 4):
            row = clocks[clock] if clock < len(clocks) else (None,) * channels
            for c, entry in enumerate(row):
                valid = {f"i.{c}.valid": entry is not None, f"i.{c}.payload.entry": entry or 0}
                bench.set(**valid)
            if bench.get("o.valid"):
                found.append((clock, bench.get("o.payload.entry")))
            await bench.tick()

    simulate(Gather(ITEM, depth=depth, channels=channels), testbench)
    return found


def test_signature():
    assert boundary(Gather(ITEM, depth=4, channels=2)) == {"in": {"i"}, "out": {"o"}}


def test_of_one_channel_an_item_leaves_in_its_clock():
    assert gathered(1, [(3,), (None,), (4,), (5,)], depth=4) == [(0, 3), (2, 4), (3, 5)]


def test_of_several_channels_it_leaves_a_clock_later():
    assert gathered(2, [(3, None), (None, 4)], depth=4) == [(1, 3), (2, 4)]


def test_items_of_one_clock_leave_one_after_the_other():
    found = gathered(4, [(0, 1, 2, 3)], depth=2)
    assert [clock for clock, _ in found] == [1, 2, 3, 4]
    assert sorted(entry for _, entry in found) == [0, 1, 2, 3]


def test_a_channel_that_always_has_one_keeps_nobody_waiting():
    busy = [(n % 64, 200 if n == 10 else None) for n in range(20)]
    found = gathered(2, busy, depth=32)
    assert {entry: clock for clock, entry in found}[200] <= 12


@pytest.mark.parametrize("channels", [2, 3, 8])
def test_every_item_leaves_once_and_in_the_order_of_its_channel(channels):
    """As many as fit come at once, again and again."""
    depth = 8
    rng = random.Random(channels)
    clocks, number, held = [], 0, 0
    for _ in range(600):
        row = []
        for _ in range(channels):
            comes = held < depth and number < 250 and rng.random() < 0.6
            row.append(number if comes else None)
            number += comes
            held += comes
        held -= held > 0 and rng.random() < 0.9
        clocks.append(tuple(row))
    found = [entry for _, entry in gathered(channels, clocks, depth=depth)]
    came = {c: [row[c] for row in clocks if row[c] is not None] for c in range(channels)}
    assert sorted(found) == list(range(number))
    for items in came.values():
        assert [entry for entry in found if entry in set(items)] == items
