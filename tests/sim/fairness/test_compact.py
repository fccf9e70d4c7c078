"""A compact channel: the textbook's order, and what it passes of requests of one size."""

from fractions import Fraction

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.experiments.promises import (
    WEIGHTS,
    backlogged,
    measure_promises,
    mixed,
    run_one_channel,
    settings,
)
from mcos_sim.fairness.wf2q import compact_order
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

CLOCKS = 30_000
EXACT = {tag: Fraction(weight) for tag, weight in enumerate(WEIGHTS)}


def compact(interval):
    return ChannelConfig(lateness=0, grant_interval=interval)


@pytest.mark.parametrize("interval", [4, 6, 8])
@pytest.mark.parametrize("traffic", ["backlogged", "mixed"])
def test_every_grant_is_the_textbooks(traffic, interval):
    """16 tenants of one class, weights 1 to 16, who come and go."""
    config = compact(interval)
    rng = np.random.default_rng(interval)
    if traffic == "backlogged":
        streams = backlogged(config, CLOCKS, rng)
    else:
        streams = mixed(config, CLOCKS, rng, shortest=2)
    result = run_one_channel(config, settings(config, WEIGHTS), streams, CLOCKS)
    clocks = np.concatenate([tenant.granted for tenant in result.tenants])
    tags = np.concatenate([np.full(len(t.granted), t.tag) for t in result.tenants])
    ours = tags[np.argsort(clocks)]
    assert len(ours) > 2_000
    assert np.diff(np.sort(clocks)).min() == interval
    assert np.array_equal(ours, compact_order(result, EXACT, config))


def test_other_weights_are_another_order():
    config = compact(6)
    streams = backlogged(config, CLOCKS, np.random.default_rng(1))
    result = run_one_channel(config, settings(config, WEIGHTS), streams, CLOCKS)
    other = {tag: Fraction(1) for tag in EXACT}
    order = compact_order(result, EXACT, config)
    assert not np.array_equal(order, compact_order(result, other, config))


@pytest.mark.parametrize("interval", [4, 8])
@pytest.mark.parametrize("tenants", [1, 16])
@pytest.mark.parametrize("beats", [2, 4, 8, 16])
def test_requests_of_an_interval_fill_the_channel(beats, tenants, interval):
    """One grant in exactly so many clocks, or the paced rate, for one tenant as for all."""
    config = compact(interval)
    streams = []
    for tag in range(tenants):
        requests = np.zeros(CLOCKS // tenants, dtype=REQUEST)
        requests["beats"] = beats
        steps = np.array([(0, len(requests), 0, 0)], dtype=STEP)
        streams.append(
            Stream(name=f"t{tag}", tag=tag, window=64, closed=True, requests=requests, steps=steps)
        )
    result = run_one_channel(config, settings(config, WEIGHTS), streams, CLOCKS)
    begin, end = FIRST_CLOCK + 1_000, FIRST_CLOCK + 1_000 + 160 * interval
    size = beats * config.beat_bytes
    granted = np.concatenate([tenant.granted for tenant in result.tenants])
    passed = size * np.count_nonzero((granted >= begin) & (granted < end)) / (end - begin)
    assert passed == pytest.approx(min(config.bytes_per_clock, size / interval), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("interval", [4, 8])
def test_the_model_keeps_its_promises(interval):
    """With longest requests, which fill the channel at any interval."""
    found = measure_promises(compact(interval), runs=16, clocks=100_000, epochs=1)
    assert found.kept, found
