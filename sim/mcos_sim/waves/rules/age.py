"""The age guard: while a head is over its limit, somebody is promoted now and then."""

from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = [
    "check_age",
]

_AGE_GUARD = int(Rule.AGE_GUARD)

_ROUNDS = 4
"""Rounds of the guard from a head over its limit to its promotion, at most."""


@compiled
def check_age(found, granted, promoted, age, serviceable, limits, intervals, image):
    """A head that stays over its limit for some rounds and grants needs a promotion in them.

    One round visits every tenant. A promotion is due once its interval of grants has passed since
    the last one; the promoted head is granted within two more (docs/arbiter.md).
    """
    tenants = age.shape[1]
    for i in range(tenants):
        over = 0
        grants = 0
        for k in range(len(granted)):
            limit = limits[image[k], i]
            if limit and serviceable[k, i] and age[k, i] >= limit:
                over += 1
            else:
                over = 0
            grants = 0 if promoted[k] or not over else grants + granted[k]
            allowed = intervals[image[k]] + _ROUNDS * tenants
            if over > 2 * _ROUNDS * tenants and grants > allowed:
                tell(found, _AGE_GUARD, k, i, -1, age[k, i], limit)
                over = 0
                grants = 0
