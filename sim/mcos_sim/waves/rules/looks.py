"""The choice rule of a compact channel: a grant is by a look at all heads some clocks before."""

from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.choice import check_last_round, check_tag_order
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = ["check_looks"]


_WRONG_ORDER = int(Rule.WRONG_ORDER)
_CLOSED = int(Rule.CLOSED)
_NOT_SERVICEABLE = int(Rule.NOT_SERVICEABLE)
_IDLE = int(Rule.IDLE)
_GRANTED_CLASS = int(Rule.GRANTED_CLASS)

_OF_CLASS = int(Quantity.CLASS)
_OF_ELIGIBILITY = int(Quantity.ELIGIBILITY)
_OF_GRANT = int(Quantity.GRANT)
_OF_START = int(Quantity.START)


@compiled
def check_looks(
    found,
    width,
    look_clocks,
    entry_clocks,
    opens,
    granted,
    promoted,
    tenant,
    grant_class,
    present,
    serviceable,
    code,
    candidate,
    start,
    finish,
    far,
    priorities,
    image,
):
    """Every grant against the heads of its look, ``look_clocks`` before.

    A waveform does not tell when a head that entered an empty queue gets its tags. It has them if
    it is a candidate, or has been there for ``entry_clocks``; only such heads compete here.
    """
    tenants = present.shape[1]
    settled = 2 * tenants + look_clocks
    for k in range(settled, len(granted)):
        now = k - look_clocks
        i = tenant[k] if granted[k] else -1
        if granted[k] and not opens[k]:
            tell(found, _CLOSED, k, i, -1, 0, 1, _OF_GRANT)
        # A commit may take a class away, and with it a promotion that a look has seen.
        if promoted[k] or image[k] != image[k - settled]:
            continue
        if granted[k]:
            if not serviceable[now, i]:
                tell(found, _NOT_SERVICEABLE, k, i, -1, code[now, i], grant_class[k], _OF_CLASS)
                continue
            if grant_class[k] != code[now, i]:
                tell(found, _GRANTED_CLASS, k, i, -1, grant_class[k], code[now, i], _OF_CLASS)
        elif not opens[k]:
            continue
        for j in range(tenants):
            if j == i or not serviceable[now, j]:
                continue
            if not candidate[now, j] and not _stays(present, granted, tenant, now, j, entry_clocks):
                continue
            if not granted[k]:
                tell(found, _IDLE, k, j, -1, 0, 1, _OF_GRANT)
                break
            if code[now, i] != code[now, j]:
                if code[now, j] < code[now, i]:
                    tell(found, _WRONG_ORDER, k, i, j, code[now, i], code[now, j], _OF_CLASS)
                continue
            ours, theirs = start[now, i], start[now, j]
            if candidate[now, i] != candidate[now, j]:
                if candidate[now, j]:
                    tell(found, _WRONG_ORDER, k, i, j, ours, theirs, _OF_ELIGIBILITY)
                continue
            if far[now, i] or far[now, j]:
                continue
            if not candidate[now, i] and ours != theirs:
                check_tag_order(found, k, i, j, ours, theirs, width, _OF_START)
                continue
            mine, other = priorities[image[k], i], priorities[image[k], j]
            ours, theirs = finish[now, i], finish[now, j]
            check_last_round(found, k, i, j, mine, other, ours, theirs, width)


@compiled
def _stays(present, granted, tenant, now, j, clocks):
    """Whether the head of tenant ``j`` has been the same for so many clocks."""
    if now < clocks:
        return False
    for k in range(now - clocks, now):
        if not present[k, j] or (granted[k] and tenant[k] == j):
            return False
    return True
