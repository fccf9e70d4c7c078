"""The compact channel: a look at all heads that is some clocks old, and tags one head at a time."""

from mcos_hw.link.classes import NO_CLASS
from mcos_sim.compiling import compiled
from mcos_sim.model import choice, tags
from mcos_sim.model import layout as at

__all__ = [
    "forget_looks",
    "is_still",
    "look",
    "move_tags",
    "take_look",
    "takes_entry",
]

_NO_CLASS = NO_CLASS
_PLACES = at.LOOKS


@compiled
def look(s, tenants):
    """Keep who goes first among the heads of this clock, for a grant ``LOOK_CLOCKS`` later."""
    place = s[at.CLOCK] & _PLACES - 1
    best = at.NOBODY
    if s[at.QUEUED] and s[at.CLOCK] + s[at.LOOK_CLOCKS] >= s[at.NEXT_GRANT]:
        best, grant_class, promoted = choice.choose_head(s, tenants)
        s[at.LOOK_CLASS + place] = grant_class
        s[at.LOOK_PROMOTED + place] = promoted
    s[at.LOOK_TENANT + place] = best


@compiled
def take_look(s, then_open):
    """The grant of the next clock, if it is open: (tenant or NOBODY, beats, class, promoted).

    The age guard has told already whom it promotes then.
    """
    s[at.WITHDRAWN] = 0
    if not then_open:
        return at.NOBODY, 0, 0, 0
    place = s[at.CLOCK] + 1 - s[at.LOOK_CLOCKS] & _PLACES - 1
    i, promoted = s[at.LOOK_TENANT + place], s[at.LOOK_PROMOTED + place]
    s[at.WITHDRAWN] = i != at.NOBODY and promoted and s[at.PROMOTE] != i
    if i == at.NOBODY or s[at.WITHDRAWN]:
        return at.NOBODY, 0, 0, 0
    return i, choice.beats_of_head(s, i), s[at.LOOK_CLASS + place], promoted


@compiled
def forget_looks(s):
    """What was looked at before clocks in which nothing was there counts no more."""
    for place in range(_PLACES):
        s[at.LOOK_TENANT + place] = at.NOBODY


@compiled
def takes_entry(s, i, recent):
    """A request of tenant ``i`` enters an empty queue: it waits for its tags."""
    s[at.UNTAGGED] |= 1 << i
    s[at.RECENT + i] = recent
    s[at.HEAD_SINCE + i] = s[at.CLOCK] + 1


@compiled
def is_still(s):
    """Whether no tag and no virtual time is on its way."""
    return (
        s[at.FIRST] == at.NOBODY
        and s[at.SECOND] == at.NOBODY
        and not s[at.STEP_BEGINS]
        and not s[at.STEP_ENDS]
        and s[at.UNTAGGED] == 0
        and not s[at.TAGS_MOVED]
    )


@compiled
def _price_of_head(s, i):
    return s[at.QUEUE_COST + at.ROWS * i + s[at.HEAD + i]]


@compiled
def _start(s, i):
    """S of the head that is in its second step."""
    finish, time = s[at.FIRST_FINISH], s[at.TIME]
    if s[at.FIRST_FOLLOWS]:
        return time - (s[at.STALE_AFTER] >> 1) & s[at.TAG_MASK] if s[at.FIRST_STALE] else finish
    early = time - s[at.FIRST_PRICE] if s[at.RECENT + i] else time
    if s[at.FIRST_STALE] or tags.less(s, finish, early):
        return early & s[at.TAG_MASK]
    return finish


@compiled
def move_tags(s, tenants, withdrawn):
    """Every step of tags and of virtual time, once a clock, before the grant has left its queue.

    ``withdrawn`` is whether this clock grants nothing because a promotion was withdrawn.
    """
    granted, entry = s[at.GRANT], s[at.ENTRY]
    mask = s[at.TAG_MASK]
    untagged = s[at.UNTAGGED]

    # Third steps: F and V.
    second, second_start, second_price = s[at.SECOND], s[at.SECOND_START], s[at.SECOND_PRICE]
    step_ends, step_to, step_cost = s[at.STEP_ENDS], s[at.STEP_TO], s[at.STEP_COST]

    # Second steps: S, and where V starts from.
    i = s[at.FIRST]
    s[at.SECOND] = i
    if i != at.NOBODY:
        s[at.SECOND_START] = _start(s, i)
        s[at.SECOND_PRICE] = _price_of_head(s, i)
    s[at.STEP_ENDS] = s[at.STEP_BEGINS]
    if s[at.STEP_BEGINS]:
        to = s[at.STEP_START]
        jumps = s[at.STEP_JUMPS] and tags.less(s, s[at.TIME], to)
        s[at.STEP_TO] = to if jumps else s[at.TIME]
        s[at.STEP_COST] = tags.step_cost(s, s[at.STEP_BEATS])

    # First steps.
    busy = s[at.STEP_BEGINS]
    s[at.STEP_BEGINS] = granted != at.NOBODY
    s[at.FIRST] = at.NOBODY
    if granted != at.NOBODY:
        s[at.STEP_START] = s[at.START + granted]
        if s[at.PROMOTED]:
            s[at.STEP_START] = s[at.START + granted] - s[at.TAG_LEAD] & mask
        s[at.STEP_JUMPS] = 1 - s[at.STALE + granted]
        s[at.STEP_BEATS] = s[at.GRANT_BEATS]
        s[at.TAGGED] &= ~(1 << granted)
        if s[at.WAITING + granted] + (entry == granted) > 1:
            i = granted
            s[at.FIRST] = i
            s[at.FIRST_FOLLOWS] = 1
            s[at.HEAD_SINCE + i] = s[at.CLOCK] + 1
    elif untagged and not busy and not withdrawn:
        i = 0
        while not untagged >> i & 1:
            i += 1
        s[at.FIRST] = i
        s[at.FIRST_FOLLOWS] = 0
        s[at.FIRST_PRICE] = _price_of_head(s, i)
        s[at.UNTAGGED] &= ~(1 << i)
    if s[at.FIRST] != at.NOBODY:
        s[at.FIRST_FINISH] = s[at.FINISH + i]
        s[at.FIRST_STALE] = s[at.STALE + i]

    # Tags that have grown too old are stale from the next clock on.
    if s[at.TAGS_MOVED]:
        for i in range(tenants):
            if tags.quarter(s, s[at.TIME], s[at.START + i]) == 1:
                s[at.STALE + i] = 1
    s[at.TAGS_MOVED] = second != at.NOBODY or step_ends
    if second != at.NOBODY:
        s[at.START + second] = second_start
        s[at.FINISH + second] = second_start + second_price & mask
        s[at.STALE + second] = 0
        s[at.TAGGED] |= 1 << second
    if step_ends:
        s[at.TIME] = step_to + step_cost & mask
