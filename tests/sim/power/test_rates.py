"""Rules of a power governor at the level of rates: why it is the account."""

import numpy as np

from mcos_sim.power.rates import RateTenants, Rule, simulate

TENANTS = RateTenants(
    committed=np.array([0.25, 0.125, 0, 0.0625]),
    peak=np.array([0.5, 0.75, 0.75, 0.0625]),
    duration=4000.0,
    priority=np.array([1, 0, 2, 3]),
    work_conserving=np.array([True, False, False, True]),
)
BUDGET = 0.6
DEMAND = np.array(
    [
        [1.0, 0.6, 0.05, 0.3],
        [0.3, 0.0, 0.6, 1.0],
        [0.05, 1.0, 0.3, 0.6],
        [0.6, 0.05, 1.0, 0.0],
    ]
)
"""Over the budget in each epoch, by other tenants each time."""


def test_only_the_account_holds_the_budget_in_each_epoch() -> None:
    found = {rule: simulate(rule, TENANTS, DEMAND, budget=BUDGET, epoch=1024) for rule in Rule}
    for rule, outcome in found.items():
        print(f"{rule.value}: {outcome}")
        assert outcome.worst_guarantee >= 0.99
        assert (outcome.worst_error < 0.02) is (rule is Rule.ACCOUNT)
    assert found[Rule.ACCOUNT].overshoot < found[Rule.SAVED].overshoot / 3
