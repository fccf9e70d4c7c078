# amaranth: UnusedElaboratable=no
"""The write side of a port against a memory of bytes, and bursts answered one by one."""

import dataclasses
import random
from collections import defaultdict, deque

import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.port.writes import WriteSide
from tests.hw.channel.bench import boundary, simulate
from tests.hw.port.bursts import Burst, random_burst
from tests.hw.port.streams import Sink, Source
from tests.hw.port.writing import (
    Piece,
    beats_of,
    cut,
    expected_words,
    fabric_of,
    random_data,
    written,
)

OKAY, EXOKAY, SLVERR, DECERR = Response
ATTRIBUTES = {"prot": 3, "cache": 4, "qos": 4}


@dataclasses.dataclass(kw_only=True)
class Asked:
    """A burst of the test, and what has become of it."""

    id: int
    transfers: list
    pieces: list
    response: int
    faulty: bool
    open_pieces: int = 0
    open_transfers: int = 0


@dataclasses.dataclass(kw_only=True)
class Landed:
    """A fragment that memory has to write."""

    entry: int
    asked: Asked
    piece: Piece
    words: list
    attributes: dict
    fetched: list = dataclasses.field(default_factory=list)


class Traffic:
    """Bursts for a write side and the memory behind it."""

    def __init__(self, fabric, seed):
        self.fabric = fabric
        self.port = fabric.ports[0]
        self.rng = random.Random(seed)
        self.asked = []
        self.fragments = []
        self.landings = deque()

    def add(self, burst, *, name=None, response=OKAY, spoilt=None):
        """A burst; ``spoilt`` is the number of the transfer whose WLAST is wrong."""
        rng = self.rng
        name = rng.getrandbits(self.port.id_width) if name is None else name
        transfers = random_data(rng, self.fabric, burst)
        if spoilt is not None:
            transfers[spoilt]["last"] = not transfers[spoilt]["last"]
        pieces = cut(self.fabric, burst, response)
        asked = Asked(
            id=name,
            transfers=transfers,
            pieces=pieces,
            response=max(response, OKAY if spoilt is None else SLVERR),
            faulty=spoilt is not None,
            open_pieces=0 if response else len(pieces),
            open_transfers=len(transfers),
        )
        self.asked.append(asked)
        common = {
            "id": name,
            "tenant": rng.randrange(16),
            "size": burst.size,
            "attributes": {key: rng.getrandbits(width) for key, width in ATTRIBUTES.items()},
            "offered": rng.getrandbits(16),
        }
        done = 0
        for piece in pieces:
            beats = beats_of(self.fabric, piece)
            fragment = common | {
                "address": piece.address,
                "beats": 1 if response else len(beats),
                "transfers": piece.transfers,
                "last": piece.last,
                "response": response,
            }
            self.fragments.append(fragment)
            if not response:
                part = transfers[done : done + piece.transfers]
                landing = {
                    "tenant": common["tenant"],
                    "address": beats[0],
                    "beats": len(beats),
                    "order": name & (1 << self.port.order_bits) - 1,
                    "offered": common["offered"],
                }
                landed = Landed(
                    entry=-1,
                    asked=asked,
                    piece=piece,
                    words=expected_words(self.fabric, piece, part),
                    attributes=common["attributes"],
                )
                self.landings.append((landing, landed))
            done += piece.transfers


class Play:
    """A write side under traffic, clock by clock.

    ``fetches``, ``acknowledges``: chance in a clock that memory does so; it takes any fragment.
    ``responses``: what it answers with.
    """

    def __init__(self, bench, traffic, **chances):
        self.bench = bench
        self.traffic = traffic
        self.rng = traffic.rng
        self.fetches = chances.pop("fetches", 1.0)
        self.acknowledges = chances.pop("acknowledges", 1.0)
        self.responses = chances.pop("responses", (OKAY,))
        self.shuffles = chances.pop("shuffles", True)
        chance = {"fragments": 1.0, "data": 1.0, "landings": 1.0, "answers": 1.0} | chances
        rng = self.rng
        data = [transfer for asked in traffic.asked for transfer in asked.transfers]
        self.fragments = Source(
            bench, "fragments", traffic.fragments, rng=rng, chance=chance["fragments"]
        )
        self.data = Source(bench, "data", data, rng=rng, chance=chance["data"])
        self.landings = Sink(bench, "landings", rng=rng, chance=chance["landings"])
        self.answers = Sink(bench, "responses", rng=rng, chance=chance["answers"])
        self.clock = 0
        self.landed = []
        self.written = []
        self.fetching = None
        self.under_way = deque()
        self.coming = deque(asked for asked in traffic.asked for _ in asked.transfers)
        self.open = defaultdict(deque)
        for asked in traffic.asked:
            self.open[self.order(asked.id)].append(asked)
        self.faulty = 0
        self.in_use = set()
        self.acknowledged = []

    def order(self, name):
        return name & (1 << self.traffic.port.order_bits) - 1

    def choose(self, pool):
        return pool.pop(self.rng.randrange(len(pool)) if self.shuffles else 0)

    async def step(self):
        """One clock."""
        bench = self.bench
        for each in (self.fragments, self.data, self.landings, self.answers):
            each.drive()
        self.fetch()
        self.acknowledge()
        self.fragments.observe(self.clock)
        if self.data.observe(self.clock) is not None:
            self.coming.popleft().open_transfers -= 1
        answer = self.answers.observe(self.clock)
        if answer is not None:
            asked = self.open[self.order(answer["id"])].popleft()
            assert answer == {"id": asked.id, "response": asked.response}
            assert (asked.open_pieces, asked.open_transfers) == (0, 0)
        landing = self.landings.observe(self.clock)
        if landing is not None:
            self.land(landing)
        self.faulty += bench.get("faulty")
        self.check_fetched()
        await bench.tick()
        self.clock += 1

    def land(self, landing):
        entry = landing.pop("entry")
        expected, landed = self.traffic.landings.popleft()
        assert landing == expected
        assert entry not in self.in_use
        self.in_use.add(entry)
        landed.entry = entry
        self.landed.append(landed)

    def fetch(self):
        """Starts or goes on with a fragment, asks for its attributes with its first beat."""
        self.bench.set(**{"fetch.stb": 0, "described.stb": 0})
        if self.rng.random() >= self.fetches:
            # What is on the wires then must not matter.
            self.bench.set(**{"fetch.entry": self.rng.getrandbits(2), "fetch.last": 1})
            return
        if self.fetching is None:
            if not self.landed:
                return
            self.fetching = (self.choose(self.landed), 0)
        landed, beat = self.fetching
        last = beat == len(landed.words) - 1
        self.bench.set(fetch={"stb": 1, "entry": landed.entry, "last": last})
        if beat == 0:
            self.bench.set(**{"described.stb": 1, "described.entry": landed.entry})
        self.fetching = None if last else (landed, beat + 1)
        self.under_way.append((self.clock, landed, beat))

    def check_fetched(self):
        for asked_at, landed, beat in list(self.under_way):
            if asked_at == self.clock - 1 and beat == 0:
                assert self.bench.get("described.attributes") == landed.attributes
        if self.under_way and self.under_way[0][0] == self.clock - 2:
            _, landed, beat = self.under_way.popleft()
            value = self.bench.get("fetch.data").to_bytes(self.traffic.fabric.beat_bytes, "little")
            word = {"data": value, "strobe": self.bench.get("fetch.strobe")}
            assert written(word) == landed.words[beat]
            if beat == len(landed.words) - 1:
                self.written.append(landed)

    def acknowledge(self):
        self.bench.set(**{"acknowledged.valid": 0})
        if not self.written or self.rng.random() >= self.acknowledges:
            return
        landed = self.choose(self.written)
        response = self.rng.choice(self.responses)
        self.bench.set(acknowledged={"valid": 1, "entry": landed.entry, "response": response})
        self.in_use.remove(landed.entry)
        landed.asked.open_pieces -= 1
        if response in (SLVERR, DECERR):
            landed.asked.response = max(landed.asked.response, response)
        self.acknowledged.append(self.clock)

    def over(self):
        return not any(self.open.values())

    async def finish(self, limit):
        """Until every burst is answered, and some clocks more for what must not come."""
        while not self.over():
            assert self.clock < limit
            await self.step()
        for _ in range(8):
            await self.step()
        assert not self.traffic.landings
        assert not self.data.items
        assert self.faulty == sum(asked.faulty for asked in self.traffic.asked)


def play(traffic, limit=20_000, **chances):
    result = []

    async def testbench(bench):
        player = Play(bench, traffic, **chances)
        await player.finish(limit)
        result.append(player)

    simulate(WriteSide(traffic.fabric, traffic.port), testbench)
    return result[0]


def test_signature():
    fabric = fabric_of(64, 64)
    assert boundary(WriteSide(fabric, fabric.ports[0])) == {
        "in": {"fragments", "data", "fetch", "described", "acknowledged"},
        "out": {"landings", "responses", "faulty"},
    }


RANDOM = [
    # data_bytes, beat_bytes, writes, write_units, id and order bits
    (8, 8, 16, 32, 4, 4),
    (8, 64, 4, 16, 4, 2),
    (64, 8, 16, 32, 2, 2),
    (16, 32, 32, 128, 6, 0),
    (32, 16, 4, 16, 3, 3),
]


@pytest.mark.parametrize(("data_bytes", "beat_bytes", "writes", "units", "ids", "orders"), RANDOM)
def test_nothing_lost_doubled_or_out_of_order(data_bytes, beat_bytes, writes, units, ids, orders):
    fabric = fabric_of(
        data_bytes,
        beat_bytes,
        writes=writes,
        write_units=units,
        id_width=ids,
        order_width=orders,
    )
    traffic = Traffic(fabric, data_bytes + 100 * beat_bytes)
    rng = traffic.rng
    for _ in range(40):
        burst = random_burst(rng, data_bytes=data_bytes)
        burst = dataclasses.replace(burst, length=min(burst.length, 15))
        traffic.add(
            burst,
            response=rng.choice((OKAY,) * 6 + (SLVERR, DECERR)),
            spoilt=rng.randrange(burst.length + 1) if rng.random() < 0.1 else None,
        )
    chances = dict.fromkeys(("fragments", "data", "landings", "answers", "fetches"), 0.8)
    chances["acknowledges"] = 0.7
    chances[rng.choice(sorted(chances))] = 0.3
    play(traffic, responses=(OKAY,) * 6 + (EXOKAY, SLVERR, DECERR), **chances)


def test_a_beat_a_clock():
    """A long INCR burst, and bursts of one transfer: W never stops, and B comes in every clock."""
    for length, count in ((255, 2), (0, 300)):
        traffic = Traffic(fabric_of(8, 8, max_beats=16, write_units=64), 1)
        for i in range(count):
            traffic.add(Burst(address=0x1000 * i, length=length, size=3), name=i % 3)
        player = play(traffic, shuffles=False)
        assert player.data.taken == list(range((length + 1) * count))
        if length == 0:
            # The order of responses needs a few clocks to get going.
            clocks = player.answers.clocks
            assert clocks[10:] == list(range(clocks[10], clocks[10] + count - 10))
