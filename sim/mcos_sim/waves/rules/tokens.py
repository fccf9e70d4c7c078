"""Token arithmetic: every level follows from the one before, and classes from levels."""

from mcos_hw.link.classes import NO_CLASS
from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = [
    "check_classes",
    "check_levels",
    "check_seen_levels",
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
def _refilled(level, rate, limit, clocks):
    """A level after so many clocks without a grant."""
    return min(level + rate * clocks, limit)


@compiled
def check_seen_levels(
    found,
    level,
    granted,
    tenant,
    beats,
    grant_class,
    most,
    beat,
    rates,
    limits,
    image,
    quantity,
    seen,
    lateness,
):
    """The same of a compact channel, whose levels are those that classes see.

    A grant takes its bytes at once. It also reads its tenant's buckets, and what it found shows
    ``seen`` clocks later: from there on the level of every clock is known. Until then the level
    stays. After it the level may only become that of ``seen`` clocks before, or of one clock more
    where a grant came between. It is never that of more than ``lateness`` clocks before. A commit
    fills buckets and changes rates some clocks late, so that as many are left out behind it.

    Parameters
    ----------
    seen : int
        Clocks from the reading of a bucket to the first one in which classes see it.
    lateness : int
        Clocks by which they see tokens late, at most.
    """
    for i in range(level.shape[1]):
        last = -1
        charge = 0
        known = False
        base, since = 0, 0
        starts = lateness + seen
        for k in range(1, len(granted)):
            now = image[k]
            if image[k - 1] != now:
                starts = k + lateness + seen
                known = False
            rate, limit = rates[now, i], limits[now, i]
            before, told = level[k - 1, i], level[k, i]
            takes = granted[k - 1] and tenant[k - 1] == i
            if takes:
                last = k - 1
                charge = beats[k - 1] * beat if grant_class[k - 1] <= most else 0
            if k < starts:
                continue
            if takes:
                if told != before - charge:
                    broken = _TOKENS
                    if told == before:
                        broken = _NOT_CHARGED
                    elif told == before - 2 * charge:
                        broken = _CHARGED_TWICE
                    tell(found, broken, k, i, -1, told, before - charge, quantity)
            elif last >= 0 and k < last + seen:
                if told != before:
                    tell(found, _TOKENS, k, i, -1, told, before, quantity)
            elif last >= 0 and k == last + seen:
                if known:
                    expected = _refilled(base, rate, limit, last - since) - charge
                    if told != expected:
                        broken = _NOT_CHARGED if told == expected + charge else _TOKENS
                        tell(found, broken, k, i, -1, told, expected, quantity)
                known = last >= starts - seen
                base, since = told, last
            elif known:
                expected = _refilled(base, rate, limit, k - seen - since)
                earlier = expected
                if granted[k - 2] and k - seen > since:
                    earlier = _refilled(base, rate, limit, k - seen - 1 - since)
                late = _refilled(base, rate, limit, max(0, k - lateness - since))
                if told not in (before, expected, earlier) or told < late:
                    tell(found, _TOKENS, k, i, -1, told, expected, quantity)


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
