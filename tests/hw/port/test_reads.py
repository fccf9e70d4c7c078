# amaranth: UnusedElaboratable=no
"""The read side between fragments, a memory that answers in any order, and R."""

import random
from collections import deque

import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.port.reads import ReadSide
from tests.hw.channel.bench import boundary, simulate
from tests.hw.port.returning import WIDTHS, Fragment, fabric_of, random_fragment

NAMES = {
    "fragment": "fragments.payload",
    "fragment_valid": "fragments.valid",
    "fragment_ready": "fragments.ready",
    "landing": "landings.payload",
    "landing_valid": "landings.valid",
    "landing_ready": "landings.ready",
    "transfer": "beats.payload",
    "valid": "beats.valid",
    "ready": "beats.ready",
}
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
        self.waiting = deque(fragments)
        self.total = sum(fragment.transfers for fragment in fragments)
        self.clock = 0
        # Fragments that memory has yet to answer, by entry: fragment, next beat, clock it landed.
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
        self.bench.set(landing_ready=self.lands(), ready=self.takes())
        self.look_at_landings()
        self.look_at_transfers()
        await self.bench.tick()
        self.clock += 1

    async def run(self, clocks):
        """Until everything is answered, in at most so many clocks."""
        for _ in range(clocks):
            if len(self.transfers_at) == self.total:
                break
            await self.step()
        assert len(self.transfers_at) == self.total
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
            self.bench.set(fragment=self.offers)
        self.bench.set(fragment_valid=self.offers is not None)

    def answer(self):
        entry = self.returns(self.outstanding, self.clock)
        if entry is None:
            self.bench.set(returned={"valid": 0})
            return
        fragment, beat, _, _ = self.outstanding[entry]
        last = beat == len(fragment.words) - 1
        self.outstanding[entry][1] += 1
        if last:
            del self.outstanding[entry]
            self.returned_at[id(fragment)] = self.clock
        self.bench.set(
            returned={
                "valid": 1,
                "entry": entry,
                "data": fragment.words[beat],
                "response": fragment.responses[beat],
                "last": last,
            }
        )

    def ask(self):
        if self.asked is not None:
            assert self.bench.get("described.attributes") == self.asked
        self.asked = None
        if self.outstanding and self.rng.random() < 0.3:
            entry = self.rng.choice(list(self.outstanding))
            self.asked = self.outstanding[entry][3]
            self.bench.set(described={"stb": 1, "entry": entry})
        else:
            self.bench.set(described={"stb": 0})

    def look_at_landings(self):
        bench = self.bench
        valid = bench.get("landing_valid")
        landing = bench.get("landing") if valid else None
        assert self.stuck_landing in (None, landing), "a landing stays until it is taken"
        lands = valid and bench.get("landing_ready")
        self.stuck_landing = None if lands else landing
        passes = self.offers is not None and bench.get("fragment_ready")
        assert not valid or self.offers is not None
        if not passes:
            assert not lands
            return
        fragment = self.waiting.popleft()
        assert lands == (not fragment.refusal)
        if lands:
            beat_bytes = self.fabric.beat_bytes
            assert landing == {
                "tenant": self.offers["tenant"],
                "address": fragment.address // beat_bytes * beat_bytes,
                "beats": self.offers["beats"],
                "entry": landing["entry"],
                "order": self.order(fragment.id),
                "offered": self.offers["offered"],
            }
            assert landing["entry"] not in self.outstanding
            attributes = self.offers["attributes"]
            self.outstanding[landing["entry"]] = [fragment, 0, self.clock, attributes]
        self.unanswered.setdefault(self.order(fragment.id), deque()).append(fragment)
        self.passed_at.append(self.clock)
        self.offers = None

    def look_at_transfers(self):
        bench = self.bench
        valid = bench.get("valid")
        transfer = bench.get("transfer") if valid else None
        assert self.stuck in (None, transfer), "a transfer stays until it is taken"
        self.stuck = transfer
        if not valid or not bench.get("ready"):
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

    simulate(ReadSide(fabric, port), testbench, NAMES)
    return result


def delayed(clocks):
    """Memory that answers in order, a beat a clock, each fragment so long after it landed."""

    def returns(outstanding, clock):
        for entry, (_, _, landed, _) in outstanding.items():
            return entry if clock >= landed + clocks else None
        return None

    return returns


def whole_beats(rng, fabric, *, id, beats=1):
    """A fragment of whole beats of a port that is as wide as memory."""
    return Fragment(
        id=id,
        address=rng.randrange(16) * fabric.channel.l_max,
        size=fabric.beat_bytes.bit_length() - 1,
        transfers=beats,
        last=True,
        words=tuple(rng.getrandbits(8 * fabric.beat_bytes) for _ in range(beats)),
        responses=(Response.OKAY,) * beats,
    )


def test_signature():
    assert boundary(ReadSide(*fabric_of(8, 8))) == {
        "in": {"fragments", "returned", "described"},
        "out": {"landings", "beats"},
    }


@pytest.mark.parametrize(("data_bytes", "beat_bytes"), WIDTHS)
def test_any_fragments_in_any_order(data_bytes, beat_bytes):
    rng = random.Random(7 * data_bytes + beat_bytes)
    fabric, port = fabric_of(data_bytes, beat_bytes, id_width=3, order_width=2)
    fragments = [random_fragment(rng, fabric, port, longest=12) for _ in range(30)]

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
    )
