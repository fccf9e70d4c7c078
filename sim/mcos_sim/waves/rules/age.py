"""The age guard: while a head is over its limit, somebody is promoted now and then."""

from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = [
    "check_age",
    "check_promotions",
]

_AGE_GUARD = int(Rule.AGE_GUARD)
_PROMOTION = int(Rule.PROMOTION)
_NOT_OVER_AGE = int(Rule.NOT_OVER_AGE)

_OF_AGE = int(Quantity.AGE)
_OF_GRANTS = int(Quantity.GRANTS)

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
            grants = 0 if promoted[k] == 1 or not over else grants + granted[k]
            if k and intervals[image[k]] < intervals[image[k - 1]]:
                # What was granted until a commit was granted under a longer interval.
                over = grants = 0
            allowed = intervals[image[k]] + _ROUNDS * tenants
            if over > 2 * _ROUNDS * tenants and grants > allowed:
                tell(found, _AGE_GUARD, k, i, -1, age[k, i], limit, _OF_AGE)
                over = 0
                grants = 0


@compiled
def check_promotions(found, granted, promoted, tenant, age, limits, intervals, image, first):
    """A head is promoted once it is over its limit, and an interval of grants after another one.

    Ages are counted in rounds of all tenants. A promotion may be due by any image until now.

    Parameters
    ----------
    limits : (images, tenants)
        Age limits; 0 for none.
    intervals : (images,)
        Grants from a promotion to the next one, at least.
    first : int
        First image that was loaded.
    """
    tenants = age.shape[1]
    last = -1
    grants = 0
    for k in range(1, len(granted)):
        if not granted[k]:
            continue
        grants += 1
        if not promoted[k]:
            continue
        i = tenant[k]
        least = -1
        interval = 255
        for each in range(first, image[k] + 1):
            if limits[each, i] and (least < 0 or limits[each, i] < least):
                least = limits[each, i]
            interval = min(interval, intervals[each])
        rounds = least // tenants * tenants
        if least < 0 or age[k - 1, i] < rounds:
            tell(found, _NOT_OVER_AGE, k, i, -1, age[k - 1, i], rounds, _OF_AGE)
        if last >= 0 and grants < interval:
            tell(found, _PROMOTION, k, i, -1, grants, interval, _OF_GRANTS)
        last = k
        grants = 0
