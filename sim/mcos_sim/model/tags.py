"""Start and finish tags, and virtual time."""

from mcos_sim.compiling import compiled
from mcos_sim.model import layout as at
from mcos_sim.model import live

__all__ = [
    "cost",
    "enters_as",
    "entrance",
    "less",
    "move_anchor",
    "move_tags",
    "move_time",
    "price",
    "quarter",
    "seen",
    "seen_past_grant",
    "step_cost",
    "sweep",
    "third_finish",
    "time_after",
    "time_shown",
]


@compiled
def less(s, left, right):
    """Whether ``left`` is before ``right`` on the modular scale."""
    return (left - right) >> (s[at.TAG_WIDTH] - 1) & 1 == 1


@compiled
def price(s, i, beats):
    """s / w of tenant ``i`` before it is rounded down to tag units."""
    return beats * s[live.INVERSE_WEIGHT + i] << s[at.PRICE_WIDENING]


@compiled
def cost(s, exact):
    """A price in tag units."""
    return exact >> s[at.PRICE_FRACTION] & s[at.TAG_MASK]


@compiled
def step_cost(s, beats):
    """s / W in tag units."""
    size = beats * s[at.BEAT_BYTES]
    return size * s[at.KEPT_INVERSE] >> s[at.COST_SHIFT] & s[at.TAG_MASK]


@compiled
def _step(s):
    """The step that virtual time takes in this clock if there is a grant: (to, jumps, cost)."""
    if s[at.LATENESS] >= 2:
        return s[at.STEP_TO], s[at.STEP_JUMPS], s[at.STEP_COST]
    return _own_step(s)


@compiled
def _own_step(s):
    """The step of the grant of this clock. A stale head makes virtual time jump nowhere."""
    i = s[at.GRANT]
    if i == at.NOBODY:
        return 0, 0, 0
    to = s[at.START + i]
    if s[at.PROMOTED]:
        to = to - s[at.TAG_LEAD] & s[at.TAG_MASK]
    return to, 1 - (s[at.STALE + i] & 1), step_cost(s, s[at.GRANT_BEATS])


@compiled
def _jumps(s, step):
    return step[1] and less(s, s[at.TIME], step[0])


@compiled
def _moved(s, step):
    """max(V, S) + s / W."""
    base = step[0] if _jumps(s, step) else s[at.TIME]
    return base + step[2] & s[at.TAG_MASK]


@compiled
def seen_past_grant(s):
    """V as the choice in a clock with a grant may see it."""
    lateness = s[at.LATENESS]
    if lateness == 0:
        return _moved(s, _step(s))
    return s[at.TIME] if lateness < 3 else s[at.TIME_BEFORE]


@compiled
def seen(s):
    """V as the choice of this clock may see it."""
    if s[at.COMPACT]:
        return s[at.TIME]
    if s[at.GRANT] != at.NOBODY:
        return seen_past_grant(s)
    lateness = s[at.LATENESS]
    if lateness == 0:
        return s[at.TIME]
    return s[at.TIME_BEFORE] if lateness < 3 else s[at.TIME_LONG_BEFORE]


@compiled
def time_shown(s):
    """V as the probe shows it: with L = 0 after the grant of this clock, otherwise before it.

    The compact arbiter's moves some clocks after a grant.
    """
    if s[at.COMPACT]:
        return s[at.TIME]
    if s[at.LATENESS] == 0 and s[at.GRANT] != at.NOBODY:
        return _moved(s, _step(s))
    return s[at.TIME]


@compiled
def _arrival_time(s):
    """V for requests that arrive in this clock: from L = 2 on it knows the jump under way."""
    step = _step(s)
    if s[at.LATENESS] >= 2 and _jumps(s, step):
        return step[0]
    return time_shown(s)


@compiled
def time_after(s):
    """Virtual time after this clock, and the step of its grant, from the tags before it leaves."""
    to, jumps, cost = _own_step(s)
    moved = s[at.TIME] if s[at.GRANT] == at.NOBODY else _moved(s, _step(s))
    return moved, to, jumps, cost


@compiled
def move_time(s, after):
    """Move virtual time, and the anchor with it."""
    time = s[at.TIME]
    if s[at.GRANT] != at.NOBODY:
        s[at.TIME_LONG_BEFORE] = s[at.TIME_BEFORE]
        s[at.TIME_BEFORE] = time
        s[at.TIME], s[at.STEP_TO], s[at.STEP_JUMPS], s[at.STEP_COST] = after
        if s[at.LATENESS] == 0:
            time = s[at.TIME]
    move_anchor(s, time)


@compiled
def move_anchor(s, time):
    """Set the anchor, 4 longest requests behind ``time``.

    A request starts there that gets its S while the third stale bit of its tenant is set.
    """
    s[at.ANCHOR] = time - (s[at.STALE_AFTER] >> 1) & s[at.TAG_MASK]


@compiled
def enters_as(s):
    """The place that the entering request takes once the granted head has left: 1, 2, later, 0."""
    i = s[at.ENTRY]
    if i == at.NOBODY:
        return 0
    return s[at.WAITING + i] - (s[at.GRANT] == i) + 1


@compiled
def third_finish(s):
    """F of the third request of the granted tenant; of the last one that has tags without it."""
    i = s[at.GRANT]
    finish = s[at.ANCHOR] if s[at.STALE + i] & 4 else s[at.END_FINISH + i]
    if s[at.WAITING + i] > 2:
        row = s[at.HEAD + i] + 2 & s[at.QUEUE_MASK]
        finish += s[at.QUEUE_COST + at.ROWS * i + row]
    return finish & s[at.TAG_MASK]


@compiled
def entrance(s):
    """Start tag of the request one step before its queue: (S, whether it goes on from no tags).

    S is F of the request before it if that is still queued, else max(F, V), or max(F, V - s / w)
    where it follows its tenant's last response closely.
    """
    i = s[at.APPROACH]
    stale = s[at.STALE + i]
    if s[at.LATENESS] and s[at.ENTRY] == i:
        anchored = s[at.ENTRY_ANCHORED] and enters_as(s) == 1
        if anchored and quarter(s, seen(s), s[at.ENTRY_START]) == 1:
            anchored = 0
        return s[at.ENTRY_START] + s[at.ENTRY_COST] & s[at.TAG_MASK], anchored
    end = s[at.END_FINISH + i]
    if s[at.GRANT] == i:
        return third_finish(s), stale >> 2
    if s[at.WAITING + i]:
        return (s[at.ANCHOR] if stale & 4 else end), stale >> 2

    # With x for s / w before it is rounded down, V - s / w is ~(~V + x).
    fraction = s[at.PRICE_FRACTION]
    width_mask = (s[at.TAG_MASK] + 1 << fraction) - 1
    ahead = s[at.APPROACH_PRICE] if s[at.APPROACH_RECENT] else 0
    time = (~_arrival_time(s) & s[at.TAG_MASK]) << fraction
    early = time + ahead & width_mask
    late = (end << fraction) + ((1 << fraction) - 1) + early + 1
    passed = late >> (s[at.TAG_WIDTH] + fraction - 1) & 1
    if stale & 1 or passed:
        return ~(early >> fraction) & s[at.TAG_MASK], 1
    return (s[at.ANCHOR] if stale & 4 else end), 1


@compiled
def quarter(s, time, start):
    """In which quarter of the modular scale virtual time is, seen from a start tag."""
    return time - start >> s[at.TAG_WIDTH] - 2 & 3


@compiled
def sweep(s, tenants):
    """Tags that have grown too old for the modular scale are stale from now on."""
    now = seen(s)
    for i in range(tenants):
        place = quarter(s, now, s[at.START + i])
        stale = s[at.STALE + i]
        grows = (place == 1) | ((place != 0) & (stale & 1))
        s[at.STALE + i] = stale | grows << 3


@compiled
def move_tags(s, tenants):
    """Tags after the grant and the entry of this clock."""
    mask = s[at.TAG_MASK]
    granted, entry, place = s[at.GRANT], s[at.ENTRY], enters_as(s)
    if granted != at.NOBODY or s[at.TAGS_MOVED]:
        sweep(s, tenants)
    old = s[at.STALE + granted] if granted != at.NOBODY else 0
    if granted != at.NOBODY:
        end = s[at.END_FINISH + granted]
        if place not in (1, 2) or entry != granted:
            s[at.END_FINISH + granted] = third_finish(s)
        start = s[at.FINISH + granted]
        if old & 2:
            start = s[at.ANCHOR] if old & 4 else end
        s[at.START + granted] = start
        s[at.FINISH + granted] = end
    if entry != at.NOBODY and (place == 1 or place == 2):
        finish = s[at.ENTRY_START] + s[at.ENTRY_COST] & mask
        stale = s[at.STALE + entry]
        third_stale = stale >> 2 & 1 | stale >> 3
        s[at.END_FINISH + entry] = finish
    if granted != at.NOBODY or s[at.TAGS_MOVED]:
        if granted != at.NOBODY and not old & 8:
            s[at.STALE + granted] = old >> 1 & 3
        for i in range(tenants):
            stale = s[at.STALE + i]
            s[at.STALE + i] = 7 if stale & 8 else stale
    if entry != at.NOBODY:
        if place == 1:
            s[at.START + entry] = s[at.ENTRY_START]
            s[at.FINISH + entry] = finish
            s[at.STALE + entry] = 7 * (third_stale & ~s[at.ENTRY_ANCHORED])
        elif place == 2:
            s[at.STALE + entry] = s[at.STALE + entry] & 3 | third_stale << 2
    s[at.TAGS_MOVED] = granted != at.NOBODY or place == 1 or place == 2
