# amaranth: UnusedElaboratable=no
"""Averages of what tenants were granted, against sums in Python."""

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.control.utilisation import ChannelUtilisation
from mcos_hw.link.utilisation import SHARE_WIDTH
from mcos_hw.registers.utilisation import UTILISATION_FULL, UTILISATION_INTERVAL, UTILISATION_SHIFT
from tests.hw.channel.bench import simulate

CONFIG = ChannelConfig(tenants=4, beat_bytes=64, max_beats=8)
MOST = (1 << SHARE_WIDTH) - 1


def following(sum_, share):
    return sum_ - (sum_ >> UTILISATION_SHIFT) + min(share, MOST)


async def interval(bench, clocks, grants):
    """Runs an interval with ``grants`` by its clock: (tenant, beats). Returns the new averages."""
    seen = {}
    for clock in range(clocks):
        tenant, beats = grants.get(clock, (0, 0))
        bench.set(
            granted={"valid": clock in grants, "tenant": tenant, "beats": beats},
            ends=clock == clocks - 1,
        )
        if bench.get("utilisation.stb"):
            seen[bench.get("utilisation.tenant")] = bench.get("utilisation.share")
        await bench.tick()
    return seen


async def window(bench, tenant):
    bench.set(**{"window.index": tenant}, granted={"valid": 0}, ends=0)
    await bench.tick()
    return bench.get("window.data")


def test_every_interval_enters_the_averages_and_the_first_two_do_not():
    rng = np.random.default_rng(5)

    async def testbench(bench):
        sums = [0] * CONFIG.tenants
        before = [0] * CONFIG.tenants
        for number in range(30):
            if number == 20:
                await bench.reset()
                sums, before = [0] * CONFIG.tenants, [0] * CONFIG.tenants
            first = number % 20
            clocks = int(rng.integers(CONFIG.tenants, 40))
            grants = {
                int(k): (int(rng.integers(4)), int(rng.integers(1, 9)))
                for k in np.flatnonzero(rng.random(clocks) < 0.7)
            }
            seen = await interval(bench, clocks, grants)
            # An interval's beats enter in the next one; two go by after a reset.
            if first >= 2:
                sums = [following(*each) for each in zip(sums, before, strict=True)]
            assert [seen[k] for k in range(4)] == [each >> UTILISATION_SHIFT for each in sums]
            before = [
                sum(beats for tenant, beats in grants.values() if tenant == k) for k in range(4)
            ]
        assert any(sums)

    simulate(ChannelUtilisation(CONFIG), testbench)


def test_a_tenant_with_half_the_rate_reads_half_and_software_reads_what_is_said():
    assert UTILISATION_INTERVAL == UTILISATION_FULL

    async def testbench(bench):
        half = dict.fromkeys(range(0, UTILISATION_INTERVAL, 2), (2, 1))
        for number in range(4):
            seen = await interval(bench, UTILISATION_INTERVAL, half)
            expected = 0
            for _ in range(max(number - 1, 0)):
                expected = following(expected, UTILISATION_FULL // 2)
            assert seen == {0: 0, 1: 0, 2: expected >> UTILISATION_SHIFT, 3: 0}
        for tenant in range(CONFIG.tenants):
            assert await window(bench, tenant) == seen[tenant]

    simulate(ChannelUtilisation(CONFIG), testbench)


def test_more_beats_than_it_can_say_saturate():
    async def testbench(bench):
        clocks = MOST // 8 + 20
        all_of_one = dict.fromkeys(range(clocks), (1, 8))
        for _ in range(2):
            await interval(bench, clocks, all_of_one)
        seen = await interval(bench, clocks, {})
        assert seen[1] == MOST >> UTILISATION_SHIFT

    simulate(ChannelUtilisation(CONFIG), testbench)


def test_a_beat_must_be_a_clocks_worth():
    with pytest.raises(ValueError, match="beat_bytes must equal bytes_per_clock, 64, not 32"):
        ChannelUtilisation(ChannelConfig(beat_bytes=32))
