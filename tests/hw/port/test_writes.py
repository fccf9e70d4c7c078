# amaranth: UnusedElaboratable=no
"""The write side of a port against a memory of bytes, and bursts answered one by one."""

import dataclasses
import random
from collections import defaultdict, deque

import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.port.writes import WriteSide
from tests.hw.channel.bench import boundary, simulation
from tests.hw.port.bursts import FIXED, Burst, random_burst
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
    """Bursts for a write side and the memory behind it.

    ``clashes``: fragments often touch the same beats, else never.
    """

    def __init__(self, fabric, seed, *, clashes=False):
        self.fabric = fabric
        self.clashes = clashes
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
            number = len(self.fragments)
            hazard = {"key": number, "beats": 1}
            if self.clashes:
                hazard = {"key": rng.getrandbits(2), "beats": rng.getrandbits(2)}
            fragment = common | {
                "hazard": hazard,
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
                    "hazard": hazard,
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
        self.described = None
        self.under_way = deque()
        self.coming = deque(asked for asked in traffic.asked for _ in asked.transfers)
        self.open = defaultdict(deque)
        for asked in traffic.asked:
            self.open[self.order(asked.id)].append(asked)
        self.faulty = 0
        self.in_use = {}
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
        hazard = landing["hazard"]
        for other in self.in_use.values():
            assert hazard["key"] != other["key"] or not hazard["beats"] & other["beats"]
        self.in_use[entry] = hazard
        landed.entry = entry
        self.landed.append(landed)

    def fetch(self):
        """Starts or goes on with a fragment, asks for its attributes with its first beat."""
        self.bench.set(**{"fetch.0.stb": 0, "described.0.stb": 0})
        self.bench.set(**{"described.0.entry": self.rng.getrandbits(2)})
        if self.rng.random() >= self.fetches:
            # What is on the wires then must not matter.
            self.bench.set(**{"fetch.0.entry": self.rng.getrandbits(2), "fetch.0.last": 1})
            return
        if self.fetching is None:
            if not self.landed:
                return
            self.fetching = (self.choose(self.landed), 0)
        landed, beat = self.fetching
        last = beat == len(landed.words) - 1
        self.bench.set(**{"fetch.0": {"stb": 1, "entry": landed.entry, "last": last}})
        if beat == 0:
            self.bench.set(**{"described.0.stb": 1, "described.0.entry": landed.entry})
        self.fetching = None if last else (landed, beat + 1)
        self.under_way.append((self.clock, landed, beat))

    def check_fetched(self):
        # Attributes come a clock after they were asked for, and stay.
        if self.described is not None:
            assert self.bench.get("described.0.attributes") == self.described
        if self.under_way and self.under_way[-1][0] == self.clock and self.under_way[-1][2] == 0:
            self.described = self.under_way[-1][1].attributes
        if self.under_way and self.under_way[0][0] == self.clock - 2:
            _, landed, beat = self.under_way.popleft()
            value = self.bench.get("fetch.0.data").to_bytes(
                self.traffic.fabric.beat_bytes, "little"
            )
            word = {"data": value, "strobe": self.bench.get("fetch.0.strobe")}
            assert written(word) == landed.words[beat]
            if beat == len(landed.words) - 1:
                self.written.append(landed)

    def acknowledge(self):
        self.bench.set(**{"acknowledged.0.valid": 0})
        if not self.written or self.rng.random() >= self.acknowledges:
            return
        landed = self.choose(self.written)
        response = self.rng.choice(self.responses)
        self.bench.set(
            **{"acknowledged.0": {"valid": 1, "entry": landed.entry, "response": response}}
        )
        del self.in_use[landed.entry]
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


def play(traffic, limit=5_000, **chances):
    result = []

    async def testbench(bench):
        player = Play(bench, traffic, **chances)
        await player.finish(limit)
        result.append(player)

    simulation(WriteSide, traffic.fabric, traffic.port).run(testbench)
    return result[0]


def test_signature():
    fabric = fabric_of(64, 64)
    assert boundary(WriteSide(fabric, fabric.ports[0])) == {
        "in": {"fragments", "data", "fetch", "described", "acknowledged"},
        "out": {"landings", "tenant", "waits", "idle", "responses", "faulty"},
    }


RANDOM = [
    # data_bytes, beat_bytes, writes, write_units, id and order bits
    (8, 8, 16, 32, 4, 4),
    (8, 64, 4, 16, 4, 2),
    (64, 8, 16, 32, 2, 2),
    (16, 32, 32, 128, 6, 0),
]


@pytest.mark.parametrize("bursts", [10, pytest.param(40, marks=pytest.mark.soak)])
@pytest.mark.parametrize(("data_bytes", "beat_bytes", "writes", "units", "ids", "orders"), RANDOM)
def test_nothing_lost_doubled_or_out_of_order(
    data_bytes, beat_bytes, writes, units, ids, orders, bursts
):
    fabric = fabric_of(
        data_bytes,
        beat_bytes,
        writes=writes,
        write_units=units,
        id_width=ids,
        order_width=orders,
    )
    traffic = Traffic(fabric, data_bytes + 100 * beat_bytes, clashes=True)
    rng = traffic.rng
    for _ in range(bursts):
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
    play(traffic, 500 * bursts, responses=(OKAY,) * 6 + (EXOKAY, SLVERR, DECERR), **chances)


def test_a_long_burst_runs_at_a_beat_a_clock():
    traffic = Traffic(fabric_of(8, 8, max_beats=16, writes=16, write_units=64), 1)
    traffic.add(Burst(address=0, length=255, size=3))
    player = play(traffic, shuffles=False)
    assert player.data.taken == list(range(256))


def test_bursts_of_one_transfer_run_at_one_a_clock():
    """From AW and W to B, of one ID and of several."""
    for names in (1, 3):
        traffic = Traffic(fabric_of(8, 8, writes=16, write_units=64), 2)
        for i in range(40):
            traffic.add(Burst(address=8 * i, size=3), name=i % names)
        player = play(traffic, shuffles=False)
        assert player.data.taken == list(range(40))
        # A fragment lands three clocks after it was taken, or four behind others.
        assert player.landings.clocks == [3, 4, 5, *range(7, 44)]
        # The order of responses needs a few clocks to get going.
        last = player.answers.clocks[-1]
        assert player.answers.clocks[-30:] == list(range(last - 29, last + 1))


def small(**sizes):
    return Traffic(fabric_of(8, 8, writes=8, write_units=16, id_width=4, **sizes), 3)


def run(traffic, script, **chances):
    """Plays ``script``, a coroutine of a :class:`Play`."""

    async def testbench(bench):
        await script(Play(bench, traffic, **chances))

    simulation(WriteSide, traffic.fabric, traffic.port).run(testbench)


def test_a_full_bank_stops_w():
    """Nothing is fetched: the bank takes its 16 beats, the way to it three."""
    traffic = small(order_width=4)
    for i in range(6):
        traffic.add(Burst(address=64 * i, length=7, size=3))

    async def script(player):
        for _ in range(50):
            await player.step()
        assert len(player.data.taken) == 16 + 3
        assert len(player.landed) == 2
        player.fetches = 1.0
        await player.finish(300)

    run(traffic, script, fetches=0.0)


def test_every_entry_in_use_stops_aw():
    """Nothing is acknowledged: eight fragments are under way, the next one is not taken."""
    traffic = small(order_width=4)
    for i in range(20):
        traffic.add(Burst(address=8 * i, size=3))

    async def script(player):
        for _ in range(40):
            await player.step()
        assert len(player.fragments.taken) == len(player.landings.items) == 8
        player.acknowledges = 1.0
        await player.finish(300)

    run(traffic, script, acknowledges=0.0)


def test_who_does_not_take_b_holds_up_its_own_port_alone():
    """The memory side goes on until nothing is left to do; three answers wait."""
    traffic = small(order_width=4)
    for i in range(20):
        traffic.add(Burst(address=8 * i, size=3), name=i % 3)

    async def script(player):
        for _ in range(80):
            await player.step()
        assert not player.landed
        assert not player.written
        # Entries of three answers are free again: two in B's places, one on the way there.
        assert len(player.acknowledged) == 8 + 3
        player.answers.chance = 1.0
        await player.finish(400)

    run(traffic, script, answers=0.0)


def test_nothing_lands_before_its_data():
    """A slow writer: its fragment of eight beats lands with the last one, and not before."""
    traffic = small(order_width=4)
    traffic.add(Burst(address=0, length=7, size=3))
    traffic.add(Burst(address=64, size=3))

    async def script(player):
        while len(player.data.taken) < 7:
            await player.step()
        player.data.chance = 0.0
        for _ in range(20):
            await player.step()
        assert not player.landings.items
        player.data.chance = 1.0
        await player.finish(300)

    run(traffic, script, data=0.5)


def test_a_fragment_that_touches_the_same_beats_lands_after_the_acknowledgement():
    """Those behind it wait with it; all data come in meanwhile."""
    traffic = small(order_width=4)
    for i in range(4):
        traffic.add(Burst(address=8 * i, size=3))
        touched = {"key": 5 if i < 3 else 6, "beats": (0b001, 0b110, 0b010, 0b001)[i]}
        traffic.fragments[i]["hazard"] = traffic.landings[i][0]["hazard"] = touched

    async def script(player):
        for _ in range(30):
            await player.step()
        assert len(player.data.taken) == 4
        assert len(player.landings.items) == 2
        player.acknowledges = 1.0
        await player.finish(100)
        assert player.landings.clocks[2] == player.acknowledged[1] + 1

    run(traffic, script, acknowledges=0.0, shuffles=False)


def test_a_landing_that_waits_does_not_stop_w():
    traffic = small(order_width=4)
    for i in range(8):
        traffic.add(Burst(address=8 * i, length=1, size=3))

    async def script(player):
        for _ in range(40):
            await player.step()
        assert len(player.data.taken) == 16
        player.landings.chance = 1.0
        await player.finish(300)

    run(traffic, script, landings=0.0)


def answered(traffic, script, **chances):
    """IDs in the order of their answers."""
    names = []

    async def whole(player):
        await script(player)
        await player.finish(400)
        names.extend(answer["id"] for answer in player.answers.items)

    run(traffic, whole, **chances)
    return names


def test_a_refused_burst_is_answered_in_its_turn():
    """It waits for an earlier burst of its ID, and for its own data, not for other IDs."""
    traffic = small(order_width=4)
    traffic.add(Burst(address=0, size=3), name=1)
    traffic.add(Burst(address=8, length=255, size=3), name=1, response=DECERR)
    traffic.add(Burst(address=8, length=3, size=3), name=2, response=SLVERR)

    async def script(player):
        while len(player.data.taken) < 1 + 256 + 3:
            await player.step()
        player.data.chance = 0.0
        for _ in range(10):
            await player.step()
        # The last transfer of the last burst is still to come.
        assert not player.answers.items
        player.data.chance = 1.0
        for _ in range(10):
            await player.step()
        assert [answer["id"] for answer in player.answers.items] == [2]
        player.acknowledges = 1.0

    assert answered(traffic, script, acknowledges=0.0) == [2, 1, 1]


@pytest.mark.parametrize(("orders", "expected"), [(4, [3, 2, 1, 1]), (1, [2, 1, 1, 3])])
def test_answers_of_one_order_keep_the_order_of_aw(orders, expected):
    """Acknowledged from the last to the first. IDs that are equal in their low bits share."""
    traffic = small(order_width=orders)
    for i, name in enumerate((1, 1, 2, 3)):
        traffic.add(Burst(address=8 * i, size=3), name=name)

    async def script(player):
        while len(player.written) < 4:
            await player.step()
        player.written.reverse()
        player.shuffles = False
        player.acknowledges = 1.0

    assert answered(traffic, script, acknowledges=0.0) == expected


@pytest.mark.parametrize(
    ("responses", "worst"),
    [
        ((OKAY, OKAY, OKAY), OKAY),
        ((SLVERR, OKAY, OKAY), SLVERR),
        ((OKAY, DECERR, SLVERR), DECERR),
        ((SLVERR, OKAY, DECERR), DECERR),
        ((EXOKAY, EXOKAY, EXOKAY), OKAY),
    ],
)
def test_a_burst_is_answered_with_the_worst(responses, worst):
    """Of its fragments alone: the bursts before and after it, of its order, are well."""
    traffic = small(order_width=4)
    for length in (0, 2, 0):
        traffic.add(Burst(address=0, length=length, size=3, kind=FIXED), name=5)

    async def script(player):
        given = iter((OKAY, *responses, OKAY))
        while not player.over():
            # Memory answers in order here, so the next response is the next fragment's.
            if player.written:
                player.responses = (next(given),)
                player.acknowledges = 1.0
            await player.step()
            player.acknowledges = 0.0

    async def whole(player):
        await script(player)
        await player.finish(400)
        assert [answer["response"] for answer in player.answers.items] == [OKAY, worst, OKAY]

    run(traffic, whole, shuffles=False, acknowledges=0.0)


def test_a_refused_burst_is_not_blamed_for_what_had_its_entry_before():
    traffic = small(order_width=4)
    for response in [OKAY] * 8 + [SLVERR] * 8:
        traffic.add(Burst(address=0, size=3), response=response)

    async def script(player):
        await player.finish(400)
        assert [answer["response"] for answer in player.answers.items] == [DECERR] * 8 + [
            SLVERR
        ] * 8

    run(traffic, script, shuffles=False, responses=(DECERR,))


def test_axi_outputs_do_not_follow_inputs():
    """In no clock of random traffic does any of them change when an input does."""
    traffic = small(order_width=4)
    for i in range(8):
        traffic.add(Burst(address=8 * i, length=i % 3, size=3))

    async def script(player):
        bench = player.bench

        def outputs():
            names = ("data.ready", "fragments.ready", "responses.valid", "responses.payload")
            return [bench.get(name) for name in names]

        while not player.over():
            before = outputs()
            bench.set(fragments={"valid": 1}, data={"valid": 1}, **{"acknowledged.0.valid": 1})
            bench.set(responses={"ready": 1}, landings={"ready": 1}, **{"fetch.0.stb": 1})
            assert outputs() == before
            bench.set(fragments={"valid": 0}, data={"valid": 0}, **{"acknowledged.0.valid": 0})
            bench.set(responses={"ready": 0}, landings={"ready": 0}, **{"fetch.0.stb": 0})
            assert outputs() == before
            await player.step()

    run(traffic, script, answers=0.4, landings=0.7, data=0.7)


def test_reset_forgets_what_is_under_way():
    """Fragments without data, in the bank, landed, written and unanswered; then all is new."""
    for clocks in (5, 14):
        traffic = small(order_width=4)
        for i in range(12):
            traffic.add(Burst(address=8 * i, length=i % 3, size=3))
        again = small(order_width=4)
        again.add(Burst(address=0, length=7, size=3))
        again.add(Burst(address=0, length=7, size=3), response=DECERR)

        async def testbench(bench, traffic=traffic, again=again, clocks=clocks):
            first = Play(bench, traffic, acknowledges=0.3, answers=0.3)
            for _ in range(clocks):
                await first.step()
            bench.set(fragments={"valid": 0}, data={"valid": 0}, **{"acknowledged.0.valid": 0})
            bench.set(**{"fetch.0": {"stb": 0}})
            await bench.reset()
            await Play(bench, again).finish(100)

        simulation(WriteSide, traffic.fabric, traffic.port).run(testbench)
