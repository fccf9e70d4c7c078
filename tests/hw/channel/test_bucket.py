# amaranth: UnusedElaboratable=no
"""The two buckets of a tenant against integers."""

import random
from collections import Counter

import pytest

from mcos_hw.channel.bucket import TenantBuckets, level_width, whole_width
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import members, simulate

CONFIG = ChannelConfig()
ONE = 1 << CONFIG.rate_fraction
L_MAX = CONFIG.l_max
SETTINGS = {
    "committed_rate": 0,
    "peak_rate": 0,
    "committed_depth": 8 * L_MAX,
    "peak_depth": 16 * L_MAX,
}


def test_signature():
    level, whole = level_width(CONFIG), whole_width(CONFIG)
    assert level == CONFIG.depth_width + CONFIG.rate_fraction + 1
    assert 1 << whole > 2 * CONFIG.max_beats
    assert members(TenantBuckets(CONFIG)) == {
        "in": {
            "committed_rate": CONFIG.rate_width,
            "peak_rate": CONFIG.rate_width,
            "committed_depth": CONFIG.depth_width,
            "peak_depth": CONFIG.depth_width,
            "fill": 1,
            "beats": CONFIG.beats_width,
            "charge_committed": 1,
            "charge_peak": 1,
        },
        "out": {
            "committed_beats": whole,
            "peak_beats": whole,
            "committed": level,
            "peak": level,
        },
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
    }


def whole_beats(level):
    """What the buckets say of a level in ``2**-rate_fraction`` bytes."""
    largest = (1 << whole_width(CONFIG)) - 1
    return min(max(level, 0) // (CONFIG.beat_bytes * ONE), largest)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_grants_are_charged_exactly(seed):
    """A class is chosen in one clock and charged in the next one, as the channel does."""
    rng = random.Random(seed)
    seen = Counter()

    async def testbench(bench):
        committed = peak = 0
        beats = charged = 0
        for clock in range(2500):
            if clock % 60 == 0:
                settings = random_settings(rng)
                eagerness = rng.choice((0.1, 0.5, 1.0))
            fill = rng.random() < 0.005
            assert (bench.get("committed"), bench.get("peak")) == (committed, peak)
            whole = bench.get("committed_beats"), bench.get("peak_beats")
            assert whole == (whole_beats(committed), whole_beats(peak))
            bench.set(**settings, beats=beats, fill=fill)
            bench.set(charge_committed=charged == 2, charge_peak=charged > 0)
            await bench.tick()

            # The next grant sees these levels less what this one takes.
            beats_then = rng.randint(1, CONFIG.max_beats)
            taken = (beats * (charged == 2), beats * (charged > 0))
            covers = [
                tokens >= beats_then + less for tokens, less in zip(whole, taken, strict=True)
            ]
            charged_then = rng.random() < eagerness and (2 if covers[0] else int(covers[1]))

            size = beats * CONFIG.beat_bytes * ONE
            limits = settings["committed_depth"] * ONE, settings["peak_depth"] * ONE
            committed = min(
                committed - (charged == 2) * size + settings["committed_rate"], limits[0]
            )
            peak = min(peak - (charged > 0) * size + settings["peak_rate"], limits[1])
            if fill:
                committed, peak = limits
            assert 0 <= committed < peak + L_MAX * ONE

            seen[charged] += 1
            seen["owed"] += peak < 0
            seen["cut"] += committed == limits[0]
            seen["more"] += whole[1] == whole_beats(1 << 60)
            beats, charged = beats_then, charged_then

    simulate(TenantBuckets(CONFIG), testbench)
    for event in (0, 1, 2, "owed", "cut", "more"):
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
        for clock in range(1500):
            eagerness = (0.02, 0.9)[clock // 50 % 2]
            beats = rng.randint(1, CONFIG.max_beats)
            before = {name: bench.get(name) for name in rates}
            granted = rng.random() < eagerness
            charged = {name: granted and bench.get(f"{name}_beats") >= beats for name in rates}
            bench.set(beats=beats)
            bench.set(**{f"charge_{name}": charge for name, charge in charged.items()})
            await bench.tick()
            for name, rate in rates.items():
                level = bench.get(name)
                size = charged[name] * beats * CONFIG.beat_bytes * ONE
                lost = before[name] - size + rate - level
                assert lost == 0 or (lost > 0 and level == depths[name] * ONE)
                charges[name] += size
                losses[name] += lost

    simulate(TenantBuckets(CONFIG), testbench)
    assert all(charges[name] and losses[name] for name in rates)


@pytest.mark.parametrize("name", ["committed", "peak"])
@pytest.mark.parametrize("beats", [1, 7, CONFIG.max_beats])
def test_a_bucket_covers_a_request_from_its_size_on(name, beats):
    size = beats * CONFIG.beat_bytes

    async def testbench(bench):
        bench.set(**SETTINGS | {f"{name}_depth": size - 1}, fill=1)
        await bench.tick()
        bench.set(**{"fill": 0, f"{name}_depth": size, f"{name}_rate": ONE - 1})
        await bench.tick()
        bench.set(**{f"{name}_rate": 1})
        assert bench.get(name) == size * ONE - 1
        assert bench.get(f"{name}_beats") == beats - 1
        await bench.tick()
        assert bench.get(name) == size * ONE
        assert bench.get(f"{name}_beats") == beats

    simulate(TenantBuckets(CONFIG), testbench)


@pytest.mark.parametrize(
    ("charge_committed", "charge_peak", "left"),
    [(1, 1, (5, 9)), (0, 1, (8, 9)), (0, 0, (8, 12))],
    ids=["conforming", "burst", "scavenged"],
)
def test_a_charge_takes_from_the_buckets_it_names(charge_committed, charge_peak, left):
    beat = CONFIG.beat_bytes

    async def testbench(bench):
        bench.set(**SETTINGS | {"committed_depth": 8 * beat, "peak_depth": 12 * beat})
        bench.set(beats=3, fill=1)
        await bench.tick()
        bench.set(fill=0, charge_committed=charge_committed, charge_peak=charge_peak)
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
        bench.set(committed_rate=1, peak_rate=1, charge_peak=1)
        assert bench.get("committed_beats") == CONFIG.max_beats - 1
        await bench.tick()
        assert bench.get("committed_beats") == CONFIG.max_beats
        bench.set(charge_committed=1)
        await bench.tick()
        assert bench.get("peak") == 2 - L_MAX * ONE
        assert bench.get("peak_beats") == 0
        assert bench.get("committed") == 1

    simulate(TenantBuckets(CONFIG), testbench)


def test_committed_owes_at_most_a_longest_request_after_a_commit_that_empties_it():
    """The charge comes in the clock after the commit, with the choice from before it."""

    async def testbench(bench):
        bench.set(**SETTINGS, beats=CONFIG.max_beats, fill=1)
        await bench.tick()
        assert bench.get("committed_beats") >= CONFIG.max_beats
        bench.set(fill=0, committed_depth=0)
        await bench.tick()
        bench.set(charge_committed=1, charge_peak=1)
        await bench.tick()
        bench.set(charge_committed=0, charge_peak=0, committed_rate=7)
        assert bench.get("committed") == -L_MAX * ONE
        assert bench.get("committed_beats") == 0
        await bench.tick()
        assert bench.get("committed") == 7 - L_MAX * ONE

    simulate(TenantBuckets(CONFIG), testbench)


def test_reset_empties_and_fill_fills():
    async def testbench(bench):
        bench.set(**SETTINGS, beats=1)
        await bench.tick()
        assert (bench.get("committed"), bench.get("peak")) == (0, 0)
        # A fill goes before a charge of the same clock.
        bench.set(fill=1, charge_committed=1, charge_peak=1)
        await bench.tick()
        bench.set(fill=0, charge_committed=0, charge_peak=0)
        full = (SETTINGS["committed_depth"] * ONE, SETTINGS["peak_depth"] * ONE)
        assert (bench.get("committed"), bench.get("peak")) == full
        await bench.reset()
        assert (bench.get("committed"), bench.get("peak")) == (0, 0)

    simulate(TenantBuckets(CONFIG), testbench)


def test_a_level_shows_its_beats_up_to_the_deepest_bucket():
    async def testbench(bench):
        bench.set(fill=1)
        for power in range(1, CONFIG.depth_width + 1):
            for depth in {(1 << power) - 1, (1 << power) % (1 << CONFIG.depth_width)}:
                bench.set(committed_depth=depth, peak_depth=depth)
                await bench.tick()
                assert bench.get("committed_beats") == whole_beats(depth * ONE), depth
                assert bench.get("peak_beats") == whole_beats(depth * ONE), depth

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
