# amaranth: UnusedElaboratable=no
"""The pacer: never too much, never too little."""

import random

import pytest

from mcos_hw.channel.pacer import Pacer
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import boundary, simulate

CONFIG = ChannelConfig()
NAMES = {
    "enable": "live.channel.pacer_enable",
    "rate": "live.channel.pacer_rate",
    "grant": "grant.valid",
    "beats": "grant.beats",
}
ONE = 1 << CONFIG.rate_fraction
FULL_RATE = CONFIG.bytes_per_clock * ONE


def test_signature():
    assert boundary(Pacer(CONFIG)) == {
        "in": {"live", "grant"},
        "out": {"open_then", "debt"},
    }


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("rate", [1, ONE // 3, 17 * ONE + 5, FULL_RATE - 1, FULL_RATE])
def test_any_span_of_clocks_grants_at_most_its_rate_and_one_request(rate, seed):
    """Over any t clocks at most ``rate * t + rate + l_max`` bytes, in 2**-rate_fraction bytes."""
    rng = random.Random(seed)

    async def testbench(bench):
        bench.set(enable=1, rate=rate)
        excess = largest = debt = opened = 0
        for clock in range(1500):
            # Idle spells, which must not save up for later, between greedy ones.
            eagerness = (1.0, 0.0, 0.5)[clock // 100 % 3]
            beats = rng.randint(1, CONFIG.max_beats)
            granted = opened and rng.random() < eagerness
            bench.set(grant=granted, beats=beats)
            assert bench.get("debt") == debt
            size = granted * beats * CONFIG.beat_bytes * ONE
            debt = max(debt + size - rate, 0)
            opened = bench.get("open_then")
            assert opened == (debt < rate)
            await bench.tick()
            # Largest excess over the rate of any span that ends here.
            excess = max(excess, 0) + size - rate
            largest = max(largest, excess)
        assert 0 < largest <= rate + CONFIG.l_max * ONE

    simulate(Pacer(CONFIG), testbench, NAMES)


async def grant_whenever_open(bench, clocks):
    """Yields, clock by clock, whether a grant was made."""
    bench.set(grant=0)
    opened = bench.get("open_then")
    await bench.tick()
    for _ in range(clocks):
        bench.set(grant=opened)
        granted, opened = opened, bench.get("open_then")
        await bench.tick()
        yield granted


@pytest.mark.parametrize(
    ("beats", "rate"),
    [
        (2, FULL_RATE),
        (3, FULL_RATE),
        (5, FULL_RATE),
        (16, FULL_RATE),
        (16, FULL_RATE - 1),
        (3, 50 * ONE + 12345),
        (1, ONE // 7),
    ],
)
def test_requests_no_shorter_than_a_clocks_worth_fill_the_rate(beats, rate):
    """What was granted and is no longer owed is exactly the rate times the clocks."""
    size = beats * CONFIG.beat_bytes * ONE

    async def testbench(bench):
        bench.set(enable=1, rate=rate, beats=beats)
        granted = clock = 0
        async for grant in grant_whenever_open(bench, 600):
            granted += grant * size
            clock += 1
            assert granted - bench.get("debt") == rate * clock

    simulate(Pacer(CONFIG), testbench, NAMES)


def test_three_beats_at_two_a_clock_get_two_grants_in_three_clocks():
    async def testbench(bench):
        bench.set(enable=1, rate=FULL_RATE, beats=3)
        assert [grant async for grant in grant_whenever_open(bench, 9)] == [1, 1, 0] * 3

    simulate(Pacer(CONFIG), testbench, NAMES)


@pytest.mark.parametrize(("rate", "opened"), [(FULL_RATE, 0), (FULL_RATE + 1, 1)])
def test_open_while_the_debt_is_less_than_one_clocks_worth(rate, opened):
    """Four beats leave 128 B - rate: just a clock's worth at 64 B a clock, less at any more."""

    async def testbench(bench):
        bench.set(enable=1, rate=rate, grant=1, beats=4)
        assert bench.get("open_then") == opened
        await bench.tick()
        bench.set(grant=0)
        assert bench.get("debt") == 4 * CONFIG.beat_bytes * ONE - rate
        assert bench.get("open_then") == 1

    simulate(Pacer(CONFIG), testbench, NAMES)


def test_without_pacing_every_clock_is_open_and_nothing_is_owed():
    async def testbench(bench):
        bench.set(enable=0, rate=1, grant=1, beats=CONFIG.max_beats)
        for _ in range(20):
            assert bench.get("open_then") == 1
            assert bench.get("debt") == 0
            await bench.tick()

    simulate(Pacer(CONFIG), testbench, NAMES)


def test_a_rate_of_0_lets_nothing_pass():
    async def testbench(bench):
        bench.set(enable=1, rate=0)
        for _ in range(5):
            assert bench.get("open_then") == 0
            await bench.tick()

    simulate(Pacer(CONFIG), testbench, NAMES)


def test_reset_forgives_the_debt():
    async def testbench(bench):
        bench.set(enable=1, rate=1, grant=1, beats=1)
        await bench.tick()
        bench.set(grant=0)
        assert bench.get("open_then") == 0
        await bench.reset()
        assert bench.get("debt") == 0
        assert bench.get("open_then") == 1

    simulate(Pacer(CONFIG), testbench, NAMES)
