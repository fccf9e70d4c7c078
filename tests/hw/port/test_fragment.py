# amaranth: UnusedElaboratable=no
"""Fragments against the transfers that AXI says a burst has."""

import itertools
import random

import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.port.fragment import Fragmenter
from tests.hw.channel.bench import boundary, simulate
from tests.hw.port.bursts import FIXED, INCR, WRAP, Burst, random_burst
from tests.hw.port.streams import Sink, Source


def sizes(data_bytes, beat_bytes, max_beats=8):
    port = PortConfig(data_bytes=data_bytes, id_width=4)
    channel = ChannelConfig(bytes_per_clock=beat_bytes, beat_bytes=beat_bytes, max_beats=max_beats)
    return FabricConfig(channel=channel, ports=(port,))


def item(burst, rng, response=Response.OKAY):
    return {
        "id": rng.randrange(16),
        "address": burst.address,
        "length": burst.length,
        "size": burst.size,
        "kind": burst.kind,
        "attributes": {"prot": rng.randrange(8), "cache": rng.randrange(16), "qos": 5},
        "offered": rng.getrandbits(16),
        "tenant": rng.randrange(16),
        "response": response,
    }


def cut(fabric, items, *, rng, offers=1.0, takes=1.0):
    """Fragments of bursts, the clocks in which bursts were taken, and fragments left."""
    result = {}

    async def testbench(bench):
        source = Source(bench, "bursts", items, rng=rng, chance=offers)
        sink = Sink(bench, "fragments", rng=rng, chance=takes)
        lasts, clock = 0, 0
        while lasts < len(items):
            assert clock < 20_000
            source.drive()
            sink.drive()
            source.observe(clock)
            got = sink.observe(clock)
            lasts += got is not None and got["last"]
            await bench.tick()
            clock += 1
        result.update(fragments=sink.items, taken=source.taken, left=sink.clocks)

    simulate(Fragmenter(fabric, fabric.ports[0]), testbench)
    return result


def bursts_of(fragments):
    """Fragments by burst."""
    burst = []
    for fragment in fragments:
        burst.append(fragment)
        if fragment["last"]:
            yield burst
            burst = []
    assert not burst


def transfers_of(fragment):
    """First byte of each transfer, and the byte after its last one."""
    step = 1 << fragment["size"]
    first = fragment["address"]
    aligned = first // step * step
    starts = [first] + [aligned + i * step for i in range(1, fragment["transfers"])]
    return [(start, start // step * step + step) for start in starts]


def check(fabric, burst, asked, fragments):
    """The fragments are those of a burst that goes to memory."""
    kept = ("id", "tenant", "size", "attributes", "offered", "response")
    for fragment in fragments:
        assert {name: fragment[name] for name in kept} == {name: asked[name] for name in kept}
        spans = transfers_of(fragment)
        touched = range(spans[0][0] // fabric.beat_bytes, (spans[-1][1] - 1) // fabric.beat_bytes)
        assert fragment["beats"] == len(touched) + 1
        begins = spans[0][0] // fabric.beat_bytes % fabric.channel.max_beats
        assert fragment["hazard"]["beats"] == (1 << fragment["beats"]) - 1 << begins
        l_max = fabric.channel.l_max
        assert spans[0][0] // l_max == (spans[-1][1] - 1) // l_max
        assert burst.kind != FIXED or fragment["transfers"] == 1
    assert [span for each in fragments for span in transfers_of(each)] == burst.transfers


def fewest(fabric, burst):
    """Cuts that have a reason, and one."""
    if burst.kind == FIXED:
        return burst.length + 1
    l_max, spans = fabric.channel.l_max, burst.transfers
    return 1 + sum(
        after[0] < before[0] or after[0] // l_max != before[0] // l_max
        for before, after in itertools.pairwise(spans)
    )


def test_signature():
    fabric = sizes(64, 64)
    assert boundary(Fragmenter(fabric, fabric.ports[0])) == {
        "in": {"bursts"},
        "out": {"fragments"},
    }


@pytest.mark.parametrize(
    ("data_bytes", "beat_bytes", "max_beats"),
    [(8, 8, 2), (8, 64, 8), (16, 32, 16), (32, 16, 4), (64, 8, 8), (64, 64, 8), (64, 128, 16)],
)
def test_fragments_are_the_transfers_in_order(data_bytes, beat_bytes, max_beats):
    rng = random.Random(data_bytes * beat_bytes)
    fabric = sizes(data_bytes, beat_bytes, max_beats)
    bursts = [random_burst(rng, data_bytes=data_bytes) for _ in range(60)]
    items = [item(burst, rng) for burst in bursts]
    got = cut(fabric, items, rng=rng, offers=0.7, takes=0.7)
    for burst, asked, fragments in zip(bursts, items, bursts_of(got["fragments"]), strict=True):
        check(fabric, burst, asked, fragments)
        assert len(fragments) == fewest(fabric, burst)


SIZES = sizes(64, 64)
"""Blocks of 512 bytes."""


@pytest.mark.parametrize(
    ("burst", "pieces"),
    [
        # One byte before the end of a block, and one after.
        (Burst(address=0x11FF, size=0), [(0x11FF, 1, 1)]),
        (Burst(address=0x11FF, size=0, length=1), [(0x11FF, 1, 1), (0x1200, 1, 1)]),
        # Eight beats that fit a block, and eight that do not.
        (Burst(address=0x1200, size=6, length=7), [(0x1200, 8, 8)]),
        (Burst(address=0x1240, size=6, length=7), [(0x1240, 7, 7), (0x1400, 1, 1)]),
        # Up to the last byte of a page.
        (Burst(address=0x0, size=6, length=63), [(512 * i, 8, 8) for i in range(8)]),
        (Burst(address=0xF01, size=0, length=254), [(0xF01, 255, 4)]),
        # Unaligned: the first transfer is short.
        (Burst(address=0x7F, size=6, length=1), [(0x7F, 2, 2)]),
        (Burst(address=0x3D, size=2, length=1), [(0x3D, 2, 2)]),
        # WRAP: from its middle, from its lower boundary, over more than a block.
        (Burst(address=0x38, size=3, length=3, kind=WRAP), [(0x38, 1, 1), (0x20, 3, 1)]),
        (Burst(address=0x20, size=3, length=3, kind=WRAP), [(0x20, 4, 1)]),
        (Burst(address=0xC0, size=6, length=3, kind=WRAP), [(0xC0, 1, 1), (0x0, 3, 3)]),
        (
            Burst(address=0x1A40, size=6, length=15, kind=WRAP),
            [(0x1A40, 7, 7), (0x1800, 8, 8), (0x1A00, 1, 1)],
        ),
        (
            Burst(address=0x1840, size=6, length=15, kind=WRAP),
            [(0x1840, 7, 7), (0x1A00, 8, 8), (0x1800, 1, 1)],
        ),
        (Burst(address=0x1800, size=6, length=15, kind=WRAP), [(0x1800, 8, 8), (0x1A00, 8, 8)]),
        # FIXED: one by one.
        (Burst(address=0x43, size=2, length=0, kind=FIXED), [(0x43, 1, 1)]),
        (Burst(address=0x43, size=2, length=15, kind=FIXED), [(0x43, 1, 1)] * 16),
    ],
)
def test_pieces(burst, pieces):
    rng = random.Random(1)
    got = cut(SIZES, [item(burst, rng)], rng=rng)
    assert [
        (each["address"], each["transfers"], each["beats"]) for each in got["fragments"]
    ] == pieces


def test_a_burst_that_axi_forbids_is_one_fragment():
    """Whatever it looks like. One that is of no tenant is cut as any other."""
    rng = random.Random(2)
    bursts = [
        Burst(address=0xFFF, length=255, size=7),
        Burst(address=0x1FF, length=16, size=6, kind=FIXED),
        Burst(address=0x1FF, length=4, size=6, kind=WRAP),
        Burst(address=0x1FF, length=15, size=6, kind=WRAP),
        Burst(address=0x1FF, length=0, size=6, kind=3),
    ]
    items = [item(burst, rng, Response.SLVERR) for burst in bursts]
    # A burst after a refused one is cut as ever.
    items.append(item(Burst(address=0x38, size=3, length=3, kind=WRAP), rng, Response.DECERR))
    got = cut(SIZES, items, rng=rng, takes=0.5)["fragments"]
    assert [(each["transfers"], each["last"], each["response"]) for each in got[:-2]] == [
        (asked["length"] + 1, 1, asked["response"]) for asked in items[:-1]
    ]
    assert [(each["address"], each["response"]) for each in got[-2:]] == [
        (0x38, Response.DECERR),
        (0x20, Response.DECERR),
    ]


@pytest.mark.parametrize(
    "burst",
    [
        Burst(address=0x40, size=6),
        Burst(address=0x43, size=2, length=3, kind=FIXED),
        Burst(address=0x1840, size=6, length=15, kind=WRAP),
        Burst(address=0x1240, size=6, length=15, kind=INCR),
    ],
)
def test_a_fragment_a_clock(burst):
    """The first a clock after its burst was taken, and no clock without one between bursts."""
    rng = random.Random(3)
    items = [item(burst, rng) for _ in range(20)]
    got = cut(SIZES, items, rng=rng)
    pieces = fewest(SIZES, burst)
    assert got["taken"] == [pieces * i for i in range(20)]
    assert got["left"] == [1 + i for i in range(20 * pieces)]


def test_reset_forgets_a_burst():
    rng = random.Random(4)

    async def testbench(bench):
        bench.set(**{"bursts.payload": item(Burst(address=0, size=6, length=63), rng)})
        bench.set(**{"bursts.valid": 1})
        await bench.tick()
        assert bench.get("fragments.valid")
        assert not bench.get("bursts.ready")
        bench.set(**{"bursts.valid": 0})
        await bench.reset()
        assert not bench.get("fragments.valid")
        assert bench.get("bursts.ready")

    simulate(Fragmenter(SIZES, SIZES.ports[0]), testbench)
