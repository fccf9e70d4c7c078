"""Grants of the channel against WF2Q+ in exact numbers."""

from fractions import Fraction

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.experiments.promises import (
    WEIGHTS,
    backlogged,
    mixed,
    run_one_channel,
    settings,
)
from mcos_sim.fairness.wf2q import textbook_order

CLOCKS = 15_000
EXACT = {tag: Fraction(weight) for tag, weight in enumerate(WEIGHTS)}


def run(lateness: int, traffic: str, seed: int):
    """A run, its grants in order, and those of the textbook."""
    config = ChannelConfig(lateness=lateness)
    rng = np.random.default_rng(seed)
    if traffic == "backlogged":
        streams = backlogged(config, CLOCKS, rng)
    else:
        streams = mixed(config, CLOCKS, rng, shortest=2)
    result = run_one_channel(config, settings(config, WEIGHTS), streams, CLOCKS)
    clocks = np.concatenate([tenant.granted for tenant in result.tenants])
    tags = np.concatenate([np.full(len(t.granted), t.tag) for t in result.tenants])
    return config, result, tags[np.argsort(clocks)], textbook_order(result, EXACT)


@pytest.mark.parametrize("traffic", ["backlogged", "mixed"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_lateness_every_grant_is_the_textbooks(traffic, seed):
    """16 tenants of one class, weights 1 to 16, sizes 2 to 16 beats, who come and go."""
    _, _, ours, theirs = run(0, traffic, seed)
    assert len(ours) > 2_000
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("lateness", [1, 2, 3])
def test_lateness_moves_no_tenant_by_two_requests(lateness):
    """Bytes granted to a tenant so far, here and by the textbook, after every grant."""
    worst = 0
    for traffic in ("backlogged", "mixed"):
        config, result, ours, theirs = run(lateness, traffic, 2)
        assert not np.array_equal(ours, theirs)
        for tenant in result.tenants:
            granted = np.concatenate([[0], np.cumsum(tenant.sizes[: len(tenant.granted)])])
            here, there = (
                granted[np.minimum(np.cumsum(order == tenant.tag), len(tenant.granted))]
                for order in (ours, theirs)
            )
            worst = max(worst, int(np.abs(here - there).max()))
    assert 0 < worst < 2 * config.l_max


def test_a_wrong_order_is_seen():
    """Other weights are another order."""
    _, result, ours, _ = run(0, "backlogged", 1)
    other = {tag: Fraction(1) for tag in EXACT}
    assert not np.array_equal(ours, textbook_order(result, other))
