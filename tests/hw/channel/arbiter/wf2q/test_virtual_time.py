# amaranth: UnusedElaboratable=no
"""Virtual time against integers that never wrap."""

import random
from collections import Counter

import pytest

from mcos_hw.channel.arbiter.wf2q.virtual_time import VirtualTime
from mcos_hw.config import ChannelConfig
from mcos_sim.building.verilator import VERILATOR, elaborated, run_command, verilog_of
from tests.hw.channel.bench import members, simulate

LATENESS = pytest.mark.parametrize("lateness", [0, 1, 2, 3])


def configuration(lateness):
    return ChannelConfig(tenants=4, lateness=lateness)


CONFIG = configuration(0)
MODULUS = 1 << CONFIG.tag_width
TAG = 1 << CONFIG.tag_fraction
ONE = 1 << CONFIG.total_reciprocal_fraction


def test_signature():
    assert members(VirtualTime(CONFIG)) == {
        "in": {
            "inverse_total_weight": CONFIG.total_reciprocal_width,
            "grant": 1,
            "beats": CONFIG.beats_width,
            "start": CONFIG.tag_width,
            "reached": 1,
            "promoted": 1,
        },
        "out": {
            "arrivals": 2 * CONFIG.tag_width + 1,
            "seen": 3 * CONFIG.tag_width,
        },
    }


@LATENESS
def test_random_grants(lateness):
    """``times[n]`` is V as grant n left it; the choice of grant k sees ``times[k - 1 - L]``."""
    config = configuration(lateness)
    rng = random.Random(lateness)
    seen = Counter()
    lag, lead = config.stale_after * TAG, 2 * config.tag_lead * TAG

    async def testbench(bench):
        times = [0]
        target = 0
        foretold = None
        for clock in range(3000):
            if clock % 100 == 0:
                inverse = rng.choice((1, ONE // 3, ONE, rng.randrange(1, ONE)))
                eagerness = rng.choice((0.2, 0.7, 1.0))
                bench.set(inverse_total_weight=inverse, grant=0)
                await bench.tick()
            V = times[-1]
            granted = rng.random() < eagerness
            beats = rng.randint(1, config.max_beats)
            start = V + rng.choice((0, 1, -1, rng.randint(-lag, lead), rng.randint(-TAG, TAG)))
            reached, promoted = rng.random() < 0.1, rng.random() < 0.3
            bench.set(grant=granted, beats=beats)
            bench.set(start=start % MODULUS, reached=reached, promoted=promoted)
            made = len(times) - 1
            # V for a request that arrives: from L = 2 on one grant late but for its jump.
            jumps = lateness >= 2 and target > times[max(made - 1, 0)]
            assert bench.get("arrivals.jumps") == jumps
            if jumps:
                assert bench.get("arrivals.jump") == target % MODULUS
                seen["late jump"] += 1
            if granted:
                target = V if reached else start - promoted * config.tag_lead * TAG
                cost = beats * config.beat_bytes * inverse * TAG // ONE
                times.append(max(V, target) + cost)
                seen["jump", promoted] += target > V
                seen["reached"] += reached and start > V
            # The next choice is of grant len(times), counted from 1.
            choice_sees = times[max(len(times) - 1 - lateness, 0)] % MODULUS
            assert bench.get("seen.now") == choice_sees
            if granted:
                assert bench.get("seen.past_grant") == choice_sees
                assert foretold in (None, choice_sees)
            if lateness == 3:
                foretold = bench.get("seen.next")
            value = times[max((len(times) - 1, made, made - 1, made - 1)[lateness], 0)]
            assert bench.get("arrivals.value") == value % MODULUS
            await bench.tick()
        assert times[-1] > 3 * MODULUS

    simulate(VirtualTime(config), testbench)
    assert all(seen[event] for event in (("jump", False), ("jump", True), "reached")), seen
    assert lateness < 2 or seen["late jump"] > 100


@LATENESS
@pytest.mark.parametrize(
    ("ahead", "reached", "promoted", "jump"),
    [
        (0, 0, 0, 0),
        (100, 0, 0, 100),
        (100, 1, 0, 0),
        (CONFIG.tag_lead, 0, 1, 0),
        (CONFIG.tag_lead + 1, 0, 1, 1),
    ],
)
def test_a_grant_moves_virtual_time_to_its_start_tag_and_on(
    lateness, ahead, reached, promoted, jump
):
    """``ahead`` in bytes at w = 1; 2 beats at W = 4."""
    config = configuration(lateness)

    async def testbench(bench):
        bench.set(inverse_total_weight=ONE // 4)
        await bench.tick()
        bench.set(grant=1, beats=2)
        bench.set(start=ahead * TAG, reached=reached, promoted=promoted)
        await bench.tick()
        # Later grants of nothing bring a late value forward.
        bench.set(beats=0, start=0, reached=1, promoted=0)
        await bench.tick(3)
        bench.set(grant=0)
        step = 2 * config.beat_bytes // 4
        assert bench.get("arrivals.value") == bench.get("seen.now") == (jump + step) * TAG

    simulate(VirtualTime(config), testbench)


@LATENESS
def test_clocks_without_a_grant_change_nothing(lateness):
    async def testbench(bench):
        bench.set(inverse_total_weight=ONE)
        await bench.tick()
        bench.set(grant=1, beats=1, reached=1)
        await bench.tick(4)
        bench.set(grant=0, beats=7, start=5 * TAG, reached=0)
        value, seen = bench.get("arrivals.value"), bench.get("seen.now")
        for _ in range(5):
            await bench.tick()
            assert (bench.get("arrivals.value"), bench.get("seen.now")) == (value, seen)
        await bench.reset()
        assert (bench.get("arrivals.value"), bench.get("seen.now")) == (0, 0)

    simulate(VirtualTime(configuration(lateness)), testbench)


@pytest.mark.parametrize("max_beats", [2, 4, 8, 16])
def test_every_size_moves_virtual_time(max_beats, tmp_path):
    config = ChannelConfig(tenants=4, lateness=0, max_beats=max_beats)

    async def testbench(bench):
        bench.set(inverse_total_weight=ONE, reached=1)
        await bench.tick()
        V = 0
        for beats in range(max_beats + 1):
            bench.set(grant=1, beats=beats)
            await bench.tick()
            V += beats * config.beat_bytes * TAG
            bench.set(grant=0)
            assert bench.get("seen.now") == V % (1 << config.tag_width)

    simulate(VirtualTime(config), testbench)
    # No case of a size is missing, which tools take for a latch.
    source = tmp_path / "virtual_time.v"
    source.write_text(verilog_of(elaborated(VirtualTime(config), "virtual_time")))
    run_command([str(VERILATOR), "--lint-only", "-Wno-fatal", "-Werror-LATCH", str(source)])
