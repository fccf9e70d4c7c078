# amaranth: UnusedElaboratable=no
"""Which responses count as recent."""

import dataclasses
import random

import pytest

from mcos_hw.channel.recent import RecentResponses
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import boundary, simulate

CONFIG = ChannelConfig(tenants=4)
COMPACT = dataclasses.replace(CONFIG, lateness=0, grant_interval=4)
CONFIGS = pytest.mark.parametrize("config", [CONFIG, COMPACT], ids=["line rate", "compact"])
NAMES = {
    "response": "served.valid",
    "answered": "served.entry.tenant",
    "limit": "live.channel.depth1_clocks",
}


def recent_of(bench):
    """Bit i: tenant i is recent in this clock."""
    bits = 0
    for tenant in range(CONFIG.tenants):
        bench.set(tenant=tenant)
        bits |= bench.get("recent") << tenant
    return bits


def test_signature():
    assert boundary(RecentResponses(CONFIG)) == {
        "in": {"live", "served", "tenant"},
        "out": {"recent"},
    }


@CONFIGS
@pytest.mark.parametrize("limit", [0, 1, 2, 64, 255])
def test_a_response_is_recent_up_to_the_limit(config, limit):
    """In whatever clock it comes, and however long ago it was."""

    async def testbench(bench):
        bench.set(limit=limit)
        assert recent_of(bench) == 0
        for start, wait in ((0, 1100), (3, 10)):
            await bench.tick(start)
            bench.set(response=1, answered=2)
            assert recent_of(bench) == 0
            await bench.tick()
            bench.set(response=0)
            for clocks in range(1, limit + wait):
                assert recent_of(bench) == (0b0100 if clocks <= limit else 0), clocks
                await bench.tick()

    simulate(RecentResponses(config), testbench, NAMES)


@CONFIGS
def test_random_responses(config):
    rng = random.Random(1)

    async def testbench(bench):
        last = [None] * CONFIG.tenants
        recent_seen = set()
        for clock in range(2000):
            if clock % 100 == 0:
                limit = rng.choice((0, 1, 5, 20))
                bench.set(limit=limit)
            expected = sum(
                (when is not None and clock - when <= limit) << i for i, when in enumerate(last)
            )
            assert recent_of(bench) == expected
            recent_seen.add(expected)
            response, tenant = rng.random() < 0.2, rng.randrange(CONFIG.tenants)
            bench.set(response=response, answered=tenant)
            await bench.tick()
            if response:
                last[tenant] = clock
        assert recent_seen == set(range(1 << CONFIG.tenants))

    simulate(RecentResponses(config), testbench, NAMES)


@CONFIGS
def test_nothing_is_recent_after_reset(config):
    async def testbench(bench):
        bench.set(limit=255, response=1, answered=1)
        await bench.tick()
        bench.set(response=0)
        assert recent_of(bench) == 0b0010
        await bench.reset()
        assert recent_of(bench) == 0

    simulate(RecentResponses(config), testbench, NAMES)
