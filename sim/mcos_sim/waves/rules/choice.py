"""The choice rule: whoever is granted goes before every other serviceable head."""

from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = [
    "check_choice",
    "check_last_round",
    "check_tag_order",
    "find_far",
]

_WRONG_ORDER = int(Rule.WRONG_ORDER)
_NO_WRAP = int(Rule.NO_WRAP)
_CLOSED = int(Rule.CLOSED)
_NOT_SERVICEABLE = int(Rule.NOT_SERVICEABLE)
_IDLE = int(Rule.IDLE)
_GRANTED_CLASS = int(Rule.GRANTED_CLASS)

_STALE_HEADS = 4
"""Heads that go as stale when the first of them is (docs/arbiter.md)."""

_OF_CLASS = int(Quantity.CLASS)
_OF_ELIGIBILITY = int(Quantity.ELIGIBILITY)
_OF_FINISH = int(Quantity.FINISH)
_OF_GRANT = int(Quantity.GRANT)
_OF_PRIORITY = int(Quantity.PRIORITY)
_OF_START = int(Quantity.START)
_OF_TAG = int(Quantity.TAG)


@compiled
def _less(left, right, width):
    """Whether a tag is before another one on the modular scale."""
    return (left - right) >> (width - 1) & 1 == 1


@compiled
def _is_far(time, start, finish, width, stale_after):
    """Whether tags are so far from virtual time that order may mean nothing.

    A start tag that lies behind may be stale, or stand in for one; one that lies farther ahead than
    a promotion and two requests can be is stale and has gone round.
    """
    mask = (1 << width) - 1
    half = width - 1
    behind = time - start & mask
    if behind >> half == 0 and behind > stale_after >> 2:
        return True
    if behind >> half == 1 and (start - time & mask) > 1 << width - 3:
        return True
    return finish - time + (1 << width - 2) & mask > 1 << half


@compiled
def check_tag_order(found, k, i, j, own, other, width, quantity):
    """Tenant ``i`` is granted before ``j``, so its tag must not be after that one's."""
    if _less(other, own, width):
        rule = _NO_WRAP if own < other else _WRONG_ORDER
        tell(found, rule, k, i, j, own, other, quantity)


@compiled
def check_last_round(found, k, i, j, mine, theirs, own_finish, other_finish, width):
    """Tenant ``i`` is granted before ``j`` by priority, then by F, then by number."""
    if mine != theirs:
        if theirs < mine:
            tell(found, _WRONG_ORDER, k, i, j, mine, theirs, _OF_PRIORITY)
    elif own_finish == other_finish:
        if j < i:
            tell(found, _WRONG_ORDER, k, i, j, i, j, _OF_TAG)
    else:
        check_tag_order(found, k, i, j, own_finish, other_finish, width, _OF_FINISH)


@compiled
def find_far(far, time, start, finish, width, stale_after):
    """Of which heads the order of tags may mean nothing: far from V, or some time ago.

    Virtual time goes on while a stale head waits, and comes by again when it has gone round. Heads
    behind a stale one may be stale, too.

    Parameters
    ----------
    far : (n, tenants)
        How many heads more of a tenant may be so, this one included; 0 if it is not.
    """
    for k in range(len(time)):
        for i in range(start.shape[1]):
            if _is_far(time[k], start[k, i], finish[k, i], width, stale_after):
                far[k, i] = _STALE_HEADS
            elif k and far[k - 1, i]:
                stays = start[k, i] == start[k - 1, i] and finish[k, i] == finish[k - 1, i]
                far[k, i] = far[k - 1, i] if stays else far[k - 1, i] - 1


@compiled
def check_choice(
    found,
    width,
    late,
    opens,
    granted,
    promoted,
    tenant,
    grant_class,
    time,
    queued,
    serviceable,
    code,
    candidate,
    start,
    finish,
    far,
    priorities,
    image,
):
    """Every grant against the heads of the clock before, in which it was chosen.

    A request that follows the granted head in the same clock, or enters an empty queue, takes part
    in ways that a waveform does not show in full; where it is granted, or might be, only what is
    certain is checked.
    """
    for k in range(2, len(granted)):
        now = k - 1
        last = tenant[now] if granted[now] else -1
        if not granted[k]:
            if opens[k]:
                for j in range(serviceable.shape[1]):
                    if j != last and serviceable[now, j]:
                        tell(found, _IDLE, k, j, -1, 0, 1, _OF_GRANT)
                        break
            continue
        i = tenant[k]
        if not opens[k]:
            tell(found, _CLOSED, k, i, -1, 0, 1, _OF_GRANT)
        if promoted[k] or image[k] != image[max(k - 4, 0)]:
            continue
        if i != last and serviceable[now, i] and grant_class[k] != code[now, i]:
            tell(found, _GRANTED_CLASS, k, i, -1, grant_class[k], code[now, i], _OF_CLASS)
        if i == last:
            # The request behind the head that is granted: its tags are shown from now on.
            own_class, own_start, own_finish = grant_class[k], start[k, i], finish[k, i]
            own_far = far[k, i]
            reached = -1
        elif serviceable[now, i]:
            own_class, own_start, own_finish = code[now, i], start[now, i], finish[now, i]
            own_far, reached = far[now, i], candidate[now, i]
        elif code[now, i] == 3 and queued[k, i] and (queued[now, i] or not late):
            # It entered an empty queue, and may be granted only if nobody else is serviceable.
            own_class, own_start, own_finish, own_far, reached = 4, 0, 0, 0, 0
        else:
            tell(found, _NOT_SERVICEABLE, k, i, -1, code[now, i], grant_class[k], _OF_CLASS)
            continue
        for j in range(serviceable.shape[1]):
            competes = serviceable[now, j] and j != i and j != last
            if not competes:
                continue
            other_class, other_reached = code[now, j], candidate[now, j]
            if other_class != own_class:
                if other_class < own_class:
                    tell(found, _WRONG_ORDER, k, i, j, own_class, other_class, _OF_CLASS)
                continue
            if reached >= 0 and other_reached != reached:
                if other_reached:
                    tell(found, _WRONG_ORDER, k, i, j, own_start, start[now, j], _OF_ELIGIBILITY)
                continue
            other_start, other_finish = start[now, j], finish[now, j]
            if own_far or far[now, j]:
                continue
            # Candidates are at or behind V, or have the one S that V goes to: what is neither is
            # stale and has gone round.
            ahead = _less(time[now], own_start, width) or _less(time[now], other_start, width)
            if reached == 1 and own_start != other_start and ahead:
                continue
            if reached < 0:
                # Certain only if the other one is a candidate and this one is not ahead of V.
                if not other_reached or _less(time[now], own_start, width):
                    continue
                if priorities[image[k], i] <= priorities[image[k], j] and not _less(
                    other_finish, own_finish, width
                ):
                    continue
            elif not reached and other_start != own_start:
                check_tag_order(found, k, i, j, own_start, other_start, width, _OF_START)
                continue
            mine, theirs = priorities[image[k], i], priorities[image[k], j]
            check_last_round(found, k, i, j, mine, theirs, own_finish, other_finish, width)
