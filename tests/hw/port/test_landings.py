# amaranth: UnusedElaboratable=no
"""A port in front of several channels: each fragment lands where its address belongs."""

import random

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.port.landings import Landings
from tests.hw.channel.bench import boundary, simulate
from tests.hw.port.streams import Source

BEAT = 8
CHANNELS = 4
DEPTH = 4
LANDING = 2
TENANTS = 4
PORT = PortConfig(
    reads=16, writes=16, read_units=32, write_units=32, hazard_rows=16, landing=LANDING
)
FABRIC = FabricConfig.around(
    ChannelConfig(
        tenants=TENANTS, queue_depth=DEPTH, bytes_per_clock=BEAT, beat_bytes=BEAT, max_beats=8
    ),
    channels=CHANNELS,
    ports=(PORT,),
)


def fragment(entry, channel, *, tenant=0):
    return {
        "tenant": tenant,
        "address": 64 * entry,
        "channel": channel,
        "beats": 1,
        "entry": entry,
        "order": 0,
        "offered": entry,
        "hazard": {"key": 0, "beats": 1},
    }


class Play:
    """Fragments in, and requests at each channel, of which some take none."""

    def __init__(self, bench, *, reads=(), writes=(), ready=(True,) * CHANNELS, chance=1.0):
        self.bench = bench
        self.rng = random.Random(2)
        self.clock = 0
        self.sides = {
            "read": Source(bench, "reads", reads, rng=self.rng, chance=chance),
            "write": Source(bench, "writes", writes, rng=self.rng, chance=chance),
        }
        self.ready = ready
        self.requests = [[] for _ in range(CHANNELS)]
        bench.set(credits=[DEPTH] * TENANTS)

    async def step(self, clocks=1, *, departs=True):
        """What a channel takes leaves for memory a clock later, if ``departs``."""
        bench = self.bench
        left = [None] * CHANNELS
        for _ in range(clocks):
            departed = sum(1 << c for c, tenant in enumerate(left) if tenant is not None)
            bench.set(departed=departed if departs else 0)
            for c, tenant in enumerate(left):
                bench.set(**{f"departed_tenant.{c}": tenant or 0})
            for name, side in self.sides.items():
                side.drive()
                tenant = 1 << side.items[0]["tenant"] if side.offers else 0
                bench.set(**{f"{name}_waits": side.offers, f"{name}_tenant": tenant})
            for c in range(CHANNELS):
                bench.set(**{f"requests.{c}.ready": self.ready[c]})
            for side in self.sides.values():
                side.observe(self.clock)
            for c in range(CHANNELS):
                left[c] = None
                if bench.get(f"requests.{c}.valid") and self.ready[c]:
                    request = bench.get(f"requests.{c}.payload")
                    self.requests[c].append((request["op"], request["address"] // 64))
                    left[c] = request["tenant"]
            await bench.tick()
            self.clock += 1


def run(script, **traffic):
    async def testbench(bench):
        play = Play(bench, **traffic)
        await bench.tick()
        await script(play)

    simulate(Landings(FABRIC, 0), testbench)


def test_signature():
    assert boundary(Landings(FABRIC, 0)) == {
        "in": {
            *("reads", "read_tenant", "read_waits", "writes", "write_tenant", "write_waits"),
            *("credits", "departed", "departed_tenant"),
        },
        "out": {"requests", "places"},
    }


def test_each_lands_in_front_of_its_channel_one_a_clock():
    channels = [3, 0, 2, 1, 1, 3, 0, 2]

    async def script(play):
        await play.step(12)
        assert play.sides["read"].taken == list(range(len(channels)))
        for c in range(CHANNELS):
            assert play.requests[c] == [(0, n) for n, each in enumerate(channels) if each == c]

    run(script, reads=[fragment(n, c) for n, c in enumerate(channels)])


def test_a_read_and_a_write_for_two_channels_land_in_one_clock():
    async def script(play):
        await play.step(4)
        assert play.sides["read"].taken == [0, 1]
        assert play.sides["write"].taken == [0, 1]

    run(
        script,
        reads=[fragment(0, 0), fragment(1, 2)],
        writes=[fragment(2, 1), fragment(3, 3)],
    )


def test_a_read_and_a_write_for_one_channel_take_turns():
    async def script(play):
        await play.step(6)
        assert len(set(play.sides["read"].taken) | set(play.sides["write"].taken)) == 4

    run(
        script,
        reads=[fragment(0, 1), fragment(1, 1)],
        writes=[fragment(2, 1), fragment(3, 1)],
    )


def test_a_channel_that_takes_none_lets_as_many_land_as_wait_there():
    """And those behind for other channels wait with the first one that may not."""

    async def script(play):
        await play.step(12)
        # One more is in front of the queue.
        assert len(play.sides["read"].taken) == LANDING
        assert play.requests[2] == []

    reads = [fragment(n, 1) for n in range(LANDING + 2)] + [fragment(9, 2)]
    run(script, reads=reads, ready=(True, False, True, True))


def test_a_tenant_has_its_credit_at_each_channel():
    """Nothing departs: a tenant lands its credit in front of a channel, and that again."""

    async def script(play):
        await play.step(30, departs=False)
        assert [len(play.requests[c]) for c in range(CHANNELS)] == [DEPTH, DEPTH, 0, 0]
        assert len(play.sides["read"].taken) == 2 * DEPTH

    reads = [fragment(n, n % 2) for n in range(2 * DEPTH)] + [fragment(8, 0), fragment(9, 3)]
    run(script, reads=reads)


def test_nothing_is_lost_doubled_or_out_of_order():
    rng = random.Random(5)
    reads = [fragment(n % 16, rng.randrange(CHANNELS), tenant=rng.randrange(2)) for n in range(150)]
    for n, each in enumerate(reads):
        each["address"] = 64 * n
    writes = [dict(each, address=each["address"] + 64 * 1000) for each in reads[::-1]]

    async def script(play):
        await play.step(900)
        for c in range(CHANNELS):
            for op, side in enumerate((reads, writes)):
                found = [number for kind, number in play.requests[c] if kind == op]
                assert found == [e["address"] // 64 for e in side if e["channel"] == c]

    run(script, reads=reads, writes=writes, chance=0.8)
