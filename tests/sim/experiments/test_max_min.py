import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcos_sim.experiments.max_min import max_min_shares

INF = float("inf")


@pytest.mark.parametrize(
    ("capacity", "demands", "weights", "peaks", "expected"),
    [
        # Four hungry tenants of equal weight share evenly.
        (64, [INF] * 4, [1] * 4, [INF] * 4, [16] * 4),
        # What the first leaves is divided 2 : 1.
        (64, [4, INF, INF], [1, 2, 1], [INF] * 3, [4, 40, 20]),
        # A peak holds like a demand.
        (64, [INF, INF], [3, 1], [10, INF], [10, 54]),
        # Everybody is satisfied and capacity is left over.
        (64, [10, 20], [1, 1], [INF, INF], [10, 20]),
        # Rising water: 2, 2.6, then 2.7 each (the classic 2, 2.6, 4, 5 over 10).
        (10, [2, 2.6, 4, 5], [1] * 4, [INF] * 4, [2, 2.6, 2.7, 2.7]),
        (64, [0, INF], [1, 1], [INF, INF], [0, 64]),
        (0, [INF, 3], [1, 1], [INF, INF], [0, 0]),
        (64, [], [], [], []),
    ],
)
def test_known_shares(capacity, demands, weights, peaks, expected):
    assert max_min_shares(capacity, demands, weights, peaks) == pytest.approx(expected)


rates = st.floats(0, 1e6, allow_subnormal=False) | st.just(INF)
tenants = st.lists(st.tuples(rates, st.floats(1e-3, 1e3), rates), min_size=1, max_size=16)


@given(capacity=st.floats(0, 1e6, allow_subnormal=False), tenants=tenants)
def test_shares_are_weighted_max_min(capacity, tenants):
    demands, weights, peaks = np.array(tenants).T
    shares = max_min_shares(capacity, demands, weights, peaks)
    limits = np.minimum(demands, peaks)
    slack = 1e-9 * max(capacity, 1)
    assert np.all(shares >= -slack)
    assert np.all(shares <= limits + slack)
    assert shares.sum() == pytest.approx(min(capacity, limits.sum()), abs=slack)
    hungry = shares < limits - slack
    if hungry.any():
        levels = shares[hungry] / weights[hungry]
        assert np.ptp(levels) <= 1e-9 * levels.max() + 1e-12
        assert np.all(shares / weights <= levels.max() + slack / weights)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((-1, [1], [1], [1]), "^capacity must be 0 or more and finite, not -1$"),
        ((INF, [1], [1], [1]), "^capacity must be 0 or more and finite, not inf$"),
        ((1, [-1], [1], [1]), r"^demands must be 0 or more, not \[-1.0\]$"),
        ((1, [float("nan")], [1], [1]), r"^demands must be 0 or more, not \[nan\]$"),
        ((1, [1], [0], [1]), r"^weights must be over 0 and finite, not \[0.0\]$"),
        ((1, [1], [INF], [1]), r"^weights must be over 0 and finite, not \[inf\]$"),
        ((1, [1], [1], [1, 2]), r"^peaks must have shape \(1,\), not \(2,\)$"),
        ((1, [[1]], [1], [1]), "^demands must have one dimension, not 2$"),
    ],
)
def test_senseless_arguments_are_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        max_min_shares(*arguments)
