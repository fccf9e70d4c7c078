"""Who is granted next, and as what."""

from mcos_hw.link.classes import NO_CLASS
from mcos_hw.registers import ArbiterKind, GrantClass
from mcos_sim.compiling import compiled
from mcos_sim.model import buckets, live, tags
from mcos_sim.model import layout as at
from mcos_sim.model.buckets import class_of, class_of_head, scavenges

__all__ = [
    "beats_of_head",
    "candidate",
    "choose",
    "choose_at_once",
    "choose_head",
    "head_class",
    "is_new",
    "meet_head",
]

_NO_CLASS = NO_CLASS
_NOBODY_RANK = 7
"""After every rank: 0 is a promoted head; 1, 3, 5 are the candidates of the classes, 2, 4, 6 the
other heads of theirs."""

_RANK = 48
"""Bits of a key below a rank or a priority; tags are shorter, and so are tags and a tenant."""

_TENANT = 4
"""Bits of a tenant."""

_CONFORMING = int(GrantClass.CONFORMING)
_BURST = int(GrantClass.BURST)
_FCFS = int(ArbiterKind.FCFS)
_FIXED_PRIORITY = int(ArbiterKind.FIXED_PRIORITY)


@compiled
def beats_of_head(s, i):
    """Beats of the first request of tenant ``i``."""
    return s[at.QUEUE_BEATS + at.ROWS * i + s[at.HEAD + i]]


@compiled
def head_class(s, i):
    """GrantClass of the head of tenant ``i`` in this clock.

    With L = 0 by the tokens of this clock, otherwise, and in a compact channel, by those that the
    clock before left. The compact arbiter has none for a head in its first clock.
    """
    if s[at.COMPACT] and is_new(s, i):
        return _NO_CLASS
    if s[at.CLOCK] <= s[at.SETTLES]:
        return _class_at_once(s, i, beats_of_head(s, i), _head_outside(s, i))
    return class_of_head(s, i, s[at.CLOCK] - 1 if s[at.STEPS] else s[at.CLOCK])


@compiled
def is_new(s, i):
    """Whether tenant ``i``'s head, of the compact arbiter, is in its first clock."""
    return s[at.CLOCK] == s[at.HEAD_SINCE + i]


@compiled
def _head_outside(s, i):
    """Whether the first request of tenant ``i`` is outside its colours."""
    return s[at.QUEUE_OUTSIDE + at.ROWS * i + s[at.HEAD + i]]


@compiled
def meet_head(s, i):
    """Tenant ``i`` has another head, or its image has changed."""
    refused = s[live.REFUSE_OUTSIDE + i] and _head_outside(s, i)
    buckets.meet_head(s, i, beats_of_head(s, i), refused)


@compiled
def _class_at_once(s, i, beats, outside):
    """The same of any request that is, or becomes, the first of its queue."""
    if s[at.STEPS]:
        refused = s[at.KEPT_REFUSES + i] and outside
        return class_of(s, i, beats, beats, s[at.CLOCK] - 1, s[at.SCAVENGES + i], refused)
    refused = s[live.REFUSE_OUTSIDE + i] and outside
    return class_of(s, i, beats, beats, s[at.CLOCK], scavenges(s, i), refused)


@compiled
def _next_class(s, i, beats, outside):
    """GrantClass of the request behind the head that is granted now, once that one is charged."""
    refused = s[live.REFUSE_OUTSIDE + i] and outside
    granted, charged = s[at.GRANT_CLASS], s[at.GRANT_BEATS]
    committed_beats = beats + (charged if granted == _CONFORMING else 0)
    peak_beats = beats + (charged if granted <= _BURST else 0)
    return class_of(s, i, committed_beats, peak_beats, s[at.CLOCK], scavenges(s, i), refused)


@compiled
def _rank(code, reached):
    return _NOBODY_RANK if code == _NO_CLASS else 2 * code + (1 if reached else 2)


@compiled
def _key(s, i, rank, stale, start, finish, time):
    """Two numbers of a request of tenant ``i``: who has the smaller first one goes first, among
    equals who has the smaller second one. Tags are told from virtual time on.
    """
    half = s[at.TAG_MASK] + 1 >> 1
    if rank & 1:
        if stale:
            return rank << _RANK, i
        start = 0
    else:
        start = start - time + half & s[at.TAG_MASK]
    finish = finish - time + half & s[at.TAG_MASK]
    return rank << _RANK | start, (1 + s[at.KEPT_PRIORITY + i] << _RANK) | finish << _TENANT | i


@compiled
def _head_rank(s, i, time):
    """Rank of tenant ``i``'s head, with V as the choice sees it."""
    code = head_class(s, i)
    if s[at.PROMOTE] == i and code != _NO_CLASS:
        return 0, code
    reached = s[at.STALE + i] & 1 or not tags.less(s, time, s[at.START + i])
    return _rank(code, reached), code


@compiled
def candidate(s, i):
    """Whether tenant ``i``'s head takes part in the last round of this clock's choice."""
    if s[at.KIND] == _FIXED_PRIORITY:
        for j in range(s[at.TENANTS]):
            if s[at.WAITING + j] and s[live.PRIORITY + j] < s[live.PRIORITY + i]:
                return False
    if s[at.KIND]:
        return True
    if s[at.COMPACT]:
        if not s[at.TAGGED] >> i & 1:
            return False
    elif s[at.GRANT] == i:
        return False
    rank = _head_rank(s, i, tags.seen(s))[0]
    return rank & 1 == 1 and rank != _NOBODY_RANK


@compiled
def choose(s, tenants):
    """The grant of the next clock: (tenant or NOBODY, beats, class, whether promoted).

    The head of least rank; among candidates that with the least F, among others that with the least
    S. The request behind the head that is granted now takes part; one that enters an empty queue
    does only if it is alone.
    """
    granted = s[at.GRANT]
    time = tags.seen(s)
    best, best_code, least, then_least = at.NOBODY, _NO_CLASS, at.NEVER, at.NEVER
    for i in range(tenants):
        if s[at.WAITING + i] and i != granted:
            rank, code = _head_rank(s, i, time)
            if rank != _NOBODY_RANK:
                stale = s[at.STALE + i] & 1
                key, then_key = _key(s, i, rank, stale, s[at.START + i], s[at.FINISH + i], time)
                if key < least or (key == least and then_key < then_least):
                    best, best_code, least, then_least = i, code, key, then_key

    if granted != at.NOBODY and s[at.WAITING + granted] > 1:
        row = s[at.HEAD + granted] + 1 & s[at.QUEUE_MASK]
        beats = s[at.QUEUE_BEATS + at.ROWS * granted + row]
        outside = s[at.QUEUE_OUTSIDE + at.ROWS * granted + row]
        code = _next_class(s, granted, beats, outside)
        if code != _NO_CLASS:
            stale = s[at.STALE + granted] >> 1 & 1
            start, finish = s[at.FINISH + granted], s[at.END_FINISH + granted]
            reached = stale or not tags.less(s, tags.seen_past_grant(s), start)
            key, then_key = _key(s, granted, _rank(code, reached), stale, start, finish, time)
            if key < least or (key == least and then_key < then_least):
                return granted, beats, code, 0

    if best != at.NOBODY:
        return best, beats_of_head(s, best), best_code, 1 if s[at.PROMOTE] == best else 0
    if tags.enters_as(s) == 1 and s[at.ENTRY] != granted:
        i = s[at.ENTRY]
        code = _class_at_once(s, i, s[at.ENTRY_BEATS], s[at.ENTRY_OUTSIDE])
        if code != _NO_CLASS:
            return i, s[at.ENTRY_BEATS], code, 1 if s[at.PROMOTE] == i else 0
    return at.NOBODY, 0, 0, 0


@compiled
def choose_head(s, tenants):
    """Who goes first among the heads of this clock: (tenant or NOBODY, class, whether promoted)."""
    time = s[at.TIME]
    best, best_code, least, then_least = at.NOBODY, _NO_CLASS, at.NEVER, at.NEVER
    for i in range(tenants):
        if s[at.WAITING + i] and s[at.TAGGED] >> i & 1:
            rank, code = _head_rank(s, i, time)
            if rank != _NOBODY_RANK:
                stale = s[at.STALE + i] & 1
                key, then_key = _key(s, i, rank, stale, s[at.START + i], s[at.FINISH + i], time)
                if key < least or (key == least and then_key < then_least):
                    best, best_code, least, then_least = i, code, key, then_key
    return best, best_code, 1 if best != at.NOBODY and s[at.PROMOTE] == best else 0


@compiled
def choose_at_once(s, tenants):
    """The grant of this clock by an arbiter without contracts: the tenant, or NOBODY."""
    best = at.NOBODY
    for turn in range(tenants):
        i = turn if s[at.KIND] == _FCFS else (s[at.LAST_TURN] + 1 + turn) % tenants
        if not s[at.WAITING + i]:
            continue
        if best == at.NOBODY:
            best = i
        elif s[at.KIND] == _FCFS:
            offered = s[at.QUEUE_OFFERED + at.ROWS * i + s[at.HEAD + i]]
            least = s[at.QUEUE_OFFERED + at.ROWS * best + s[at.HEAD + best]]
            if offered < least:
                best = i
        elif s[at.KIND] == _FIXED_PRIORITY and s[live.PRIORITY + i] < s[live.PRIORITY + best]:
            best = i
    return best
