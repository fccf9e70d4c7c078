"""One clock of the channel, stage by stage.

Requests come in, a grant is chosen by class, eligibility and finish tag, tokens are charged,
virtual time moves, and everything is counted. docs/channel.md has the rules. Every value is what
the hardware's registers hold at the beginning of a clock; lockstep compares the two.
"""

from mcos_hw.link.classes import NO_CLASS
from mcos_sim.compiling import compiled
from mcos_sim.environment import layout as env
from mcos_sim.model import (
    age,
    buckets,
    choice,
    compact,
    counters,
    live,
    monitor,
    ports,
    tags,
    token_table,
)
from mcos_sim.model import layout as at

__all__ = [
    "advance",
    "begin",
    "commit",
    "is_idle",
    "skip",
]

_NO_CLASS = NO_CLASS


@compiled
def _may_send(s, i):
    """Whether a request of tenant ``i`` is taken if there is room."""
    return s[at.UNGATED] or s[live.ENABLE + i]


@compiled
def commit(s, image):
    """Make an image live in this clock; see :func:`mcos_sim.model.state.image_rows`."""
    clock = s[at.CLOCK]
    tenants = s[at.TENANTS]
    for i in range(tenants):
        if not s[at.TABLE]:
            buckets.settle(s, i, clock)
        enabled = s[live.ENABLE + i]
        for k in range(at.TENANT_FIELDS):
            value = image[at.CHANNEL_FIELDS + at.TENANT_FIELDS * i + k]
            s[at.LIVE_TENANTS + at.LANES * k + i] = value
        buckets.follow_image(s, i)
        age.follow_image(s, i)
        s[at.FILLS + i] = s[live.ENABLE + i] and not enabled
    for k in range(at.CHANNEL_FIELDS):
        s[at.LIVE_CHANNEL + k] = image[k]
    s[at.READY] = 0
    for i in range(tenants):
        if _may_send(s, i) and s[at.COUNT + i] < s[at.QUEUE_DEPTH]:
            s[at.READY] |= 1 << i
    s[at.FRESH_IMAGE] = 1
    s[at.SETTLES] = clock + 2


@compiled
def _follow_image(s):
    """What the hardware keeps of the image in registers of its own, a clock late."""
    s[at.MAY_HOLD] = 0
    for i in range(s[at.TENANTS]):
        s[at.KEPT_PRIORITY + i] = s[live.PRIORITY + i] if s[live.OVERCOMMITTED] else 0
        s[at.SCAVENGES + i] = buckets.scavenges(s, i)
        s[at.KEPT_REFUSES + i] = s[live.REFUSE_OUTSIDE + i]
        s[at.MAY_HOLD] |= s[live.REFUSE_OUTSIDE + i] or not s[at.SCAVENGES + i]
        if s[at.FILLS + i]:
            if s[at.TABLE]:
                token_table.empty(s, i)
            else:
                buckets.fill(s, i, s[at.CLOCK])
            s[at.FILLS + i] = 0
        if s[at.WAITING + i]:
            choice.meet_head(s, i)
    # Whoever waits under the image before is counted to the end.
    s[at.HOLDS] |= s[at.MAY_HOLD]
    s[at.KEPT_INVERSE] = s[live.INVERSE_TOTAL_WEIGHT]
    s[at.CREDIT_BEFORE] = s[live.PORT_CREDIT] - s[at.L_MAX]


@compiled
def _waiting_class(s, i):
    """GrantClass of tenant ``i``'s head, NO_CLASS without one."""
    if not s[at.WAITING + i]:
        return _NO_CLASS
    return choice.head_class(s, i)


@compiled
def begin(s):
    """Choose the grant of this clock, for the arbiters that do so in its own clock."""
    if not s[at.KIND]:
        return
    s[at.GRANT] = at.NOBODY
    s[at.GRANT_BEATS] = 0
    if s[at.OPEN]:
        i = choice.choose_at_once(s, s[at.TENANTS])
        s[at.GRANT] = i
        if i != at.NOBODY:
            s[at.GRANT_BEATS] = choice.beats_of_head(s, i)
            s[at.GRANT_CLASS] = min(_waiting_class(s, i), 2)


@compiled
def _grant(s):
    """Charge the grant of this clock; its request leaves the queue."""
    i = s[at.GRANT]
    s[at.LEFT] = i
    if i == at.NOBODY:
        return
    if not s[at.TABLE]:
        buckets.charge(s, i, s[at.GRANT_BEATS], s[at.GRANT_CLASS], s[at.CLOCK])
    row = at.ROWS * i + s[at.HEAD + i]
    s[at.LEFT_CLASS] = s[at.GRANT_CLASS]
    s[at.LEFT_PROMOTED] = s[at.PROMOTED]
    s[at.LEFT_BEATS] = s[at.GRANT_BEATS]
    s[at.LEFT_OP] = s[at.QUEUE_OP + row]
    s[at.LEFT_ADDRESS] = s[at.QUEUE_ADDRESS + row]
    s[at.LEFT_ID] = s[at.QUEUE_ID + row]
    s[at.LEFT_OFFERED] = s[at.QUEUE_OFFERED + row]
    s[at.HEAD + i] = s[at.HEAD + i] + 1 & s[at.QUEUE_MASK]
    s[at.WAITING + i] -= 1
    s[at.COUNT + i] -= 1
    s[at.QUEUED] -= 1
    if s[at.WAITING + i]:
        choice.meet_head(s, i)
    if _may_send(s, i):
        s[at.READY] |= 1 << i
    s[at.LAST_TURN] = i
    s[at.NEXT_GRANT] = s[at.CLOCK] + s[at.GRANT_INTERVAL]


@compiled
def _taken(s, i):
    """A request was taken: its queue has one more."""
    if i != at.NOBODY:
        s[at.TAIL + i] = s[at.TAIL + i] + 1 & s[at.QUEUE_MASK]
        s[at.COUNT + i] += 1
        s[at.QUEUED] += 1
        s[at.PEAK_COUNT + i] = max(s[at.PEAK_COUNT + i], s[at.COUNT + i])
        if s[at.COUNT + i] == s[at.QUEUE_DEPTH]:
            s[at.READY] &= ~(1 << i)


@compiled
def _approach(s, i):
    """A request that was taken is one step before its queue."""
    s[at.APPROACH] = i
    if i == at.NOBODY:
        return
    row = at.ROWS * i + s[at.TAIL + i]
    since = s[at.CLOCK] - s[at.RESPONDED + i]
    s[at.APPROACH_BEATS] = s[at.QUEUE_BEATS + row]
    s[at.APPROACH_OUTSIDE] = s[at.QUEUE_OUTSIDE + row]
    s[at.APPROACH_RECENT] = since <= s[live.DEPTH1_CLOCKS]
    s[at.APPROACH_PRICE] = tags.price(s, i, s[at.APPROACH_BEATS])


@compiled
def _entry(s, start, anchored):
    """The approaching request enters its queue, with its start tag."""
    i = s[at.APPROACH]
    s[at.ENTRY] = i
    if i == at.NOBODY:
        return
    s[at.ENTRY_BEATS] = s[at.APPROACH_BEATS]
    s[at.ENTRY_OUTSIDE] = s[at.APPROACH_OUTSIDE]
    s[at.ENTRY_COST] = tags.cost(s, s[at.APPROACH_PRICE])
    s[at.ENTRY_START] = start
    s[at.ENTRY_ANCHORED] = anchored
    s[at.ENTRY_RECENT] = s[at.APPROACH_RECENT]


@compiled
def _pace(s):
    """Pacer and port credit after the grant and the service of this clock."""
    size = s[at.GRANT_BEATS] * s[at.BEAT_BYTES] if s[at.GRANT] != at.NOBODY else 0
    debt = s[at.DEBT] - s[live.PACER_RATE] + (size << s[at.RATE_FRACTION])
    s[at.DEBT] = debt if s[live.PACER_ENABLE] and debt > 0 else 0
    s[at.LOAD] = ports.load(s)
    if s[at.SERVED]:
        s[at.IN_FLIGHT] -= s[at.SERVED_BEATS] * s[at.BEAT_BYTES]
    s[at.IN_FLIGHT] += size


@compiled
def advance(s, e):
    """One clock, with what requesters and memory drive in it."""
    tenants = s[at.TENANTS]
    steps = s[at.STEPS]
    withdrawn = s[at.WITHDRAWN]

    # Requests come in.
    taken = ports.take(s, e)
    if steps:
        start, anchored = 0, 0
        if s[at.APPROACH] != at.NOBODY and not s[at.COMPACT]:
            start, anchored = tags.entrance(s)
    else:
        _approach(s, taken)
        start, anchored = tags.entrance(s) if taken != at.NOBODY else (0, 0)
        _entry(s, start, anchored)

    # The next grant is chosen.
    then_open = ports.open_then(s)
    then, beats, grant_class, promoted = at.NOBODY, 0, 0, 0
    if s[at.KIND] == 0:
        if s[at.COMPACT]:
            compact.look(s, tenants)
        elif then_open:
            then, beats, grant_class, promoted = choice.choose(s, tenants)
        turn = s[at.CLOCK] & tenants - 1
        age.guard_age(s, tenants, _waiting_class(s, turn) != _NO_CLASS)
        if s[at.COMPACT]:
            then, beats, grant_class, promoted = compact.take_look(s, then_open)

    # Everything is counted.
    monitor.count(s, tenants)
    if s[at.SERVED] or s[at.LATENCY_STEPS]:
        monitor.count_latency(s)
    # With L = 0 a new image tells classes in its first clock already.
    if s[at.HOLDS] or s[at.FRESH_IMAGE]:
        s[at.HOLDS] = s[at.MAY_HOLD]
        for i in range(tenants):
            s[at.WAITS + i] = s[at.WAITING + i] != 0 and _waiting_class(s, i) == _NO_CLASS
            if s[at.COMPACT] and choice.is_new(s, i):
                s[at.WAITS + i] = 0
            s[at.HOLDS] |= s[at.WAITS + i]

    # Tags and virtual time move, tokens are charged, the request leaves.
    granted = s[at.GRANT] != at.NOBODY
    if s[at.COMPACT]:
        if granted or not compact.is_still(s):
            compact.move_tags(s, tenants, withdrawn)
    elif s[at.KIND] == 0:
        if granted or s[at.ENTRY] != at.NOBODY or s[at.TAGS_MOVED]:
            after = tags.time_after(s)
            tags.move_tags(s, tenants)
            tags.move_time(s, after)
        else:
            tags.move_anchor(s, s[at.TIME])
    if s[at.APPROACH] != at.NOBODY and s[at.APPROACH_OUTSIDE]:
        s[at.STRAYED] = s[at.APPROACH]
    left = s[at.LEFT] != at.NOBODY
    if left or s[at.OUTLET_COUNT]:
        s[at.STALLS] = not e[env.COMMAND_READY]
        ports.move_outlet(s, e[env.COMMAND_READY])
    _pace(s)
    answered = s[at.SERVED_TENANT] if s[at.SERVED] else at.NOBODY
    if granted or left or s[at.SERVED] or e[env.COMPLETION_VALID]:
        ports.move_slots(s, e[env.COMPLETION_VALID], e[env.COMPLETION_SLOT])
    entry = s[at.ENTRY]
    if entry != at.NOBODY:
        s[at.WAITING + entry] += 1
        if s[at.WAITING + entry] == 1:
            choice.meet_head(s, entry)
            if s[at.COMPACT]:
                compact.takes_entry(s, entry, s[at.ENTRY_RECENT])
    if s[at.TABLE]:
        token_table.move(s, tenants, withdrawn)
    _grant(s)
    if steps:
        _entry(s, start, anchored)
        _approach(s, taken)
    else:
        s[at.ENTRY] = at.NOBODY
        s[at.APPROACH] = at.NOBODY
    monitor.end_epoch(s, tenants)
    _taken(s, taken)
    if answered != at.NOBODY:
        s[at.RESPONDED + answered] = s[at.CLOCK]
    if s[at.FRESH_IMAGE]:
        _follow_image(s)
        s[at.FRESH_IMAGE] = 0

    s[at.OPEN] = then_open
    s[at.GRANT] = then
    s[at.GRANT_BEATS] = beats
    s[at.GRANT_CLASS] = grant_class
    s[at.PROMOTED] = promoted
    s[at.CLOCK] += 1


@compiled
def is_idle(s):
    """Whether the channel stays as it is until a request or a completion comes."""
    return (
        s[at.QUEUED] == 0
        and s[at.LEFT] == at.NOBODY
        and s[at.GRANT] == at.NOBODY
        and s[at.OUTLET_COUNT] == 0
        and not s[at.SERVED]
        and s[at.DEBT] == 0
        and s[at.LATENCY_STEPS] == 0
        and s[at.PROMOTE] == at.NOBODY
        and s[at.OLDEST] == at.NOBODY
        and not s[at.TAGS_MOVED]
        and compact.is_still(s)
        and not s[at.WITHDRAWN]
        and not s[at.FRESH_IMAGE]
        and not s[at.LATCH]
    )


@compiled
def skip(s, until):
    """Go on to clock ``until``, or to the last one before an epoch ends; only while idle."""
    clocks = until - s[at.CLOCK]
    if s[live.EPOCH_CLOCKS]:
        clocks = min(clocks, s[live.EPOCH_CLOCKS] - s[at.ELAPSED] - 3)
    if clocks < 4:
        return
    if s[at.TABLE]:
        token_table.rest(s, s[at.CLOCK] + clocks, s[at.TENANTS])
    else:
        s[at.CLOCK] += clocks
    s[at.ELAPSED] += clocks
    if s[at.IN_FLIGHT]:
        s[counters.BUSY] += clocks
    s[at.OPEN] = ports.open_then(s)
    s[at.LOAD] = ports.load(s)
    tags.move_anchor(s, s[at.TIME])
    if s[at.COMPACT]:
        compact.forget_looks(s)
    age.rest(s, s[at.TENANTS])
