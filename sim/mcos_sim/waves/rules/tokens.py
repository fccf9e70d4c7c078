"""Token arithmetic: every level follows from the one before, and classes from levels."""

from mcos_hw.link.classes import NO_CLASS
from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = [
    "check_classes",
    "check_levels",
]

_NO_CLASS = NO_CLASS
_NOT_CHARGED = int(Rule.NOT_CHARGED)
_CHARGED_TWICE = int(Rule.CHARGED_TWICE)
_TOKENS = int(Rule.TOKENS)
_HALF_COMMIT = int(Rule.HALF_COMMIT)
_WRONG_CLASS = int(Rule.WRONG_CLASS)

_OF_CLASS = int(Quantity.CLASS)


@compiled
def check_levels(
    found, level, granted, tenant, beats, grant_class, most, beat, rates, limits, image, quantity
):
    """``level' = min(level + rate - charge, depth)`` for one kind of bucket (RFC 2698).

    Parameters
    ----------
    found : table of violations
    level : (n, tenants)
    granted, tenant, beats, grant_class : (n,)
    most : int
        Last class that is charged to it.
    beat : int
        A beat in units of a level.
    rates, limits : (images, tenants)
        By image, in units of a level.
    image : (n,)
        Which image is live in each clock.
    quantity : int
        Which bucket it is.
    """
    for k in range(len(granted) - 1):
        now = image[k]
        settles = k > 0 and image[k - 1] != now
        for i in range(level.shape[1]):
            rate, limit = rates[now, i], limits[now, i]
            charge = 0
            if granted[k] and tenant[k] == i and grant_class[k] <= most:
                charge = beats[k] * beat
            expected = min(level[k, i] + rate - charge, limit)
            told = level[k + 1, i]
            if told == expected:
                continue
            # Buckets that a commit enables are filled in its next clock.
            if (settles or image[k + 1] != now) and told == limit:
                continue
            if now > 0 and told == min(
                level[k, i] + rates[now - 1, i] - charge, limits[now - 1, i]
            ):
                tell(found, _HALF_COMMIT, k + 1, i, -1, told, expected, quantity)
            elif charge and told == min(level[k, i] + rate, limit):
                tell(found, _NOT_CHARGED, k + 1, i, -1, told, expected, quantity)
            elif charge and told == min(level[k, i] + rate - 2 * charge, limit):
                tell(found, _CHARGED_TWICE, k + 1, i, -1, told, expected, quantity)
            else:
                tell(found, _TOKENS, k + 1, i, -1, told, expected, quantity)


@compiled
def check_classes(
    found,
    late,
    present,
    beats,
    code,
    committed,
    peak,
    granted,
    tenant,
    beat,
    scavenges,
    refuses,
    image,
):
    """Class of every head: by the tokens of its clock, with L > 0 by those of the clock before.

    Heads of tenants that were granted in the clock before are left out, and clocks around a commit.
    Where a tenant's requests outside its colours are refused, any head may have to wait.
    """
    for k in range(2, len(granted)):
        now = image[k]
        if image[k - 2] != now:
            continue
        since = k - 1 if late else k
        for i in range(present.shape[1]):
            if not present[k, i] or not present[k - 1, i]:
                continue
            if granted[k - 1] and tenant[k - 1] == i:
                continue
            size = beats[k, i] * beat
            if committed[since, i] >= size:
                expected = 0
            elif peak[since, i] >= size:
                expected = 1
            else:
                expected = 2 if scavenges[now, i] else _NO_CLASS
            if code[k, i] == _NO_CLASS and refuses[now, i]:
                continue
            if code[k, i] != expected:
                tell(found, _WRONG_CLASS, k, i, -1, code[k, i], expected, _OF_CLASS)
