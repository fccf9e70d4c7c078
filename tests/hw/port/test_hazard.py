# amaranth: UnusedElaboratable=no
"""The hazard table against a list of what is outstanding."""

import random

import pytest
from amaranth import *
from amaranth.lib import wiring

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.port.hazard import HazardTable, hazard_key, touched_beats
from tests.hw.channel.bench import boundary, simulate

BEAT = 64
BEATS = 8
BLOCK = BEAT * BEATS
CHANNEL = ChannelConfig(bytes_per_clock=BEAT)


class Keyed(wiring.Component):
    """A table with what tells it about a fragment's address and order."""

    def __init__(self, fabric, port):
        self.port = port
        self.table = HazardTable(fabric, port)
        super().__init__(self.table.signature)

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = self.table
        wiring.connect(m, wiring.flipped(self), table)
        landing, hazard, fabric = self.landing, table.landing.hazard, table.fabric
        block = landing.address[fabric.block_width :]
        m.d.comb += [
            hazard.key.eq(hazard_key(block, landing.order, len(hazard.key))),
            hazard.beats.eq(touched_beats(fabric, landing.address, landing.beats)),
        ]
        return m


def table(*, reads=16, writes=16, **sizes):
    port = PortConfig(reads=reads, writes=writes, **sizes)
    return Keyed(FabricConfig.around(CHANNEL, ports=(port,)), port)


def landing(entry, *, order=0, block=0, first=0, beats=1):
    address = block * BLOCK + first * BEAT
    return {"entry": entry, "order": order, "address": address, "beats": beats}


def touched(fragment):
    """The memory beats of a fragment, with its order."""
    first = fragment["address"] // BEAT
    return {(fragment["order"], first + i) for i in range(fragment["beats"])}


async def enter(bench, fragment):
    bench.set(landing=fragment, enter=1)
    assert bench.get("clear")
    await bench.tick()
    bench.set(enter=0)


async def leave(bench, entry):
    bench.set(leave_valid=1, leave_entry=entry)
    await bench.tick()
    bench.set(leave_valid=0)


def is_clear(bench, fragment):
    bench.set(landing=fragment)
    return bench.get("clear")


def test_signature():
    assert boundary(table()) == {
        "in": {"landing", "enter", "leave_valid", "leave_entry"},
        "out": {"clear"},
    }


@pytest.mark.parametrize(
    ("fragment", "clear"),
    [
        ({"first": 3, "beats": 2}, False),
        ({"first": 0, "beats": 3}, True),
        ({"first": 0, "beats": 4}, False),
        ({"first": 4, "beats": 4}, False),
        ({"first": 5, "beats": 3}, True),
        ({"first": 0, "beats": 8}, False),
        ({"first": 3, "beats": 2, "order": 4}, True),
        ({"first": 3, "beats": 2, "block": 8}, True),
        ({"first": 3, "beats": 2, "block": 7, "order": 4}, True),
    ],
)
def test_only_the_same_beats_of_the_same_order_wait(fragment, clear):
    async def testbench(bench):
        await enter(bench, landing(9, order=5, block=7, first=3, beats=2))
        wanted = landing(10, **{"order": 5, "block": 7} | fragment)
        assert is_clear(bench, wanted) == clear
        await leave(bench, 9)
        assert is_clear(bench, wanted)

    simulate(table(), testbench)


def test_no_blocks_that_are_neighbours_wait_for_one_another():
    """Of a stream and of streams of neighbouring orders, wherever in memory they are."""

    async def testbench(bench):
        for base in (0, 123456, 32768 - 3):
            for order in range(4):
                for block in range(4):
                    wanted = landing(4 * order + block, order=order, block=base + block, beats=8)
                    await enter(bench, wanted)
            for entry in range(16):
                await leave(bench, entry)

    simulate(table(), testbench)


def test_requesters_with_an_id_and_a_region_each_do_not_wait_for_one_another():
    async def testbench(bench):
        for order in range(16):
            for block in range(4):
                wanted = landing(4 * order + block, order=order, block=(order << 12) + block)
                await enter(bench, wanted)

    simulate(table(), testbench)


def test_orders_that_count_up_with_addresses_do_not_wait_for_one_another():
    async def testbench(bench):
        for base in (0, 77):
            for number in range(64):
                order, block = 64 + number, base + number
                await enter(bench, landing(number, order=order, block=block, beats=8))
            for number in range(64):
                await leave(bench, number)

    simulate(table(reads=64, id_width=10, order_width=8), testbench)


def test_what_lands_in_a_clock_counts_in_the_next_one_and_until_it_leaves():
    async def testbench(bench):
        wanted = landing(0, beats=8)
        for entry in range(16):
            wanted["entry"] = entry
            await enter(bench, wanted)
            wanted["entry"] = (entry + 1) % 16
            assert not is_clear(bench, wanted)
            bench.set(leave_valid=1, leave_entry=entry)
            assert not bench.get("clear")
            await bench.tick()
            bench.set(leave_valid=0)
            assert bench.get("clear")

    simulate(table(), testbench)


def test_a_reset_forgets_all():
    async def testbench(bench):
        await enter(bench, landing(1))
        await enter(bench, landing(2, order=1))
        await bench.reset()
        assert is_clear(bench, landing(1))
        assert is_clear(bench, landing(3, order=1))

    simulate(table(), testbench)


@pytest.mark.parametrize("clocks", [450, pytest.param(2000, marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("sizes", "orders", "in_vain"),
    [
        ({"reads": 64}, 4, 0.01),
        ({"reads": 4, "writes": 4, "hazard_rows": 4}, 2, 0.9),
        ({"reads": 4, "writes": 16, "order_width": 0}, 1, 0.01),
    ],
)
def test_no_two_of_one_order_touch_a_beat_at_once(sizes, orders, in_vain, clocks):
    """One wants to land in every clock; it enters and others leave in the same clock."""
    block = table(**sizes)
    entries = max(block.port.reads, block.port.writes)
    rng = random.Random(entries)

    async def testbench(bench):
        outstanding = {}
        vain = asked = landed = full = 0
        for clock in range(clocks):
            rate = (0.2, 0.5, 0.9)[clock // 150 % 3]
            free = [entry for entry in range(entries) if entry not in outstanding]
            full += not free
            bench.set(enter=0, leave_valid=0)
            entry = rng.choice(free) if free else 0
            first = rng.randrange(BEATS)
            wanted = landing(
                entry,
                order=rng.randrange(orders),
                block=rng.choice((0, 1, 2, 40, 4096, 4097)),
                first=first,
                beats=rng.randint(1, BEATS - first),
            )
            taken = touched(wanted)
            clashes = any(taken & other for other in outstanding.values())
            clear = is_clear(bench, wanted)
            assert not (clear and clashes)
            asked += not clashes
            vain += not clear and not clashes
            if outstanding and rng.random() < rate:
                left = rng.choice(list(outstanding))
                bench.set(leave_valid=1, leave_entry=left)
                del outstanding[left]
            if clear and free and rng.random() < 0.9:
                bench.set(enter=1)
                outstanding[entry] = taken
                landed += 1
            await bench.tick()
        assert landed > clocks // 5
        assert vain <= in_vain * asked
        assert full or entries > 16
        bench.set(enter=0)
        for entry in outstanding:
            await leave(bench, entry)
        for order in range(orders):
            for block in range(64):
                assert is_clear(bench, landing(0, order=order, block=block, beats=8))

    simulate(block, testbench)
