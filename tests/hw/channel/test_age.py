# amaranth: UnusedElaboratable=no
"""The age guard against a list of ages."""

import random
from collections import Counter

import pytest

from mcos_hw.channel.age import AgeGuard
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import members, simulate

CONFIG = ChannelConfig(tenants=4, clocks_width=12)
OLDEST = (1 << CONFIG.clocks_width) - 1


def test_signature():
    assert members(AgeGuard(CONFIG)) == {
        "in": {"serviceable": 4, "limits": 4 * 12, "interval": 8, "grant": 1, "grant_tenant": 2},
        "out": {"promote": 1, "promote_tenant": 2, "ages": 4 * 12},
    }


@pytest.mark.parametrize(("interval", "seed"), [(1, 1), (2, 2), (5, 3), (5, 4), (255, 5)])
def test_random_heads(interval, seed):
    rng = random.Random(seed)
    seen = Counter()

    async def testbench(bench):
        ages = [0] * CONFIG.tenants
        since = None  # Grants since the last promotion, that one included.
        bench.set(interval=interval)
        for clock in range(2500):
            if clock % 250 == 0:
                limits = [rng.choice((0, 1, 5, 30, 31)) for _ in ages]
                present = rng.choice((0.3, 0.9, 1.0))
                eagerness = rng.choice((0.1, 0.4, 1.0))
                bench.set(limits=limits)
            serviceable = [rng.random() < present for _ in ages]
            bench.set(serviceable=sum(bit << i for i, bit in enumerate(serviceable)))
            assert bench.get("ages") == ages
            over_age = [
                i for i, age in enumerate(ages) if serviceable[i] and limits[i] and age >= limits[i]
            ]
            promote = bool(over_age) and (since is None or since >= interval)
            assert bench.get("promote") == promote
            if promote:
                oldest = max(over_age, key=lambda i: (ages[i], -i))
                assert bench.get("promote_tenant") == oldest
                seen["tie"] += [ages[i] for i in over_age].count(ages[oldest]) > 1
                seen["choice"] += len({ages[i] for i in over_age}) > 1
            seen["held back"] += bool(over_age) and not promote

            # A promoted head goes first; else any serviceable one may.
            heads = [i for i, bit in enumerate(serviceable) if bit]
            granted = oldest if promote else rng.choice(heads) if heads else None
            if rng.random() >= eagerness:
                granted = None
            bench.set(grant=granted is not None, grant_tenant=granted or 0)
            await bench.tick()
            ages = [0 if i == granted else age + serviceable[i] for i, age in enumerate(ages)]
            if granted is not None:
                seen["promoted"] += promote
                since = 1 if promote else since and since + 1

    simulate(AgeGuard(CONFIG), testbench)
    assert all(seen[event] for event in ("promoted", "choice"))
    assert seen["tie"] or interval == 255
    assert bool(seen["held back"]) == (interval > 1)


@pytest.mark.parametrize("limit", [1, 2, 100, OLDEST])
def test_a_head_is_over_age_from_its_limit_on(limit):
    async def testbench(bench):
        bench.set(serviceable=0b0100, limits=[1, 1, limit, 1], interval=1)
        for age in range(limit):
            assert not bench.get("promote"), age
            await bench.tick()
        assert bench.get("promote")
        assert bench.get("promote_tenant") == 2

    simulate(AgeGuard(CONFIG), testbench)


def test_an_age_saturates_and_a_limit_of_0_is_off():
    async def testbench(bench):
        bench.set(serviceable=0b0010, interval=1)
        for _ in range(OLDEST + 3):
            assert not bench.get("promote")
            await bench.tick()
        assert bench.get("ages") == [0, OLDEST, 0, 0]

    simulate(AgeGuard(CONFIG), testbench)


def test_an_age_counts_only_while_its_head_is_serviceable():
    async def testbench(bench):
        bench.set(limits=[3, 3, 3, 3], interval=1)
        for serviceable, promote in (
            (1, 0),
            (0, 0),
            (1, 0),
            (0, 0),
            (1, 0),
            (0, 0),
            (1, 1),
            (0, 0),
        ):
            bench.set(serviceable=serviceable)
            assert bench.get("promote") == promote
            await bench.tick()

    simulate(AgeGuard(CONFIG), testbench)


@pytest.mark.parametrize("interval", [1, 2, 3, 16, 255])
def test_one_promotion_in_an_interval_of_grants(interval):
    """Two heads stay over age; every grant in between goes to somebody else."""

    async def testbench(bench):
        bench.set(serviceable=0b1111, limits=[1, 1, 0, 0], interval=interval)
        await bench.tick(600)
        promotions = []
        for _ in range(2 * interval + 1):
            promotions.append(bench.get("promote"))
            tenant = bench.get("promote_tenant") if promotions[-1] else 3
            bench.set(grant=1, grant_tenant=tenant)
            await bench.tick()
            # Clocks without a grant bring the next promotion no nearer.
            bench.set(grant=0)
            await bench.tick()
        assert [grant for grant, promoted in enumerate(promotions) if promoted] == [
            0,
            interval,
            2 * interval,
        ]

    simulate(AgeGuard(CONFIG), testbench)


def test_an_offered_promotion_stands_until_a_grant():
    async def testbench(bench):
        bench.set(serviceable=0b1000, limits=[1, 1, 1, 1], interval=4)
        await bench.tick()
        for _ in range(10):
            assert bench.get("promote")
            await bench.tick()
        bench.set(grant=1, grant_tenant=3)
        await bench.tick()
        bench.set(grant=0)
        await bench.tick(20)
        assert not bench.get("promote")
        await bench.reset()
        assert bench.get("ages") == [0, 0, 0, 0]
        await bench.tick()
        assert bench.get("promote")

    simulate(AgeGuard(CONFIG), testbench)
