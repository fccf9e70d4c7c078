# amaranth: UnusedElaboratable=no
"""Memory beats of write data against the bytes that AXI says a burst writes."""

import itertools
import random

import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.port.packer import Packer
from tests.hw.channel.bench import boundary, simulation
from tests.hw.port.bursts import FIXED, Burst, random_burst
from tests.hw.port.streams import Sink, Source
from tests.hw.port.writing import cut, expected_words, fabric_of, random_data, written

OKAY, SLVERR, DECERR = Response.OKAY, Response.SLVERR, Response.DECERR
SIZES = [8, 16, 32, 64]


class Traffic:
    """Bursts for a packer, their data, and all that must come out."""

    def __init__(self, fabric, seed):
        self.fabric = fabric
        self.rng = random.Random(seed)
        self.pieces = []
        self.data = []
        self.words = []
        self.packed = []
        self.faulty = 0

    def add(self, burst, response=OKAY, spoilt=None):
        """A burst; ``spoilt`` is the number of the transfer whose WLAST is wrong."""
        name = self.rng.getrandbits(6)
        transfers = random_data(self.rng, self.fabric, burst)
        if spoilt is not None:
            transfers[spoilt]["last"] = not transfers[spoilt]["last"]
            self.faulty += 1
        self.data += transfers
        done = 0
        for piece in cut(self.fabric, burst, response):
            entry = len(self.pieces) % 64
            self.pieces.append(
                {
                    "entry": entry,
                    "id": name,
                    "offset": piece.address % 128,
                    "size": piece.size,
                    "transfers": piece.transfers,
                    "last": piece.last,
                    "response": piece.response,
                }
            )
            wrong = spoilt is not None and done + piece.transfers > spoilt
            self.packed.append(
                {
                    "entry": entry,
                    "id": name,
                    "first": done == 0,
                    "last": piece.last,
                    "refused": response != OKAY,
                    "response": max(response, SLVERR if wrong else OKAY),
                }
            )
            if response == OKAY:
                words = expected_words(self.fabric, piece, transfers[done : done + piece.transfers])
                for place, word in enumerate(words):
                    self.words.append((entry, place == len(words) - 1, word))
            done += piece.transfers

    def run(self, *, addresses=1.0, data=1.0, takes=1.0, clocks=20_000):
        """Clocks in which transfers were taken, and words taken; all of them have come out."""
        result = {}
        fabric = self.fabric
        lanes = max(fabric.ports[0].data_bytes, fabric.beat_bytes)
        pieces = [piece | {"offset": piece["offset"] % lanes} for piece in self.pieces]

        async def testbench(bench):
            streams = [
                Source(bench, "pieces", pieces, rng=self.rng, chance=addresses),
                Source(bench, "data", self.data, rng=self.rng, chance=data),
                sink := Sink(bench, "words", rng=self.rng, chance=takes),
            ]
            words, packed, faulty, quiet = [], [], 0, 0
            for clock in range(clocks):
                # A few clocks more, for what must not come any more.
                quiet += len(words) == len(self.words) and len(packed) == len(self.packed)
                if quiet == 4:
                    break
                for each in streams:
                    each.drive()
                for each in streams:
                    each.observe(clock)
                words = sink.items
                if bench.get("packed.valid"):
                    packed.append({name: bench.get(f"packed.{name}") for name in self.packed[0]})
                faulty += bench.get("faulty")
                await bench.tick()
            assert [(w["entry"], w["last"], written(w)) for w in words] == self.words
            assert packed == self.packed
            assert faulty == self.faulty
            result.update(data=streams[1].taken, words=sink.clocks)

        simulation(Packer, fabric, fabric.ports[0]).run(testbench)
        return result


def test_signature():
    fabric = fabric_of(64, 64)
    assert boundary(Packer(fabric, fabric.ports[0])) == {
        "in": {"pieces", "data"},
        "out": {"words", "packed", "faulty"},
    }


@pytest.mark.parametrize(
    ("data_bytes", "beat_bytes", "count"),
    [
        *((data, beat, 50) for data, beat in ((8, 8), (8, 64), (16, 32), (32, 16), (64, 8))),
        *(
            pytest.param(*widths, 200, marks=pytest.mark.soak)
            for widths in itertools.product(SIZES, SIZES)
        ),
    ],
)
def test_every_byte_that_is_asked_for(data_bytes, beat_bytes, count):
    """All kinds, sizes and alignments; W before, with and after its burst; back-pressure."""
    traffic = Traffic(fabric_of(data_bytes, beat_bytes), 8 * data_bytes + beat_bytes)
    rng = traffic.rng
    while len(traffic.data) < count:
        burst = random_burst(rng, data_bytes=data_bytes)
        if burst.length < 16:
            traffic.add(
                burst,
                rng.choice((OKAY,) * 6 + (SLVERR, DECERR)),
                rng.randrange(burst.length + 1) if rng.random() < 0.1 else None,
            )
    addresses, data = rng.choice(((0.9, 0.9), (0.3, 0.9), (0.9, 0.3)))
    traffic.run(addresses=addresses, data=data, takes=rng.choice((0.4, 0.9)))


@pytest.mark.parametrize(
    ("data_bytes", "beat_bytes", "size", "length", "per_transfer"),
    [
        # One transfer a clock, also if it is narrow or the memory beat is wider.
        (8, 8, 3, 31, 1),
        (8, 8, 0, 31, 1),
        (8, 16, 3, 31, 1),
        (16, 16, 4, 0, 1),
        (8, 16, 3, 0, 1),
        # A transfer that is wider than a memory beat takes a clock for each beat of it.
        (32, 8, 5, 15, 4),
        (32, 8, 4, 15, 2),
        (32, 8, 3, 15, 1),
        (32, 8, 5, 0, 4),
    ],
)
def test_a_step_a_clock(data_bytes, beat_bytes, size, length, per_transfer):
    traffic = Traffic(fabric_of(data_bytes, beat_bytes), 1)
    count = 32 // (length + 1)
    for i in range(count):
        traffic.add(Burst(address=i << size, length=length, size=size))
    result = traffic.run()
    # W is taken in the first clock. Its step is made in the next one, and then its word is offered.
    # Two transfers are taken before W waits.
    transfers = (length + 1) * count
    assert result["words"][-1] == 1 + per_transfer * transfers
    assert result["data"] == [0, *(1 + per_transfer * i for i in range(transfers - 1))]


def test_a_refused_burst_is_dropped_a_transfer_a_clock():
    """Whatever its size says, also one that is wider than the bus."""
    for size in (3, 6, 7):
        traffic = Traffic(fabric_of(32, 8), 2)
        traffic.add(Burst(address=5, length=15, size=size), DECERR)
        traffic.add(Burst(address=5, length=0, size=0))
        result = traffic.run()
        assert result["data"] == list(range(17))
        assert len(result["words"]) == 1


@pytest.mark.parametrize(("spoilt", "fragment"), [(0, 0), (2, 0), (6, 1), (7, 2)])
def test_wlast_is_checked_and_not_trusted(spoilt, fragment):
    """Early in the first fragment or in the last, and missing; the next burst is not blamed."""
    traffic = Traffic(fabric_of(8, 8, max_beats=4), 3)
    traffic.add(Burst(address=8, length=7, size=3), spoilt=spoilt)
    traffic.add(Burst(address=8, length=7, size=3))
    traffic.add(Burst(address=0, length=0, size=3), DECERR, spoilt=0)
    traffic.add(Burst(address=0, length=3, size=3, kind=FIXED))
    # Fragments of 3, 4 and 1 transfers, twice; one; and one a transfer.
    blamed = [each["response"] == SLVERR for each in traffic.packed]
    assert blamed == [i >= fragment for i in range(3)] + [False] * 8
    traffic.run(takes=0.5)


def test_one_burst_with_many_wrong_wlasts_is_told_once():
    traffic = Traffic(fabric_of(8, 8), 4)
    traffic.add(Burst(address=0, length=7, size=3), spoilt=0)
    for transfer in traffic.data:
        transfer["last"] = True
    traffic.run()


def test_w_before_its_burst_waits():
    """Two transfers are taken; the rest of the port sees no path from W to its ready."""
    fabric = fabric_of(8, 8)

    async def testbench(bench):
        bench.set(**{"data.payload": {"data": 1, "strobe": 1, "last": 1}, "words.ready": 1})
        for clock in range(6):
            for valid in (0, 1):
                bench.set(**{"data.valid": valid})
                assert bench.get("data.ready") == (clock < 2)
            assert not bench.get("words.valid")
            assert not bench.get("packed.valid")
            await bench.tick()
        await bench.reset()
        assert bench.get("data.ready")

    simulation(Packer, fabric, fabric.ports[0]).run(testbench)


def test_a_burst_before_its_w_waits():
    fabric = fabric_of(8, 8)
    piece = {"entry": 1, "id": 1, "offset": 0, "size": 3, "transfers": 1, "last": 1}

    async def testbench(bench):
        bench.set(**{"pieces.payload": piece, "words.ready": 1})
        for clock in range(6):
            for valid in (0, 1):
                bench.set(**{"pieces.valid": valid})
                assert bench.get("pieces.ready") == (clock < 2)
            assert not bench.get("words.valid")
            assert not bench.get("packed.valid")
            await bench.tick()
        await bench.reset()
        assert bench.get("pieces.ready")

    simulation(Packer, fabric, fabric.ports[0]).run(testbench)
