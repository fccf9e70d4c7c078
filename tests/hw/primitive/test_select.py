# amaranth: UnusedElaboratable=no
"""The comparator tree against ``min``, and the choice by a vector."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.primitive.select import modular_less, number, pick, select_least, set_below
from tests.hw.channel.bench import simulate

WIDTH = 8
HALF = 1 << WIDTH - 1


class Tree(wiring.Component):
    def __init__(self, count, *, modular):
        self.order = {"less": modular_less} if modular else {}
        super().__init__(
            {
                "valid": In(count),
                "keys": In(data.ArrayLayout(WIDTH, count)),
                "found": Out(1),
                "least": Out((count - 1).bit_length()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        found, least = select_least(m, self.valid, list(self.keys), name="tree", **self.order)
        m.d.comb += [self.found.eq(found), self.least.eq(least)]
        return m


class Order(wiring.Component):
    left: In(WIDTH)
    right: In(WIDTH)
    less: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.less.eq(modular_less(self.left, self.right))
        return m


class Choice(wiring.Component):
    def __init__(self, widths):
        values = {f"value_{i}": In(width) for i, width in enumerate(widths)}
        self.names = tuple(values)
        super().__init__(values | {"selected": In(len(widths)), "picked": Out(max(widths))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.picked.eq(
            pick(self.selected, [getattr(self, name) for name in self.names])
        )
        return m


def check(bench, valid, keys, rank):
    bench.set(valid=sum(bit << i for i, bit in enumerate(valid)), keys=keys)
    taking_part = [i for i, bit in enumerate(valid) if bit]
    assert bench.get("found") == bool(taking_part)
    if taking_part:
        assert bench.get("least") == min(taking_part, key=lambda i: (rank(keys[i]), i))


@pytest.mark.parametrize("count", [1, 2, 4, 16])
def test_the_least_key_ties_to_the_lowest_index(count):
    rng = random.Random(count)

    async def testbench(bench):
        for _ in range(400):
            largest = rng.choice((1, 3, (1 << WIDTH) - 1))
            keys = [rng.randint(0, largest) for _ in range(count)]
            valid = [rng.random() < rng.choice((0.1, 0.5, 1.0)) for _ in keys]
            check(bench, valid, keys, lambda key: key)

    simulate(Tree(count, modular=False), testbench)


@pytest.mark.parametrize("count", [2, 16])
def test_the_least_key_on_a_scale_that_wraps_around(count):
    rng = random.Random(count)
    wrapped = 0

    async def testbench(bench):
        nonlocal wrapped
        for _ in range(400):
            base = rng.randrange(1 << WIDTH)
            spread = rng.choice((1, 5, HALF - 1))
            distances = [rng.randint(0, spread) for _ in range(count)]
            keys = [(base + distance) % (1 << WIDTH) for distance in distances]
            wrapped += max(keys) - min(keys) > HALF
            valid = [rng.random() < rng.choice((0.3, 1.0)) for _ in keys]
            check(bench, valid, keys, lambda key, base=base: (key - base) % (1 << WIDTH))

    simulate(Tree(count, modular=True), testbench)
    assert wrapped


@pytest.mark.parametrize(
    ("distance", "before"), [(0, 0), (1, 1), (HALF - 1, 1), (-1, 0), (1 - HALF, 0)]
)
def test_modular_order_is_right_up_to_half_the_range(distance, before):
    async def testbench(bench):
        for base in range(1 << WIDTH):
            bench.set(left=base, right=(base + distance) % (1 << WIDTH))
            assert bench.get("less") == before

    simulate(Order(), testbench)


@pytest.mark.parametrize("widths", [[5], [3, 8], [1, 8, 2, 8], [8] * 5, [8] * 16])
def test_the_value_whose_bit_is_set_or_0(widths):
    rng = random.Random(len(widths))

    async def testbench(bench):
        for _ in range(20):
            values = [rng.getrandbits(width) for width in widths]
            bench.set(selected=0, **{f"value_{i}": value for i, value in enumerate(values)})
            assert bench.get("picked") == 0
            for i, value in enumerate(values):
                bench.set(selected=1 << i)
                assert bench.get("picked") == value

    simulate(Choice(widths), testbench)


class Position(wiring.Component):
    def __init__(self, count):
        super().__init__(
            {
                "selected": In(count),
                "position": Out((count - 1).bit_length()),
                "below": Out(count),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.position.eq(number(self.selected)),
            self.below.eq(set_below(self.selected)),
        ]
        return m


@pytest.mark.parametrize("count", [4, 8, 16])
def test_where_the_set_bit_is(count):
    async def testbench(bench):
        bench.set(selected=0)
        assert (bench.get("position"), bench.get("below")) == (0, 0)
        for place in range(count):
            bench.set(selected=1 << place)
            assert bench.get("position") == place
            assert bench.get("below") == sum(1 << j for j in range(place + 1, count))

    simulate(Position(count), testbench)
