# amaranth: UnusedElaboratable=no
"""The last step of a port: places, turns, and nothing lost."""

import random

import pytest

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.link.request import Op
from mcos_hw.port.landing import Landing
from tests.hw.channel.bench import boundary, simulate
from tests.hw.port.streams import Sink, Source

BEAT = 8
BLOCK = 8 * BEAT
DEPTH = 4
TENANTS = 4
NUMBER = 2
ENTRIES = 8
PORT = PortConfig(reads=ENTRIES, writes=ENTRIES, read_units=16, write_units=16, hazard_rows=16)
FABRIC = FabricConfig.around(
    ChannelConfig(
        tenants=TENANTS, queue_depth=DEPTH, bytes_per_clock=BEAT, beat_bytes=BEAT, max_beats=8
    ),
    ports=(PORT,) * 3,
)


def fragment(entry, *, tenant=0, order=0, first=0, beats=1):
    """A fragment in a block of its own."""
    return {
        "tenant": tenant,
        "address": BLOCK * entry + BEAT * first,
        "beats": beats,
        "entry": entry,
        "order": order,
        "offered": 100 + entry,
        "hazard": {"key": 0, "beats": (1 << beats) - 1 << first},
    }


class Play:
    """Fragments in, requests out, and what memory says in between."""

    def __init__(self, bench, *, reads=(), writes=(), credits=(DEPTH,) * TENANTS, **chances):
        rng = random.Random(1)
        self.bench = bench
        self.clock = 0
        self.reads = Source(bench, "reads", reads, rng=rng, chance=chances.get("reads", 1.0))
        self.writes = Source(bench, "writes", writes, rng=rng, chance=chances.get("writes", 1.0))
        self.requests = Sink(bench, "requests", rng=rng, chance=chances.get("requests", 1.0))
        self.landed = []
        bench.set(credits=list(credits))

    async def step(self, clocks=1, *, departed=None):
        """A departure is in the first of these clocks."""
        for _ in range(clocks):
            self.bench.set(departed=departed is not None, departed_tenant=departed or 0)
            sides = (self.reads, self.writes)
            for each in (*sides, self.requests):
                each.drive()
            for name, side in (("read", self.reads), ("write", self.writes)):
                tenant = 1 << side.items[0]["tenant"] if side.offers else 0
                self.bench.set(**{f"{name}_waits": side.offers, f"{name}_tenant": tenant})
            for op, side in enumerate(sides):
                taken = side.observe(self.clock)
                if taken is not None:
                    self.landed.append((op, taken))
            self.requests.observe(self.clock)
            await self.bench.tick()
            self.clock += 1
            departed = None


def run(script, **traffic):
    async def testbench(bench):
        play = Play(bench, **traffic)
        # Credits count from the next clock on.
        await bench.tick()
        await script(play)

    simulate(Landing(FABRIC, NUMBER), testbench)


def test_signature():
    assert boundary(Landing(FABRIC, NUMBER)) == {
        "in": {
            *("reads", "read_tenant", "read_waits", "writes", "write_tenant", "write_waits"),
            *("credits", "departed", "departed_tenant"),
        },
        "out": {"requests", "places"},
    }


def test_a_request_is_its_fragment_in_the_next_clock():
    async def script(play):
        await play.step(4)
        assert play.reads.taken == [0]
        assert play.requests.clocks == [1, 2]
        assert play.requests.items == [
            {
                "tenant": tenant,
                "id": entry | NUMBER << FABRIC.entry_width,
                "op": op,
                "address": BLOCK * entry + 2 * BEAT,
                "beats": 3,
                "offered": 100 + entry,
            }
            for op, entry, tenant in ((Op.READ, 5, 1), (Op.WRITE, 6, 3))
        ]

    run(
        script,
        reads=[fragment(5, tenant=1, first=2, beats=3)],
        writes=[fragment(6, tenant=3, first=2, beats=3)],
    )


def test_places_are_of_those_whose_fragment_would_land():
    """A tenant's bit is 0 while it holds its credit, from the clock after it landed on. One that
    has no credit has a place all the same, for what was on its way."""

    async def script(play):
        assert play.bench.get("places") == 0b1111
        await play.step(3)
        assert len(play.landed) == 2
        assert play.bench.get("places") == 0b1011
        await play.step(departed=2)
        assert play.bench.get("places") == 0b1111

    run(
        script,
        reads=[fragment(entry, tenant=2) for entry in range(2)],
        credits=(0, 1, 2, DEPTH),
    )


@pytest.mark.parametrize("credit", [0, 1, DEPTH - 1, DEPTH])
@pytest.mark.parametrize("side", ["reads", "writes"])
def test_no_tenant_holds_more_places_than_its_credit(side, credit):
    """Each command that departs lets one fragment land, in the clock after. Whoever has no credit
    has one place all the same."""

    async def script(play):
        await play.step(10)
        assert len(play.landed) == max(credit, 1)
        for count in range(len(play.landed) + 1, ENTRIES + 1):
            await play.step(departed=1)
            assert len(play.landed) == count - 1
            await play.step(2)
            assert len(play.landed) == count

    run(
        script, credits=[0, credit, 0, 0], **{side: [fragment(i, tenant=1) for i in range(ENTRIES)]}
    )


def test_credits_are_of_each_tenant_and_of_reads_and_writes_together():
    async def script(play):
        await play.step(12)
        # Two of tenant 0, whichever way, and then its next one holds what is behind it.
        assert sum(taken["tenant"] == 0 for _, taken in play.landed) == 2
        await play.step(departed=2)
        await play.step(3)
        assert sum(taken["tenant"] == 0 for _, taken in play.landed) == 2
        await play.step(departed=0)
        await play.step(3)
        assert sum(taken["tenant"] == 0 for _, taken in play.landed) == 3

    run(
        script,
        credits=[2, 2, 2, 2],
        reads=[*(fragment(i) for i in range(3)), fragment(3, tenant=2)],
        writes=[fragment(i) for i in range(2)],
    )


def test_a_place_that_is_taken_and_given_back_in_one_clock_is_neither():
    async def script(play):
        await play.step()
        for _ in range(5):
            await play.step(departed=0)
        assert len(play.landed) == 6
        # One place is held; the credit has one more.
        await play.step(4)
        assert len(play.landed) == 7

    run(script, credits=[2] * TENANTS, reads=[fragment(i) for i in range(ENTRIES)])


def test_what_is_over_a_lowered_credit_drains():
    async def script(play):
        await play.step(6)
        assert len(play.landed) == DEPTH
        play.bench.set(credits=[1] * TENANTS)
        for _ in range(DEPTH - 1):
            await play.step(2, departed=0)
            assert len(play.landed) == DEPTH
        await play.step(3, departed=0)
        assert len(play.landed) == DEPTH + 1

    run(script, reads=[fragment(i) for i in range(ENTRIES)])


def test_reads_and_writes_take_turns():
    """One lands in each clock, for as long as the channel takes one."""

    async def script(play):
        await play.step(1)
        for _ in range(2 * ENTRIES):
            await play.step(departed=0)
        ops = [op for op, _ in play.landed]
        assert ops == [Op.READ, Op.WRITE] * ENTRIES
        assert play.requests.clocks == list(range(1, 2 * ENTRIES + 1))

    fragments = [fragment(i) for i in range(ENTRIES)]
    run(script, reads=fragments, writes=fragments)


def test_a_channel_that_takes_nothing_stops_both():
    async def script(play):
        await play.step(10)
        assert len(play.landed) == 2
        assert not play.requests.items
        play.requests.chance = 1.0
        await play.step(10)
        assert [each["op"] for each in play.requests.items] == [op for op, _ in play.landed]
        assert len(play.landed) == DEPTH

    fragments = [fragment(i) for i in range(ENTRIES)]
    run(script, reads=fragments, writes=fragments, requests=0.0)


def test_nothing_is_lost_or_passed_by_another_of_its_direction():
    """With random credits, which are never exceeded, departures and answers in any order."""
    rng = random.Random(5)
    count = 120

    async def script(play):
        pools = {op: list(range(ENTRIES)) for op in Op}
        sides = {Op.READ: play.reads, Op.WRITE: play.writes}
        left = dict.fromkeys(Op, count)
        sent = {op: [] for op in Op}
        held = [0] * TENANTS
        credits = counted = [1] * TENANTS
        waiting, seen = [], 0
        while any(left.values()) or waiting or play.reads.items or play.writes.items:
            assert play.clock < 3_000
            for op, side in sides.items():
                if left[op] and not side.items and pools[op]:
                    entry = pools[op].pop(rng.randrange(len(pools[op])))
                    first = rng.randrange(8)
                    item = fragment(entry, tenant=rng.randrange(TENANTS), order=rng.randrange(2))
                    item |= {
                        "address": BEAT * (8 * rng.randrange(2) + first),
                        "beats": rng.randint(1, 8 - first),
                    }
                    sent[op].append(item)
                    side.items.append(item)
                    left[op] -= 1
            departed = None
            if waiting and rng.random() < 0.7:
                op, item = waiting.pop(0)
                departed = item["tenant"]
                pools[op].append(item["entry"])
            before = list(held)
            await play.step(departed=departed)
            for op, item in play.landed[seen:]:
                assert before[item["tenant"]] < counted[item["tenant"]]
                held[item["tenant"]] += 1
                waiting.append((op, item))
            seen = len(play.landed)
            if departed is not None:
                held[departed] -= 1
            counted = credits
            if rng.random() < 0.1:
                credits = [rng.randint(1, DEPTH) for _ in range(TENANTS)]
                play.bench.set(credits=credits)
        for op in Op:
            assert [item for each, item in play.landed if each == op] == sent[op]
        play.requests.chance = 1.0
        await play.step(4)
        assert [(each["op"], each["address"]) for each in play.requests.items] == [
            (op, item["address"]) for op, item in play.landed
        ]

    run(script, requests=0.8, credits=[1] * TENANTS)
