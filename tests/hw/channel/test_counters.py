# amaranth: UnusedElaboratable=no
"""Counters of an epoch: latched at once, saturating, never cleared by hand."""

import random
from collections import Counter

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.counters import EpochCounter, EpochCounters
from mcos_hw.primitive.count import counted, shown
from tests.hw.channel.bench import members, simulate

COUNT_WIDTH = 31
"""A number of the test's own: of the hardware's no test would see that it is wrong."""
LARGEST = (1 << COUNT_WIDTH) - 1
OVERFLOW = 1 << COUNT_WIDTH


class Sum(wiring.Component):
    count: In(32)
    amount: In(COUNT_WIDTH)
    total: Out(32)
    read: Out(32)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.total.eq(counted(self.count, self.amount)),
            self.read.eq(shown(self.total)),
        ]
        return m


@pytest.mark.parametrize("depth", [0, -1, 3, 12])
def test_depth_must_be_a_power_of_two(depth):
    with pytest.raises(ValueError, match=f"^depth must be a power of two, not {depth}$"):
        EpochCounters(depth=depth, amount_width=1)


def test_signature():
    assert members(EpochCounter()) == {"in": {"latch": 1, "count": 1}, "out": {"latched": 32}}
    counters = EpochCounters(depth=8, amount_width=10)
    assert (counters.depth, counters.amount_width) == (8, 10)
    assert members(counters) == {
        "in": {"epoch": 32, "count": 1, "index": 3, "amount": 10, "read_index": 3},
        "out": {"read_data": 32},
    }


@pytest.mark.parametrize(
    ("count", "amount", "total"),
    [
        (0, 0, 0),
        (5, 6, 11),
        (LARGEST - 1, 1, LARGEST),
        (LARGEST, 0, LARGEST),
        (LARGEST, 1, OVERFLOW),
        (LARGEST, LARGEST, OVERFLOW | LARGEST - 1),
        (OVERFLOW, 0, OVERFLOW),
        (OVERFLOW | LARGEST, 1, OVERFLOW),
    ],
)
def test_a_count_saturates_and_says_so(count, amount, total):
    async def testbench(bench):
        bench.set(count=count, amount=amount)
        assert bench.get("total") == total
        assert bench.get("read") == (OVERFLOW | LARGEST if total & OVERFLOW else total)

    simulate(Sum(), testbench)


def test_a_counter_latches_with_the_last_clock_of_the_epoch():
    rng = random.Random(1)

    async def testbench(bench):
        running = latched = 0
        for _ in range(1000):
            latch, count = rng.random() < 0.05, rng.random() < 0.5
            assert bench.get("latched") == latched
            bench.set(latch=latch, count=count)
            await bench.tick()
            running += count
            if latch:
                latched, running = running, 0

    simulate(EpochCounter(), testbench)


async def clear(bench, depth):
    """Waits until all rows are cleared after reset."""
    bench.set(epoch=1)
    await bench.tick(2 * depth)


async def read(bench, index):
    bench.set(read_index=index)
    await bench.tick()
    return bench.get("read_data")


@pytest.mark.parametrize("depth", [1, 2, 16])
def test_many_counters_over_many_epochs(depth):
    """Counts of an epoch are complete from the fourth clock of the next one on."""
    rng = random.Random(depth)

    async def testbench(bench):
        await clear(bench, depth)
        epoch, counts, expected = 1, Counter(), None
        nonzero = elapsed = 0
        for _ in range(3000):
            if expected is not None:
                assert bench.get("read_data") == expected
                nonzero += expected != 0
            elapsed += 1
            if rng.random() < 0.1:
                # Epochs may be short, and some may be left out.
                epoch += rng.choice((1, 1, 1, 2, 3))
                elapsed = 0
            # Spells of the same counter in a row.
            index = rng.randrange(depth) if rng.random() < 0.5 else 0
            count, amount = rng.random() < 0.6, rng.randrange(1 << 10)
            read_index = rng.randrange(depth)
            bench.set(epoch=epoch, count=count, index=index, amount=amount, read_index=read_index)
            expected = counts[epoch - 1, read_index] if elapsed >= 3 else None
            await bench.tick()
            if count:
                counts[epoch, index] += amount
        assert nonzero > 250

    simulate(EpochCounters(depth=depth, amount_width=10), testbench)


@pytest.mark.parametrize("power", range(1, 32))
def test_a_row_of_an_epoch_long_ago_counts_as_zero(power):
    """However many epochs ago it was, in every bit of their number."""

    async def testbench(bench):
        await clear(bench, 1)

        async def count(epoch, amount):
            bench.set(epoch=epoch, count=1, amount=amount)
            await bench.tick()
            bench.set(count=0)
            await bench.tick(4)

        before, now = 2, 2 + (1 << power)
        await count(before, 7)
        bench.set(epoch=before + 1)
        assert await read(bench, 0) == 7
        bench.set(epoch=now + 1)
        await bench.tick()
        assert await read(bench, 0) == 0
        await count(now, 5)
        bench.set(epoch=now + 1)
        await bench.tick()
        assert await read(bench, 0) == 5

    simulate(EpochCounters(depth=1, amount_width=4), testbench)


def test_an_epoch_is_latched_as_a_whole_by_the_change_of_its_number():
    async def testbench(bench):
        await clear(bench, 4)
        bench.set(epoch=7, count=1)
        for index in range(4):
            bench.set(index=index, amount=index + 1)
            await bench.tick()
        bench.set(epoch=8, index=2, amount=50)
        await bench.tick(3)
        assert [await read(bench, index) for index in range(4)] == [1, 2, 3, 4]
        bench.set(epoch=9, count=0)
        await bench.tick(3)
        assert [await read(bench, index) for index in range(4)] == [0, 0, 350, 0]

    simulate(EpochCounters(depth=4, amount_width=6), testbench)


@pytest.mark.parametrize("spacing", [1, 2, 3, 4, 6])
def test_a_count_misses_none_of_those_on_their_way_to_its_row(spacing):
    async def testbench(bench):
        await clear(bench, 4)
        bench.set(index=1, amount=1)
        for clock in range(24):
            bench.set(count=clock % spacing == 0)
            await bench.tick()
        bench.set(epoch=2, count=0)
        await bench.tick(3)
        assert await read(bench, 1) == 24 // spacing

    simulate(EpochCounters(depth=4, amount_width=1), testbench)


@pytest.mark.parametrize(("last", "word"), [(1, LARGEST), (2, OVERFLOW | LARGEST)])
def test_a_saturated_count_says_so_and_its_overflow_ends_with_the_epoch(last, word):
    async def testbench(bench):
        await clear(bench, 2)
        bench.set(count=1, index=1, amount=LARGEST - 1)
        await bench.tick()
        bench.set(amount=last)
        await bench.tick()
        bench.set(epoch=2, amount=3)
        await bench.tick()
        bench.set(count=0)
        await bench.tick(2)
        assert await read(bench, 1) == word
        bench.set(epoch=3)
        await bench.tick(3)
        assert await read(bench, 1) == 3

    simulate(EpochCounters(depth=2, amount_width=COUNT_WIDTH), testbench)


@pytest.mark.parametrize("moment", [0, 1, 5, 6, 7, 8])
def test_reset_clears_all_counters_and_counts_nothing_meanwhile(moment):
    """An event in one clock after reset, with the clearing of 8 rows under way up to clock 7."""
    depth = 4

    async def testbench(bench):
        await clear(bench, depth)
        bench.set(count=1, amount=9)
        for index in range(depth):
            for epoch in (1, 2):
                bench.set(index=index, epoch=epoch)
                await bench.tick()
        bench.set(count=0)
        await bench.tick(3)
        bench.set(epoch=1)
        await bench.reset()
        bench.set(index=3, amount=5)
        for clock in range(2 * depth + 3):
            bench.set(count=clock == moment)
            await bench.tick()
        # Epoch 0 has no counts either.
        assert [await read(bench, index) for index in range(depth)] == [0] * depth
        counted = 5 * (moment >= 2 * depth)
        for epoch, expected in ((2, [0, 0, 0, counted]), (3, [0] * depth)):
            bench.set(epoch=epoch)
            await bench.tick(3)
            assert [await read(bench, index) for index in range(depth)] == expected

    simulate(EpochCounters(depth=depth, amount_width=4), testbench)
