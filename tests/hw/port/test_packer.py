# amaranth: UnusedElaboratable=no
"""Memory beats of write data against the bytes that AXI says a burst writes."""

import random

import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.port.packer import Packer
from tests.hw.channel.bench import boundary, simulate
from tests.hw.port.bursts import random_burst
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

        simulate(Packer(fabric, fabric.ports[0]), testbench)
        return result


def test_signature():
    fabric = fabric_of(64, 64)
    assert boundary(Packer(fabric, fabric.ports[0])) == {
        "in": {"pieces", "data"},
        "out": {"words", "packed", "faulty"},
    }


@pytest.mark.parametrize("beat_bytes", SIZES)
@pytest.mark.parametrize("data_bytes", SIZES)
def test_every_byte_that_is_asked_for(data_bytes, beat_bytes):
    """All kinds, sizes and alignments; W before, with and after its burst; back-pressure."""
    traffic = Traffic(fabric_of(data_bytes, beat_bytes), 8 * data_bytes + beat_bytes)
    rng = traffic.rng
    while len(traffic.data) < 100:
        burst = random_burst(rng, data_bytes=data_bytes)
        if burst.length < 40:
            traffic.add(
                burst,
                rng.choice((OKAY,) * 6 + (SLVERR, DECERR)),
                rng.randrange(burst.length + 1) if rng.random() < 0.1 else None,
            )
    addresses, data = rng.choice(((0.9, 0.9), (0.3, 0.9), (0.9, 0.3)))
    traffic.run(addresses=addresses, data=data, takes=rng.choice((0.4, 0.9)))
