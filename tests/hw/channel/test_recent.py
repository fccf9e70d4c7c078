# amaranth: UnusedElaboratable=no
"""Which responses count as recent."""

import random

import pytest

from mcos_hw.channel.recent import RecentResponses
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import boundary, simulate

CONFIG = ChannelConfig(tenants=4)
NAMES = {
    "response": "served.valid",
    "tenant": "served.entry.tenant",
    "limit": "live.channel.depth1_clocks",
}


def test_signature():
    assert boundary(RecentResponses(CONFIG)) == {
        "in": {"live", "served"},
        "out": {"recent"},
    }


@pytest.mark.parametrize("limit", [0, 1, 2, 64, 255])
def test_a_response_is_recent_up_to_the_limit(limit):
    async def testbench(bench):
        bench.set(limit=limit)
        assert bench.get("recent") == 0
        bench.set(response=1, tenant=2)
        assert bench.get("recent") == 0
        await bench.tick()
        bench.set(response=0)
        for clocks in range(1, limit + 600):
            assert bench.get("recent") == (0b0100 if clocks <= limit else 0), clocks
            await bench.tick()

    simulate(RecentResponses(CONFIG), testbench, NAMES)


def test_random_responses():
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
            assert bench.get("recent") == expected
            recent_seen.add(expected)
            response, tenant = rng.random() < 0.2, rng.randrange(CONFIG.tenants)
            bench.set(response=response, tenant=tenant)
            await bench.tick()
            if response:
                last[tenant] = clock
        assert recent_seen == set(range(1 << CONFIG.tenants))

    simulate(RecentResponses(CONFIG), testbench, NAMES)


def test_nothing_is_recent_after_reset():
    async def testbench(bench):
        bench.set(limit=255, response=1, tenant=1)
        await bench.tick()
        bench.set(response=0)
        assert bench.get("recent") == 0b0010
        await bench.reset()
        assert bench.get("recent") == 0

    simulate(RecentResponses(CONFIG), testbench, NAMES)
