import numpy as np
import pytest

from mcos_sim.residency.ages import BINS, OLDEST, age_bin, bin_widths, first_ages
from mcos_sim.residency.layout import TENANTS
from mcos_sim.residency.table import Learner
from mcos_sim.residency.worth import ONE_A_TICK, STEPS


def test_bins_hold_every_age_once() -> None:
    first, bins = first_ages(), [age_bin(age) for age in range(OLDEST + 1)]
    assert np.array_equal(np.diff(first), bin_widths())
    for age, found in enumerate(bins):
        assert first[found] <= age < first[found + 1]
    assert bins[-1] < BINS


def _clocks(first: int) -> np.ndarray:
    return np.array([first] + [0] * (TENANTS - 1), np.int64)


def test_a_table_without_counts_is_that_of_lru() -> None:
    table = Learner(tick=1, epoch=100, keep=1.0).table
    assert np.all(np.diff(table[0].astype(int)) <= 0)
    assert table[0, 0] > table[0, -1]


def test_blocks_too_young_for_a_reuse_do_not_count_against_it() -> None:
    """Every block is used again after 200 ticks; half of them were not there yet."""
    learner = Learner(tick=1, epoch=100, keep=1.0)
    bin_of_reuse = age_bin(200)
    for epoch in range(1, 5):
        learner.started[0] = 5000
        learner.reused[0, bin_of_reuse] = 5000 if epoch > 2 else 0
        learner.renew(_clocks(100 * epoch))
    # All of a bin's blocks go in it, on average in its middle.
    expected = ONE_A_TICK - STEPS * np.log2(0.5 * bin_widths()[bin_of_reuse])
    assert learner.table[0, bin_of_reuse] == pytest.approx(expected, abs=3)
    # Of another tenant nothing was learned.
    assert np.array_equal(learner.table[-1], Learner(tick=1, epoch=100, keep=1.0).table[-1])


def test_a_tenant_ends_its_epochs_by_its_own_clock() -> None:
    learner = Learner(tick=1, epoch=100, keep=1.0)
    learner.started[0] = 50
    learner.renew(_clocks(99))
    assert learner.started[0] == 50
    learner.renew(_clocks(100))
    assert learner.started[0] == 0
