# amaranth: UnusedElaboratable=no
"""The two buckets of a tenant against integers."""

import random
from collections import Counter

import pytest

from mcos_hw.channel.bucket import TenantBuckets
from mcos_hw.channel.probe import NO_CLASS
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import GrantClass
from tests.hw.channel.bench import members, simulate

CONFIG = ChannelConfig()
ONE = 1 << CONFIG.rate_fraction
L_MAX = CONFIG.l_max
SETTINGS = {
    "committed_rate": 0,
    "peak_rate": 0,
    "committed_depth": 8 * L_MAX,
    "peak_depth": 16 * L_MAX,
    "work_conserving": 1,
}


def test_signature():
    level = CONFIG.depth_width + CONFIG.rate_fraction
    assert members(TenantBuckets(CONFIG)) == {
        "in": {
            "committed_rate": CONFIG.rate_width,
            "peak_rate": CONFIG.rate_width,
            "committed_depth": CONFIG.depth_width,
            "peak_depth": CONFIG.depth_width,
            "work_conserving": 1,
            "fill": 1,
            "beats": CONFIG.beats_width,
            "charge": 1,
        },
        "out": {"class_code": 2, "committed": level, "peak": level + 1},
    }


def random_settings(rng):
    """Settings that the loader accepts: committed at most peak, both hold a longest request."""
    fastest = CONFIG.bytes_per_clock * ONE
    committed_rate, peak_rate = sorted(
        rng.choice((1, ONE // 3, 40 * ONE, fastest, rng.randrange(1, fastest))) for _ in range(2)
    )
    deepest = (1 << CONFIG.depth_width) - 1
    committed_depth, peak_depth = sorted(
        rng.choice((L_MAX, L_MAX + 1, 4 * L_MAX, deepest, rng.randrange(L_MAX, 16 * L_MAX)))
        for _ in range(2)
    )
    return {
        "committed_rate": committed_rate,
        "peak_rate": peak_rate,
        "committed_depth": committed_depth,
        "peak_depth": peak_depth,
        "work_conserving": rng.getrandbits(1),
    }


def expected_class(settings, committed, peak, size):
    if committed >= size:
        return GrantClass.CONFORMING
    if peak >= size:
        return GrantClass.BURST
    return GrantClass.SCAVENGED if settings["work_conserving"] else NO_CLASS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_grants_are_charged_exactly(seed):
    rng = random.Random(seed)
    seen = Counter()

    async def testbench(bench):
        committed = peak = 0
        settings = random_settings(rng)
        for clock in range(3000):
            if clock % 60 == 0:
                settings = random_settings(rng)
                eagerness = rng.choice((0.1, 0.5, 1.0))
            beats = rng.randint(1, CONFIG.max_beats)
            fill = rng.random() < 0.005
            size = beats * CONFIG.beat_bytes * ONE
            bench.set(**settings, beats=beats, fill=fill, charge=0)
            assert (bench.get("committed"), bench.get("peak")) == (committed, peak)
            class_code = expected_class(settings, committed, peak, size)
            assert bench.get("class_code") == class_code
            granted = class_code != NO_CLASS and rng.random() < eagerness
            bench.set(charge=granted)
            await bench.tick()

            conforming = granted and class_code == GrantClass.CONFORMING
            burst = granted and class_code == GrantClass.BURST
            committed_limit = settings["committed_depth"] * ONE
            peak_limit = settings["peak_depth"] * ONE
            committed = min(
                committed - conforming * size + settings["committed_rate"], committed_limit
            )
            peak = min(peak - (conforming or burst) * size + settings["peak_rate"], peak_limit)
            if fill:
                committed, peak = committed_limit, peak_limit
            assert committed - peak < L_MAX * ONE

            seen[class_code, granted] += 1
            seen["owed"] += peak < 0
            seen["cut"] += committed == committed_limit

    simulate(TenantBuckets(CONFIG), testbench)
    for event in (
        *((c, granted) for c in GrantClass for granted in (False, True)),
        (NO_CLASS, False),
        "owed",
        "cut",
    ):
        assert seen[event], (event, seen)


@pytest.mark.parametrize("seed", [1, 2])
def test_tokens_are_conserved(seed):
    """Levels and charges add up to the refills, but for what a full bucket cannot hold."""
    rng = random.Random(seed)
    rates = {"committed": 20 * ONE + 7, "peak": 45 * ONE + 1}
    depths = {"committed": 2 * L_MAX, "peak": 3 * L_MAX}
    charges, losses = Counter(), Counter()

    async def testbench(bench):
        bench.set(**{f"{name}_rate": rate for name, rate in rates.items()})
        bench.set(**{f"{name}_depth": depth for name, depth in depths.items()})
        bench.set(work_conserving=1)
        for clock in range(1500):
            eagerness = (0.02, 0.9)[clock // 50 % 2]
            granted = rng.random() < eagerness
            beats = rng.randint(1, CONFIG.max_beats)
            bench.set(beats=beats, charge=granted)
            class_code = bench.get("class_code")
            before = {name: bench.get(name) for name in rates}
            await bench.tick()
            size = granted * beats * CONFIG.beat_bytes * ONE
            charged = {
                "committed": size * (class_code == GrantClass.CONFORMING),
                "peak": size * (class_code in (GrantClass.CONFORMING, GrantClass.BURST)),
            }
            for name, rate in rates.items():
                level = bench.get(name)
                lost = before[name] - charged[name] + rate - level
                assert lost == 0 or (lost > 0 and level == depths[name] * ONE)
                charges[name] += charged[name]
                losses[name] += lost

    simulate(TenantBuckets(CONFIG), testbench)
    assert all(charges[name] and losses[name] for name in rates)


@pytest.mark.parametrize("beats", [1, 7, CONFIG.max_beats])
def test_a_head_is_conforming_from_its_size_on(beats):
    size = beats * CONFIG.beat_bytes

    async def testbench(bench):
        bench.set(**SETTINGS | {"committed_depth": size - 1}, beats=beats, fill=1)
        await bench.tick()
        bench.set(fill=0, committed_depth=size, committed_rate=ONE - 1)
        await bench.tick()
        bench.set(committed_rate=1)
        assert bench.get("committed") == size * ONE - 1
        assert bench.get("class_code") == GrantClass.BURST
        await bench.tick()
        assert bench.get("committed") == size * ONE
        assert bench.get("class_code") == GrantClass.CONFORMING

    simulate(TenantBuckets(CONFIG), testbench)


@pytest.mark.parametrize(
    ("work_conserving", "uncovered"), [(1, GrantClass.SCAVENGED), (0, NO_CLASS)]
)
def test_a_head_is_burst_from_its_size_on(work_conserving, uncovered):
    size = 5 * CONFIG.beat_bytes
    settings = SETTINGS | {"work_conserving": work_conserving, "committed_depth": size - 1}

    async def testbench(bench):
        bench.set(**settings | {"peak_depth": size - 1}, beats=5, fill=1)
        await bench.tick()
        bench.set(fill=0, peak_depth=size, peak_rate=ONE - 1)
        assert bench.get("class_code") == uncovered
        await bench.tick()
        bench.set(peak_rate=1)
        assert bench.get("peak") == size * ONE - 1
        assert bench.get("class_code") == uncovered
        await bench.tick()
        assert bench.get("class_code") == GrantClass.BURST

    simulate(TenantBuckets(CONFIG), testbench)


@pytest.mark.parametrize(
    ("committed_beats", "peak_beats", "left"),
    [(8, 12, (5, 9)), (2, 12, (2, 9)), (2, 2, (2, 2))],
    ids=["conforming", "burst", "scavenged"],
)
def test_each_class_charges_its_buckets(committed_beats, peak_beats, left):
    beat = CONFIG.beat_bytes
    depths = {"committed_depth": committed_beats * beat, "peak_depth": peak_beats * beat}

    async def testbench(bench):
        bench.set(**SETTINGS | depths, beats=3, fill=1)
        await bench.tick()
        bench.set(fill=0, charge=1)
        await bench.tick()
        assert (bench.get("committed"), bench.get("peak")) == tuple(n * beat * ONE for n in left)

    simulate(TenantBuckets(CONFIG), testbench)


def test_peak_owes_less_than_a_longest_request():
    """The worst case: a burst grant empties peak with committed one unit short of conforming."""

    async def testbench(bench):
        bench.set(**SETTINGS | {"committed_depth": L_MAX - 1, "peak_depth": L_MAX})
        bench.set(beats=CONFIG.max_beats, fill=1)
        await bench.tick()
        bench.set(fill=0, committed_depth=L_MAX, committed_rate=ONE - 1, peak_rate=ONE - 1)
        await bench.tick()
        bench.set(committed_rate=1, peak_rate=1, charge=1)
        for grant_class in (GrantClass.BURST, GrantClass.CONFORMING):
            assert bench.get("class_code") == grant_class
            await bench.tick()
        assert bench.get("peak") == 2 - L_MAX * ONE
        assert bench.get("committed") == 1

    simulate(TenantBuckets(CONFIG), testbench)


def test_reset_empties_and_fill_fills():
    async def testbench(bench):
        bench.set(**SETTINGS, beats=1)
        await bench.tick()
        assert (bench.get("committed"), bench.get("peak")) == (0, 0)
        # A fill goes before a charge of the same clock.
        bench.set(fill=1, charge=1)
        await bench.tick()
        bench.set(fill=0, charge=0)
        full = (SETTINGS["committed_depth"] * ONE, SETTINGS["peak_depth"] * ONE)
        assert (bench.get("committed"), bench.get("peak")) == full
        await bench.reset()
        assert (bench.get("committed"), bench.get("peak")) == (0, 0)

    simulate(TenantBuckets(CONFIG), testbench)


def test_a_smaller_depth_cuts_the_level_and_a_larger_one_keeps_it():
    async def testbench(bench):
        bench.set(**SETTINGS, fill=1)
        await bench.tick()
        bench.set(fill=0, committed_depth=L_MAX, peak_depth=2 * L_MAX)
        await bench.tick()
        assert (bench.get("committed"), bench.get("peak")) == (L_MAX * ONE, 2 * L_MAX * ONE)
        bench.set(committed_depth=4 * L_MAX, peak_depth=4 * L_MAX)
        await bench.tick(3)
        assert (bench.get("committed"), bench.get("peak")) == (L_MAX * ONE, 2 * L_MAX * ONE)

    simulate(TenantBuckets(CONFIG), testbench)
