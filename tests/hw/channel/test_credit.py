# amaranth: UnusedElaboratable=no
"""Port credit against a sum of what is granted and not yet served."""

import random
from collections import Counter, deque

import pytest

from mcos_hw.channel.credit import PortCredit
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import boundary, simulate

CONFIG = ChannelConfig(tenants=4, slots=16)
NAMES = {
    "limit": "live.channel.port_credit",
    "grant": "grant.valid",
    "beats": "grant.beats",
    "served": "served.valid",
    "served_beats": "served.entry.beats",
}
L_MAX = CONFIG.l_max
BEAT = CONFIG.beat_bytes
LARGEST = CONFIG.slots * L_MAX


def test_signature():
    assert boundary(PortCredit(CONFIG)) == {
        "in": {"live", "grant", "served"},
        "out": {"in_flight", "open_then", "load"},
    }


@pytest.mark.parametrize("limit", [L_MAX, L_MAX + BEAT, 5 * L_MAX, LARGEST - 1, LARGEST])
def test_bytes_in_flight_never_exceed_the_limit(limit):
    """What is served counts as in flight in its clock, and can be granted two clocks later."""
    rng = random.Random(limit)
    seen = Counter()

    async def testbench(bench):
        bench.set(limit=limit)
        await bench.tick()
        owed, in_flight = deque(), 0
        opened = False
        for clock in range(2000):
            assert bench.get("in_flight") == in_flight <= limit
            spell = clock // 150 % 3
            beats = rng.choice((1, CONFIG.max_beats, rng.randint(1, CONFIG.max_beats)))
            granted = opened and rng.random() < (1.0, 0.5, 0.9)[spell]
            served = bool(owed) and rng.random() < (0.1, 0.6, 0.9)[spell]
            served_beats = owed.popleft() if served else rng.randint(1, CONFIG.max_beats)
            bench.set(grant=granted, beats=beats, served=served, served_beats=served_beats)
            opened = bench.get("open_then")
            size = granted * beats * BEAT
            # Open just while a longest request would fit.
            assert opened == (in_flight + size + L_MAX <= limit)
            seen[opened] += 1
            await bench.tick()
            if granted:
                owed.append(beats)
            in_flight += size - served * served_beats * BEAT

    simulate(PortCredit(CONFIG), testbench, NAMES)
    assert seen[0] > 50
    assert seen[1] > 50


@pytest.mark.parametrize(("limit", "opened"), [(0, 0), (L_MAX - 1, 0), (L_MAX, 1)])
def test_a_grant_needs_credit_for_a_longest_request(limit, opened):
    async def testbench(bench):
        bench.set(limit=limit)
        await bench.tick(2)
        assert bench.get("open_then") == opened

    simulate(PortCredit(CONFIG), testbench, NAMES)


def test_what_memory_returns_opens_two_clocks_later():
    async def testbench(bench):
        bench.set(limit=L_MAX)
        await bench.tick()
        bench.set(grant=1, beats=1)
        assert not bench.get("open_then")
        await bench.tick()
        bench.set(grant=0, served=1, served_beats=1)
        assert not bench.get("open_then")
        await bench.tick()
        bench.set(served=0)
        assert bench.get("in_flight") == 0
        assert bench.get("open_then")

    simulate(PortCredit(CONFIG), testbench, NAMES)


def test_every_slot_filled_with_a_longest_request_is_counted():
    async def testbench(bench):
        bench.set(limit=LARGEST)
        await bench.tick()
        bench.set(grant=1, beats=CONFIG.max_beats)
        for granted in range(1, CONFIG.slots + 1):
            assert bench.get("open_then") == (granted < CONFIG.slots)
            await bench.tick()
        assert bench.get("in_flight") == LARGEST

    simulate(PortCredit(CONFIG), testbench, NAMES)


def test_reset_forgets_what_is_in_flight():
    async def testbench(bench):
        bench.set(limit=L_MAX, grant=1, beats=CONFIG.max_beats)
        await bench.tick()
        bench.set(grant=0, served=1, served_beats=CONFIG.max_beats)
        await bench.tick()
        bench.set(served=0)
        await bench.reset()
        assert bench.get("in_flight") == 0
        await bench.tick()
        assert bench.get("in_flight") == 0
        assert bench.get("open_then")

    simulate(PortCredit(CONFIG), testbench, NAMES)
