# amaranth: UnusedElaboratable=no
"""The hazard table against a list of what is outstanding."""

import random

import pytest
from amaranth import *
from amaranth.lib import wiring

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.port.hazard import HazardTable, hazard_key, touched_beats
from tests.hw.channel.bench import boundary, simulate
from tests.hw.port.streams import Sink, Source

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
        wiring.connect(m, wiring.flipped(self.o), table.o)
        m.d.comb += [self.waits.eq(table.waits), self.tenant.eq(table.tenant)]
        landing, hazard, fabric = self.i.payload, table.i.payload.hazard, table.fabric
        block = landing.address[fabric.block_width :]
        m.d.comb += [
            table.i.valid.eq(self.i.valid),
            self.i.ready.eq(table.i.ready),
            table.leave_valid.eq(self.leave_valid),
            table.leave_entry.eq(self.leave_entry),
            *(
                table.i.payload[name].eq(landing[name])
                for name in landing.shape().members
                if name != "hazard"
            ),
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


async def put(bench, fragment):
    """Gives the table a fragment, which is offered from the next clock on."""
    bench.set(**{"i.payload": fragment, "i.valid": 1})
    assert bench.get("i.ready")
    await bench.tick()
    bench.set(**{"i.valid": 0})


async def take(bench):
    bench.set(**{"o.ready": 1})
    assert bench.get("o.valid")
    await bench.tick()
    bench.set(**{"o.ready": 0})


async def enter(bench, fragment):
    await put(bench, fragment)
    await take(bench)


async def leave(bench, entry):
    bench.set(leave_valid=1, leave_entry=entry)
    await bench.tick()
    bench.set(leave_valid=0)


def test_signature():
    assert boundary(table()) == {
        "in": {"i", "leave_valid", "leave_entry"},
        "out": {"o", "tenant", "waits"},
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
@pytest.mark.parametrize("at_once", [False, True])
def test_only_the_same_beats_of_the_same_order_wait(fragment, clear, at_once):
    """Also a fragment that is taken in the clock in which the other one passes."""

    async def testbench(bench):
        await put(bench, landing(9, order=5, block=7, first=3, beats=2))
        if not at_once:
            await take(bench)
        bench.set(**{"o.ready": 1})
        await put(bench, landing(10, **{"order": 5, "block": 7} | fragment))
        bench.set(**{"o.ready": 0})
        assert bench.get("o.valid") == clear
        await leave(bench, 9)
        assert bench.get("o.valid")
        assert bench.get("o.payload")["entry"] == 10

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

    simulate(table(reads=64), testbench)


def test_what_passes_in_a_clock_counts_in_the_next_one_and_until_it_leaves():
    async def testbench(bench):
        await put(bench, landing(0, beats=8))
        for entry in range(16):
            bench.set(**{"o.ready": 1})
            assert bench.get("o.payload")["entry"] == entry
            await put(bench, landing((entry + 1) % 16, beats=8))
            assert not bench.get("o.valid")
            bench.set(leave_valid=1, leave_entry=entry)
            assert not bench.get("o.valid")
            await bench.tick()
            bench.set(leave_valid=0)
            assert bench.get("o.valid")

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


def test_there_is_room_for_two_that_wait():
    async def testbench(bench):
        await enter(bench, landing(0))
        await put(bench, landing(1))
        await put(bench, landing(2, order=1))
        assert not bench.get("i.ready")
        await leave(bench, 0)
        await take(bench)
        assert bench.get("i.ready")
        assert bench.get("o.payload")["entry"] == 2

    simulate(table(), testbench)


def test_a_reset_forgets_all():
    async def testbench(bench):
        await enter(bench, landing(1))
        await enter(bench, landing(2, order=1))
        await put(bench, landing(3))
        await put(bench, landing(4))
        await bench.reset()
        assert not bench.get("o.valid")
        await enter(bench, landing(1))
        await enter(bench, landing(3, order=1))

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
    """Fragments pass in order, and each as soon as it may, but for hashes equal by chance."""
    block = table(**sizes)
    entries = max(block.port.reads, block.port.writes)
    rng = random.Random(entries)

    async def testbench(bench):
        source = Source(bench, "i", [], rng=rng, chance=0.95)
        sink = Sink(bench, "o", rng=rng, chance=0.9)
        outstanding, free, waiting = {}, list(range(entries)), []
        vain = shown = passed = full = 0
        for clock in range(clocks):
            rate = (0.2, 0.5, 0.9)[clock // 150 % 3]
            full += not free
            if not source.items and free:
                entry = free.pop(rng.randrange(len(free)))
                first = rng.randrange(BEATS)
                wanted = landing(
                    entry,
                    order=rng.randrange(orders),
                    block=rng.choice((0, 1, 2, 40, 4096, 4097)),
                    first=first,
                    beats=rng.randint(1, BEATS - first),
                )
                source.items.append(wanted)
            left = rng.choice(list(outstanding)) if outstanding else None
            leaves = left is not None and rng.random() < rate
            bench.set(leave_valid=leaves, leave_entry=left or 0)
            source.drive()
            sink.drive()
            if waiting:
                clashes = any(touched(waiting[0]) & other for other in outstanding.values())
                valid = bench.get("o.valid")
                assert not (valid and clashes)
                shown += not clashes
                vain += not valid and not clashes
            got = sink.observe(clock)
            taken = source.observe(clock)
            if got is not None:
                first = waiting.pop(0)
                assert {name: got[name] for name in first} == first
                outstanding[first["entry"]] = touched(first)
                passed += 1
            if taken is not None:
                waiting.append(taken)
            if leaves:
                del outstanding[left]
                free.append(left)
            await bench.tick()
        assert passed > clocks // 5
        assert vain <= in_vain * shown
        assert full or entries > 4

    simulate(block, testbench)
