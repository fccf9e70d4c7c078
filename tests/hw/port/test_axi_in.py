# amaranth: UnusedElaboratable=no
"""Address channels: order, stamps, and every fault on both sides of its limit."""

import random

import pytest

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.port.axi_in import AddressIn
from tests.hw.channel.bench import boundary, simulate
from tests.hw.port.bursts import FIXED, INCR, WRAP, Burst, random_burst
from tests.hw.port.streams import Sink, Source

RESERVED = 3


def sizes(data_bytes):
    port = PortConfig(data_bytes=data_bytes, id_width=4)
    return FabricConfig.around(ChannelConfig(), ports=(port,))


def item(burst, number=0):
    return {
        "id": number % 16,
        "address": burst.address,
        "length": burst.length,
        "size": burst.size,
        "kind": burst.kind,
        "attributes": {"prot": number % 8, "cache": number % 16, "qos": number // 16 % 16},
    }


def passed(data_bytes, items, *, rng, offers=1.0, takes=1.0, start=0):
    """Bursts as they leave, when each was first offered and taken, and when it left."""
    fabric = sizes(data_bytes)
    result = {}

    async def testbench(bench):
        source = Source(bench, "asked", items, rng=rng, chance=offers)
        sink = Sink(bench, "bursts", rng=rng, chance=takes)
        offered, fresh = [], True
        clock = start
        while len(sink.items) < len(items):
            assert clock < start + 5000
            bench.set(now=clock & (1 << fabric.channel.stamp_width) - 1)
            source.drive()
            if source.offers and fresh:
                offered.append(clock)
            fresh = not source.offers
            sink.drive()
            fresh |= source.observe(clock) is not None
            sink.observe(clock)
            await bench.tick()
            clock += 1
        result.update(bursts=sink.items, offered=offered, taken=source.taken, left=sink.clocks)

    simulate(AddressIn(fabric, fabric.ports[0]), testbench)
    return result


def test_signature():
    fabric = sizes(64)
    assert boundary(AddressIn(fabric, fabric.ports[0])) == {
        "in": {"asked", "now"},
        "out": {"bursts"},
    }


@pytest.mark.parametrize(("offers", "takes"), [(1.0, 1.0), (1.0, 0.4), (0.5, 0.9), (0.7, 0.6)])
def test_bursts_leave_in_order_with_the_clock_of_their_offer(offers, takes):
    rng = random.Random(int(10 * offers + 100 * takes))
    items = [item(random_burst(rng, data_bytes=64), number) for number in range(150)]
    # The clock goes round in the middle.
    start = (1 << sizes(64).channel.stamp_width) - 200
    got = passed(64, items, rng=rng, offers=offers, takes=takes, start=start)
    stamps = 1 << sizes(64).channel.stamp_width
    assert got["bursts"] == [
        asked | {"offered": clock % stamps, "fault": 0}
        for asked, clock in zip(items, got["offered"], strict=True)
    ]
    assert any(a > b for a, b in zip(got["taken"], got["offered"], strict=True)) == (takes < 1)


def test_one_a_clock_and_room_for_two():
    rng = random.Random(5)
    items = [item(Burst(address=64 * number, size=6), number) for number in range(20)]
    got = passed(64, items, rng=rng)
    assert got["taken"] == list(range(20))
    assert got["left"] == [clock + 1 for clock in got["taken"]]

    async def testbench(bench):
        bench.set(**{"asked.payload": items[0], "asked.valid": 1})
        for ready in (1, 1, 0, 0):
            assert bench.get("asked.ready") == ready
            await bench.tick()
        # Ready comes from a flip-flop: it does not rise in the clock in which a burst leaves.
        bench.set(**{"bursts.ready": 1})
        for ready in (0, 1, 1):
            assert bench.get("asked.ready") == ready
            await bench.tick()
        bench.set(**{"bursts.ready": 0})
        await bench.tick(2)
        assert not bench.get("asked.ready")
        await bench.reset()
        assert bench.get("asked.ready")
        assert not bench.get("bursts.valid")

    fabric = sizes(64)
    simulate(AddressIn(fabric, fabric.ports[0]), testbench)


@pytest.mark.parametrize("data_bytes", [8, 16, 32, 64])
def test_faults_on_both_sides_of_their_limits(data_bytes):
    widest = data_bytes.bit_length() - 1
    limits = [
        # The burst code.
        *(Burst(address=0x40, length=3, kind=kind) for kind in (FIXED, INCR, WRAP, RESERVED)),
        # The width of a transfer.
        *(Burst(address=0x0, size=size, kind=kind) for size in range(8) for kind in (FIXED, INCR)),
        *(Burst(address=0x0, size=size, length=1, kind=WRAP) for size in range(8)),
        # Transfers and alignment of WRAP.
        *(Burst(address=0x0, size=0, length=length, kind=WRAP) for length in range(40)),
        Burst(address=0x0, size=0, length=255, kind=WRAP),
        *(
            Burst(address=address, size=size, length=1, kind=WRAP)
            for size in range(widest + 1)
            for address in (1 << size, 1 << size >> 1, (1 << size) + 1, 3 << size)
        ),
        # Transfers of FIXED, which may be unaligned.
        *(Burst(address=0xFFF, length=length, kind=FIXED) for length in (0, 14, 15, 16, 31, 255)),
        # The last byte of a page, one transfer more, and one less.
        *(
            Burst(address=0x3000 - transfers * (1 << size) + moved, size=size, length=more - 1)
            for size in range(widest + 1)
            for transfers in (1, 3, 64, 256)
            if transfers << size <= 4096
            for moved in {0, (1 << size) - 1}
            for more in (transfers - 1, transfers, transfers + 1)
            if 1 <= more <= 256
        ),
        Burst(address=0x0, size=widest, length=min(4096 // data_bytes, 256) - 1),
        Burst(address=0x1, size=widest, length=min(4096 // data_bytes, 256) - 1),
        *(Burst(address=0x1000, size=widest, length=length) for length in (63, 64, 127, 128, 255)),
    ]
    rng = random.Random(6)
    got = passed(data_bytes, [item(burst) for burst in limits], rng=rng)["bursts"]
    faults = [not burst.legal(data_bytes) for burst in limits]
    assert [bool(burst["fault"]) for burst in got] == faults
    assert any(faults)
    assert not all(faults)


def test_faults_of_random_bursts():
    rng = random.Random(7)
    bursts = [
        Burst(
            address=rng.getrandbits(40),
            length=rng.choice((rng.randrange(256), rng.randrange(20))),
            size=rng.randrange(8),
            kind=rng.randrange(4),
        )
        for _ in range(400)
    ]
    got = passed(32, [item(burst) for burst in bursts], rng=rng)["bursts"]
    assert [bool(each["fault"]) for each in got] == [not burst.legal(32) for burst in bursts]
