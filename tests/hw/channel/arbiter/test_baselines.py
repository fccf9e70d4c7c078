# amaranth: UnusedElaboratable=no
"""The baselines' order against the textbook's."""

import random
from collections import Counter

import pytest

from mcos_hw.channel.arbiter.baselines import FcfsArbiter, FixedPriorityArbiter, RoundRobinArbiter
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.registers import ArbiterKind, GrantClass
from tests.hw.channel.bench import simulate

CONFIG = ChannelConfig(tenants=4, stamp_width=16)
STAMPS = 1 << CONFIG.stamp_width
ARBITERS = (FcfsArbiter, RoundRobinArbiter, FixedPriorityArbiter)


def heads_of(present):
    return [{"present": bit, "beats": 1} for bit in present]


def offer(bench, present, **values):
    """Sets which tenants have a head, and other members of the arbiter."""
    bench.set(**{"view.heads": heads_of(present)}, **values)


def granted(bench):
    """Whose head is granted, or None."""
    tenants = bench.get("grant.tenants")
    assert tenants.bit_count() <= 1
    assert not bench.get("grant.promoted")
    return tenants.bit_length() - 1 if tenants else None


def live_of(priorities):
    return {"live.tenants": [{"priority": priority} for priority in priorities]}


def in_turn(tenants, last):
    """The first of ``tenants`` after ``last``, going round."""
    return min(tenants, key=lambda i: (i - last - 1) % CONFIG.tenants)


@pytest.mark.parametrize(
    ("arbiter", "kind"),
    [
        (FcfsArbiter, ArbiterKind.FCFS),
        (RoundRobinArbiter, ArbiterKind.ROUND_ROBIN),
        (FixedPriorityArbiter, ArbiterKind.FIXED_PRIORITY),
    ],
)
def test_kind(arbiter, kind):
    assert arbiter.kind is kind
    assert not arbiter.enforces_contracts


@pytest.mark.parametrize("arbiter", ARBITERS)
def test_a_grant_needs_an_open_clock_and_a_head(arbiter):
    async def testbench(bench):
        for opened in (0, 1):
            for head in range(-1, CONFIG.tenants):
                offer(bench, [i == head for i in range(4)], open=opened)
                assert bench.get("state.candidates") == (1 << head if head >= 0 else 0)
                assert granted(bench) == (head if opened and head >= 0 else None)
                await bench.tick()

    simulate(arbiter(CONFIG), testbench)


@pytest.mark.parametrize("arbiter", ARBITERS)
def test_a_grant_has_the_class_of_its_head_and_is_scavenged_where_no_bucket_covers_it(arbiter):
    codes = [GrantClass.CONFORMING, GrantClass.BURST, GrantClass.SCAVENGED, NO_CLASS]

    async def testbench(bench):
        bench.set(**{"open": 1, "classes.codes": codes})
        for tenant, granted_class in enumerate((*codes[:3], GrantClass.SCAVENGED)):
            offer(bench, [i == tenant for i in range(4)])
            assert granted(bench) == tenant
            conforming, burst = bench.get("grant.conforming"), bench.get("grant.burst")
            assert conforming >> tenant & 1 == (granted_class == GrantClass.CONFORMING)
            assert burst >> tenant & 1 == (granted_class == GrantClass.BURST)

    simulate(arbiter(CONFIG), testbench)


@pytest.mark.parametrize("seed", [1, 2])
def test_first_come_first_served_across_the_wrap_of_the_stamp(seed):
    """Every tenant's stamps rise; the heads are at most half the range apart."""
    rng = random.Random(seed)
    seen = Counter()

    async def testbench(bench):
        now = STAMPS // 2
        stamps = [now] * CONFIG.tenants
        bench.set(open=1)
        for _ in range(3000):
            now = min(now + rng.choice((0, 1, 40)), min(stamps) + STAMPS // 2 - 1)
            present = [rng.random() < 0.7 for _ in stamps]
            ready = [i for i, bit in enumerate(present) if bit]
            offer(bench, present, marks=[stamp % STAMPS for stamp in stamps])
            first = min(ready, key=lambda i: (stamps[i], i), default=None)
            assert granted(bench) == first
            if ready:
                seen["tie"] += [stamps[i] for i in ready].count(stamps[first]) > 1
                seen["wrapped"] += stamps[first] % STAMPS > max(stamps) % STAMPS
                stamps[first] = rng.randint(stamps[first], now)
            await bench.tick()

    simulate(FcfsArbiter(CONFIG), testbench)
    assert seen["tie"]
    assert seen["wrapped"]


@pytest.mark.parametrize("seed", [1, 2])
def test_round_robin_goes_on_after_the_last_granted(seed):
    rng = random.Random(seed)

    async def testbench(bench):
        last = 0
        for clock in range(2000):
            opened = rng.random() < 0.8
            present = [rng.random() < (0.4, 1.0)[clock // 100 % 2] for _ in range(4)]
            ready = [i for i, bit in enumerate(present) if bit]
            offer(bench, present, open=opened)
            # A turn that is not used is not lost.
            if opened and ready:
                last = in_turn(ready, last)
                assert granted(bench) == last
            else:
                assert granted(bench) is None
            await bench.tick()

    simulate(RoundRobinArbiter(CONFIG), testbench)


@pytest.mark.parametrize("seed", [1, 2])
def test_fixed_priority_with_round_robin_among_equals(seed):
    rng = random.Random(seed)
    seen = Counter()

    async def testbench(bench):
        last = 0
        for clock in range(2000):
            if clock % 50 == 0:
                priorities = [rng.choice((0, 1, 7, 15)) for _ in range(4)]
                bench.set(**live_of(priorities))
            opened = rng.random() < 0.8
            present = [rng.random() < 0.7 for _ in range(4)]
            ready = [i for i, bit in enumerate(present) if bit]
            best = min((priorities[i] for i in ready), default=None)
            equals = [i for i in ready if priorities[i] == best]
            offer(bench, present, open=opened)
            assert bench.get("state.candidates") == sum(1 << i for i in equals)
            if opened and ready:
                last = in_turn(equals, last)
                assert granted(bench) == last
                seen[len(equals), len(ready)] += 1
            else:
                assert granted(bench) is None
            await bench.tick()

    simulate(FixedPriorityArbiter(CONFIG), testbench)
    assert seen[1, 4]
    assert seen[2, 4]


def test_a_busy_tenant_of_high_priority_starves_the_others():
    async def testbench(bench):
        offer(bench, [1] * 4, open=1, **live_of((3, 2, 1, 2)))
        for _ in range(50):
            assert granted(bench) == 2
            await bench.tick()

    simulate(FixedPriorityArbiter(CONFIG), testbench)
