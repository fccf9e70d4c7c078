"""The channel's pace: bytes that are granted ahead of its rate, clocks between grants, its load."""

from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = [
    "check_load",
    "check_pace",
    "check_spacing",
]

_PACE = int(Rule.PACE)
_SPACING = int(Rule.SPACING)
_DEBT = int(Rule.DEBT)
_LOAD = int(Rule.LOAD)

_OF_DEBT = int(Quantity.DEBT)
_OF_SPACING = int(Quantity.SPACING)
_OF_LOAD = int(Quantity.LOAD)


@compiled
def check_pace(found, granted, tenant, sizes, debt, enables, rates, image):
    """``debt' = max(debt - rate + granted, 0)``, and a grant only while it is below the rate.

    Parameters
    ----------
    sizes : (n,)
        What is granted in each clock, in units of the debt.
    enables, rates : (images,)
        By image.
    """
    for k in range(1, len(granted)):
        before = image[k - 1]
        expected = max(debt[k - 1] - rates[before] + sizes[k - 1], 0) if enables[before] else 0
        if debt[k] != expected:
            tell(found, _DEBT, k, -1, -1, debt[k], expected, _OF_DEBT)
        if granted[k] and enables[before] and debt[k] >= rates[before]:
            tell(found, _PACE, k, tenant[k], -1, debt[k], rates[before], _OF_DEBT)


@compiled
def check_spacing(found, granted, tenant, interval):
    """Grants are ``interval`` clocks apart, or more."""
    last = -interval
    for k in range(len(granted)):
        if granted[k]:
            if k - last < interval:
                tell(found, _SPACING, k, tenant[k], -1, k - last, interval, _OF_SPACING)
            last = k


@compiled
def check_load(found, load, in_flight, credits, image):
    """``load`` is how many quarters of the port credit were in flight a clock ago."""
    for k in range(1, len(load)):
        credit = credits[image[k - 1]]
        expected = 0
        for quarter in range(1, 4):
            if 4 * in_flight[k - 1] >= quarter * credit:
                expected += 1
        if load[k] != expected:
            tell(found, _LOAD, k, -1, -1, load[k], expected, _OF_LOAD)
