# amaranth: UnusedElaboratable=no
"""Counters of an epoch: latched at once, saturating, never cleared by hand."""

import random
from collections import Counter

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.counters import COUNT_WIDTH, EpochCounter, EpochCounters, saturating_sum
from tests.hw.channel.bench import members, simulate

LARGEST = (1 << COUNT_WIDTH) - 1
OVERFLOW = 1 << COUNT_WIDTH


class Sum(wiring.Component):
    count: In(32)
    amount: In(COUNT_WIDTH)
    total: Out(32)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.total.eq(saturating_sum(self.count, self.amount))
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
        (LARGEST, 1, OVERFLOW | LARGEST),
        (LARGEST, LARGEST, OVERFLOW | LARGEST),
        (OVERFLOW | LARGEST, 0, OVERFLOW | LARGEST),
        (OVERFLOW | LARGEST, 1, OVERFLOW | LARGEST),
    ],
)
def test_a_count_saturates_and_says_so(count, amount, total):
    async def testbench(bench):
        bench.set(count=count, amount=amount)
        assert bench.get("total") == total

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


@pytest.mark.parametrize("depth", [1, 2, 16])
def test_many_counters_over_many_epochs(depth):
    rng = random.Random(depth)

    async def testbench(bench):
        epoch, counts, expected = 1, Counter(), 0
        nonzero = 0
        for _ in range(2500):
            assert bench.get("read_data") == expected
            nonzero += expected != 0
            if rng.random() < 0.03:
                # A reset of what counts the epochs may leave out some.
                epoch += rng.choice((1, 1, 1, 2, 3))
            count, index = rng.random() < 0.6, rng.randrange(depth)
            amount, read_index = rng.randrange(1 << 10), rng.randrange(depth)
            bench.set(epoch=epoch, count=count, index=index, amount=amount, read_index=read_index)
            expected = counts[epoch - 1, read_index]
            await bench.tick()
            if count:
                counts[epoch, index] += amount
        assert nonzero

    simulate(EpochCounters(depth=depth, amount_width=10), testbench)


def test_an_epoch_is_latched_as_a_whole_by_the_change_of_its_number():
    async def testbench(bench):
        bench.set(epoch=7, count=1)
        for index in range(4):
            bench.set(index=index, amount=index + 1)
            await bench.tick()
        bench.set(epoch=8, index=2, amount=50)
        for index in range(4):
            bench.set(read_index=index)
            await bench.tick()
            assert bench.get("read_data") == index + 1
        bench.set(epoch=9, count=0)
        for index, count in enumerate((0, 0, 200, 0)):
            bench.set(read_index=index)
            await bench.tick()
            assert bench.get("read_data") == count

    simulate(EpochCounters(depth=4, amount_width=6), testbench)


@pytest.mark.parametrize(("last", "word"), [(1, LARGEST), (2, OVERFLOW | LARGEST)])
def test_a_saturated_count_says_so_and_its_overflow_ends_with_the_epoch(last, word):
    async def testbench(bench):
        bench.set(epoch=1, count=1, index=1, amount=LARGEST - 1)
        await bench.tick()
        bench.set(amount=last)
        await bench.tick()
        bench.set(epoch=2, amount=3, read_index=1)
        await bench.tick()
        assert bench.get("read_data") == word
        bench.set(epoch=3, count=0)
        await bench.tick()
        assert bench.get("read_data") == 3

    simulate(EpochCounters(depth=2, amount_width=COUNT_WIDTH), testbench)
