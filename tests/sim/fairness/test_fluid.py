"""The two measures on cases that one can work out by hand."""

import numpy as np

from mcos_sim.fairness.fluid import worst_lag, worst_lateness


def column(*values):
    return np.array(values, dtype=np.int64)


def lag(clocks, tenants, sizes, entered, *, tenant=0, weight=1, total=2):
    clocks, tenants = column(*clocks), column(*tenants)
    left = clocks[tenants == tenant]
    return worst_lag(
        clocks, tenants, column(*sizes), column(*entered), left, tenant, weight, total
    )[0]


def test_taking_turns_lags_by_half_of_a_request():
    # From the start on: 64 of the other's, of which half are owed, then its own.
    assert lag((1, 2, 3, 4), (1, 0, 1, 0), (64, 64, 64, 64), (0, 0)) == 0
    # Two of the other's first: half of them, and of its own, less its own.
    assert lag((1, 2, 3), (1, 1, 0), (64, 64, 64), (0,)) == 2 * (2 * 32 - 32)
    # Four likewise.
    assert lag((1, 2, 3, 4, 5), (1, 1, 1, 1, 0), (64,) * 5, (0,)) == 2 * (4 * 32 - 32)


def test_what_is_granted_while_nothing_waits_is_not_owed():
    clocks = (1, 2, 3, 4, 5, 6)
    tenants = (0, 1, 1, 1, 1, 0)
    assert lag(clocks, tenants, (64,) * 6, (0, 6)) == 0
    # It waits since clock 4: two of the other's, and its own.
    assert lag(clocks, tenants, (64,) * 6, (0, 4)) == 2 * (2 * 32 - 32)


def test_a_span_may_begin_anywhere_in_a_period():
    # Served first, then not at all: the lag counts from after its own grants.
    clocks, tenants = (1, 2, 3, 4, 5, 6), (0, 0, 1, 1, 1, 0)
    assert lag(clocks, tenants, (64,) * 6, (0, 0, 0)) == 2 * (3 * 32 - 32)


def test_lateness_is_measured_from_the_fluid_finish():
    # Share 1/4 of 64 bytes a clock: 64 bytes take 4 clocks.
    entered, sizes = column(0, 0, 100), column(64, 64, 64)
    unit = 64
    late, request = worst_lateness(entered, column(4, 9, 104), sizes, 1, 4, 64)
    assert (late, request) == (1 * unit, 1)
    late, _ = worst_lateness(entered, column(0, 0, 100), sizes, 1, 4, 64)
    assert late == -4 * unit
