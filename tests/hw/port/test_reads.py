# amaranth: UnusedElaboratable=no
"""The read side between fragments, a memory that answers in any order, and R."""

import dataclasses
import random
from collections import deque

import pytest
from amaranth.hdl import Cat, Value

from mcos_hw.bus.axi4lite import Response
from mcos_hw.port.reads import ReadSide
from tests.hw.channel.bench import boundary, pack, simulation
from tests.hw.port.returning import WIDTHS, Fragment, fabric_of, random_fragment, whole_beats

NAMES = tuple(
    {
        "fragment": "fragments.payload",
        "fragment_valid": "fragments.valid",
        "fragment_ready": "fragments.ready",
        "landing": "landings.payload",
        "landing_valid": "landings.valid",
        "landing_ready": "landings.ready",
        "transfer": "beats.payload",
        "valid": "beats.valid",
        "ready": "beats.ready",
    }.items()
)
PINS = (
    "fragments.valid",
    "fragments.payload",
    "landings.ready",
    "returned.0.valid",
    "returned.0.entry",
    "returned.0.data",
    "returned.0.response",
    "returned.0.last",
    "described.0.stb",
    "described.0.entry",
    "beats.ready",
)
"""Inputs. They are set together, because the simulator settles after each that is set."""

LATENCY = 5
"""Clocks from the last beat of a fragment to its first transfer."""


def always():
    return True


class Surroundings:
    """Offers fragments, answers landings as memory, takes transfers, and checks all of it.

    Parameters
    ----------
    bench : Bench
        The read side.
    fragments : Sequence[Fragment]
        What is offered, in order.
    rng : random.Random
        Chooses whatever is left open.
    gives, lands, takes : Callable
        Whether a fragment is offered, a landing taken, and R ready, in this clock.
    hazard : Callable
        What tells of the beats of a fragment, of its number; by default no two touch the same.
    returns : Callable
        Of the fragments at memory, by entry, and the clock: the entry whose next beat returns in
        this clock, or None.
    """

    def __init__(self, bench, fabric, port, fragments, rng, **choices):
        self.bench, self.fabric, self.port, self.rng = bench, fabric, port, rng
        self.gives = choices.get("gives", always)
        self.lands = choices.get("lands", always)
        self.takes = choices.get("takes", always)
        self.returns = choices.get("returns", self.any_of)
        self.hazard = choices.get("hazard", lambda number: {"key": number % 4096, "beats": 1})
        self.pins = [Value.cast(bench.member(name)) for name in PINS]
        self.values = dict.fromkeys(PINS, 0)
        self.waiting = deque(fragments)
        self.total = sum(fragment.transfers for fragment in fragments)
        self.clock = 0
        # Fragments that have yet to land, each with what was offered.
        self.landing = deque()
        # Fragments that memory has yet to answer, by entry: fragment, next beat, clock it landed,
        # what was offered.
        self.outstanding = {}
        # Fragments to answer, by order, and the one whose transfers are leaving.
        self.unanswered = {}
        self.leaving, self.part = None, []
        self.offers = None
        self.stuck_landing = self.stuck = None
        self.asked = None
        self.returned_at = {}
        self.transfers_at, self.passed_at = [], []

    def any_of(self, outstanding, clock):
        return self.rng.choice(list(outstanding)) if outstanding else None

    def order(self, number):
        return number % (1 << self.port.order_bits)

    async def step(self):
        """One clock: drive all, look at all."""
        self.offer()
        self.answer()
        self.ask()
        self.values["landings.ready"] = self.lands()
        self.values["beats.ready"] = self.takes()
        self.drive()
        self.look_at_landings()
        self.look_at_transfers()
        await self.bench.tick()
        self.clock += 1

    def drive(self):
        bits = place = 0
        for pin, value in zip(self.pins, self.values.values(), strict=True):
            bits |= int(value) << place
            place += len(pin)
        self.bench.context.set(Cat(self.pins), bits)

    async def run(self, clocks):
        """Until everything is answered, in at most so many clocks."""
        for _ in range(clocks):
            if len(self.transfers_at) == self.total:
                break
            await self.step()
        assert len(self.transfers_at) == self.total
        assert not self.landing
        assert not self.outstanding
        assert self.leaving is None

    def offer(self):
        if self.offers is None and self.waiting and self.gives():
            fragment = self.waiting[0]
            self.offers = {
                "id": fragment.id,
                "tenant": self.rng.randrange(4),
                "address": fragment.address,
                "beats": fragment.beats(self.fabric.beat_bytes),
                "hazard": self.hazard(len(self.passed_at)),
                "transfers": fragment.transfers,
                "size": fragment.size,
                "last": fragment.last,
                "response": fragment.refusal,
                "attributes": {
                    "prot": self.rng.getrandbits(3),
                    "cache": self.rng.getrandbits(4),
                    "qos": self.rng.getrandbits(4),
                },
                "offered": self.rng.getrandbits(16),
            }
            if fragment.refusal:
                self.offers["beats"] = self.rng.getrandbits(4)
            payload = self.bench.member("fragment")
            self.values["fragments.payload"] = pack(payload.shape(), self.offers)
        self.values["fragments.valid"] = self.offers is not None

    def answer(self):
        entry = self.returns(self.outstanding, self.clock)
        self.values["returned.0.valid"] = entry is not None
        if entry is None:
            return
        fragment, beat, _, _ = self.outstanding[entry]
        last = beat == len(fragment.words) - 1
        self.outstanding[entry][1] += 1
        if last:
            del self.outstanding[entry]
            self.returned_at[id(fragment)] = self.clock
        self.values |= {
            "returned.0.entry": entry,
            "returned.0.data": fragment.words[beat],
            "returned.0.response": fragment.responses[beat],
            "returned.0.last": last,
        }

    def ask(self):
        if self.asked is not None:
            assert self.bench.get("described.0.attributes") == self.asked
        self.asked = None
        asks = self.outstanding and self.rng.random() < 0.3
        self.values["described.0.stb"] = bool(asks)
        if asks:
            entry = self.rng.choice(list(self.outstanding))
            self.asked = self.outstanding[entry][3]["attributes"]
            self.values["described.0.entry"] = entry

    def look_at_landings(self):
        bench = self.bench
        valid = bench.get("landing_valid")
        landing = bench.get("landing") if valid else None
        assert self.stuck_landing in (None, landing), "a landing stays until it is taken"
        lands = valid and self.values["landings.ready"]
        self.stuck_landing = None if lands else landing
        passes = self.offers is not None and bench.get("fragment_ready")
        if lands:
            fragment, offers = self.landing.popleft()
            beat_bytes = self.fabric.beat_bytes
            assert landing == {
                "tenant": offers["tenant"],
                "address": fragment.address // beat_bytes * beat_bytes,
                "beats": offers["beats"],
                "hazard": offers["hazard"],
                "entry": landing["entry"],
                "order": self.order(fragment.id),
                "offered": offers["offered"],
            }
            assert landing["entry"] not in self.outstanding
            for _, _, _, other in self.outstanding.values():
                mine, its = offers["hazard"], other["hazard"]
                assert mine["key"] != its["key"] or not mine["beats"] & its["beats"]
            self.outstanding[landing["entry"]] = [fragment, 0, self.clock, offers]
        if not passes:
            return
        fragment = self.waiting.popleft()
        if not fragment.refusal:
            self.landing.append((fragment, self.offers))
        self.unanswered.setdefault(self.order(fragment.id), deque()).append(fragment)
        self.passed_at.append(self.clock)
        self.offers = None

    def look_at_transfers(self):
        bench = self.bench
        valid = bench.get("valid")
        transfer = bench.get("transfer") if valid else None
        assert self.stuck in (None, transfer), "a transfer stays until it is taken"
        self.stuck = transfer
        if not valid or not self.values["beats.ready"]:
            return
        self.stuck = None
        self.transfers_at.append(self.clock)
        if self.leaving is None:
            self.leaving = self.unanswered[self.order(transfer["id"])].popleft()
            if not self.leaving.refusal:
                assert self.returned_at[id(self.leaving)] < self.clock
        self.part.append(transfer)
        if len(self.part) == self.leaving.transfers:
            self.leaving.check(self.part, self.port.data_bytes, self.fabric.beat_bytes)
            self.leaving, self.part = None, []


def run(fabric, port, fragments, rng, *, clocks=None, **choices):
    """All fragments from reset on, and what came of it."""
    result = None

    async def testbench(bench):
        nonlocal result
        result = Surroundings(bench, fabric, port, fragments, rng, **choices)
        await result.run(clocks or 40 * result.total + 1000)

    simulation(ReadSide, fabric, port, names=NAMES).run(testbench)
    return result


def delayed(clocks):
    """Memory that answers in order, a beat a clock, each fragment so long after it landed."""

    def returns(outstanding, clock):
        for entry, (_, _, landed, _) in outstanding.items():
            return entry if clock >= landed + clocks else None
        return None

    return returns


def test_signature():
    assert boundary(ReadSide(*fabric_of(8, 8))) == {
        "in": {"fragments", "returned", "described"},
        "out": {"landings", "tenant", "waits", "idle", "beats"},
    }


# The unpacker is tested with every pair.
@pytest.mark.parametrize(
    ("data_bytes", "beat_bytes", "count"),
    [
        *((data, beat, 20) for data, beat in ((8, 64), (16, 32), (64, 8))),
        *(pytest.param(*widths, 80, marks=pytest.mark.soak) for widths in WIDTHS[::3]),
    ],
)
def test_any_fragments_in_any_order(data_bytes, beat_bytes, count):
    rng = random.Random(7 * data_bytes + beat_bytes)
    fabric, port = fabric_of(data_bytes, beat_bytes, id_width=3, order_width=2)
    fragments = [random_fragment(rng, fabric, port, longest=12) for _ in range(count)]

    def sometimes(share):
        return lambda: rng.random() < share

    run(
        fabric,
        port,
        fragments,
        rng,
        gives=sometimes(0.8),
        lands=sometimes(0.8),
        takes=sometimes(rng.choice((0.3, 0.7, 1))),
        hazard=lambda _: {"key": rng.getrandbits(2), "beats": rng.getrandbits(2)},
    )


@pytest.mark.parametrize(("data_bytes", "beats"), [(32, 1), (32, 2), (16, 8)])
def test_latency_from_the_last_beat(data_bytes, beats):
    rng = random.Random(1)
    fabric, port = fabric_of(data_bytes, 32)
    fragment = whole_beats(rng, fabric, id=3, beats=beats)
    size = port.size_limit
    fragment = dataclasses.replace(
        fragment, size=size, transfers=beats * 32 // data_bytes, address=0
    )
    result = run(fabric, port, [fragment], rng, returns=delayed(20))
    last = result.returned_at[id(fragment)]
    # It lands in the clock after it passed.
    assert last == 21 + beats - 1
    assert result.transfers_at == [last + LATENCY + i for i in range(fragment.transfers)]


@pytest.mark.parametrize(("beats", "ids"), [(1, 1), (1, 64), (2, 64), (8, 1)])
def test_a_transfer_in_every_clock(beats, ids):
    """From the first to the last, whatever the length of fragments, of one ID or of many."""
    rng = random.Random(2)
    fabric, port = fabric_of(16, 16, reads=32, read_units=64)
    count = 96 // beats
    fragments = [whole_beats(rng, fabric, id=k % ids, beats=beats) for k in range(count)]
    result = run(fabric, port, fragments, rng, returns=delayed(12))
    first = 13 + beats - 1 + LATENCY
    assert result.transfers_at == list(range(first, first + count * beats))


def test_a_beat_in_every_clock_with_transfers_of_many_beats():
    rng = random.Random(3)
    fabric, port = fabric_of(64, 8, read_units=128)
    fragments = [
        dataclasses.replace(whole_beats(rng, fabric, id=k % 5, beats=16), size=6, transfers=2)
        for k in range(12)
    ]
    result = run(fabric, port, fragments, rng, returns=delayed(20))
    assert result.transfers_at[-1] - result.transfers_at[0] == 8 * (len(result.transfers_at) - 1)


def test_every_transfer_of_a_narrow_bus_in_its_clock():
    rng = random.Random(4)
    fabric, port = fabric_of(8, 64)
    fragments = [
        dataclasses.replace(whole_beats(rng, fabric, id=k % 5, beats=2), size=3, transfers=16)
        for k in range(12)
    ]
    result = run(fabric, port, fragments, rng, returns=delayed(20))
    assert result.transfers_at[-1] - result.transfers_at[0] == len(result.transfers_at) - 1


def test_refused_fragments_one_in_every_clock():
    """They need neither room nor memory."""
    rng = random.Random(5)
    fabric, port = fabric_of(16, 16, reads=16)
    fragments = [
        Fragment(id=k % 3, address=k, size=0, transfers=1, last=True, refusal=Response.DECERR)
        for k in range(60)
    ]
    result = run(fabric, port, fragments, rng, lands=lambda: False)
    first = result.transfers_at[0]
    assert result.transfers_at == list(range(first, first + 60))


def test_memory_is_never_held_up_by_r():
    """R is not taken for ever: all that fits is returned, at once, and still right in the end."""
    rng = random.Random(6)
    fabric, port = fabric_of(16, 16, reads=16, read_units=32)
    fragments = [random_fragment(rng, fabric, port, longest=9) for _ in range(30)]
    taking = False

    async def testbench(bench):
        nonlocal taking
        world = Surroundings(bench, fabric, port, fragments, rng, takes=lambda: taking)
        for _ in range(110):
            await world.step()
        passed = len(world.passed_at)
        assert passed < len(fragments)
        assert not world.outstanding, "every beat was taken when it came"
        assert world.stuck is not None
        for _ in range(50):
            await world.step()
        assert len(world.passed_at) == passed
        assert not world.transfers_at
        taking = True
        await world.run(4000)

    simulation(ReadSide, fabric, port, names=NAMES).run(testbench)


@pytest.mark.parametrize("beats", [1, 2, 16])
def test_what_passes_before_anything_is_answered(beats):
    """As many fragments as there are entries and as there is room for, and not one more.

    A refused one passes without room, but not without an entry.
    """
    rng = random.Random(7)
    fabric, port = fabric_of(16, 16, reads=8, read_units=32)
    limit = min(8, 32 // beats)
    fragments = [whole_beats(rng, fabric, id=k, beats=beats) for k in range(limit + 1)]
    refused = Fragment(id=60, address=0, size=0, transfers=1, last=True, refusal=Response.SLVERR)

    async def testbench(bench):
        world = Surroundings(
            bench, fabric, port, [*fragments[:limit], refused], rng, returns=lambda *_: None
        )
        for _ in range(30):
            await world.step()
        assert len(world.passed_at) == limit + (limit < 8)
        assert len(world.transfers_at) == (limit < 8)
        world.returns = world.any_of
        await world.run(200)
        world = Surroundings(bench, fabric, port, fragments, rng, returns=lambda *_: None)
        for _ in range(30):
            await world.step()
        assert len(world.passed_at) == limit
        assert world.passed_at[-1] == limit - 1
        world.returns = world.any_of
        await world.run(200)
        assert len(world.passed_at) == limit + 1

    simulation(ReadSide, fabric, port, names=NAMES).run(testbench)


def test_a_fragment_that_touches_the_same_beats_lands_after_the_last_beat_of_the_other():
    rng = random.Random(10)
    fabric, port = fabric_of(16, 16, reads=16)
    fragments = [whole_beats(rng, fabric, id=k, beats=2) for k in range(4)]
    touched = [(5, 0b001), (5, 0b110), (5, 0b010), (6, 0b001)]

    async def testbench(bench):
        world = Surroundings(
            bench,
            fabric,
            port,
            fragments,
            rng,
            returns=lambda *_: None,
            hazard=lambda number: dict(zip(("key", "beats"), touched[number], strict=True)),
        )
        for _ in range(30):
            await world.step()
        assert len(world.passed_at) == 4
        assert [each for each, _ in world.landing] == fragments[2:]
        world.returns = world.any_of
        await world.run(100)

    simulation(ReadSide, fabric, port, names=NAMES).run(testbench)


def test_ids_pass_one_another_and_fragments_of_one_do_not():
    """Memory answers the last fragment first."""
    rng = random.Random(8)
    fabric, port = fabric_of(16, 16, reads=16, order_width=2)
    # 1 and 5 share an order.
    ids = [1, 1, 5, 2, 3]
    fragments = [whole_beats(rng, fabric, id=k) for k in ids]
    left = []

    def newest(outstanding, clock):
        return list(outstanding)[-1] if clock > 10 and outstanding else None

    class Noting(Surroundings):
        def look_at_transfers(self):
            super().look_at_transfers()
            if self.bench.get("valid"):
                left.append(self.bench.get("transfer")["id"])

    async def testbench(bench):
        await Noting(bench, fabric, port, fragments, rng, returns=newest).run(200)

    simulation(ReadSide, fabric, port, names=NAMES).run(testbench)
    assert left == [3, 2, 1, 1, 5]


def test_reset_with_everything_under_way():
    rng = random.Random(9)
    fabric, port = fabric_of(16, 16, reads=8, read_units=32)

    async def testbench(bench):
        for clocks in (37, 52, 61, None):
            fragments = [random_fragment(rng, fabric, port, longest=9) for _ in range(24)]
            world = Surroundings(bench, fabric, port, fragments, rng)
            if clocks is None:
                await world.run(3000)
                break
            for _ in range(clocks):
                await world.step()
            bench.set(fragment_valid=0, **{"returned.0.valid": 0})
            await bench.reset()
            assert not bench.get("valid")
            assert not bench.get("landing_valid")

    simulation(ReadSide, fabric, port, names=NAMES).run(testbench)
