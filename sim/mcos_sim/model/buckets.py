"""Token buckets: levels are worked out when they are looked at."""

from mcos_hw.link.classes import NO_CLASS
from mcos_hw.registers import GrantClass
from mcos_sim.compiling import compiled
from mcos_sim.model import layout as at
from mcos_sim.model import live, token_table

__all__ = [
    "charge",
    "class_of",
    "class_of_head",
    "committed_at",
    "fill",
    "follow_image",
    "meet_head",
    "peak_at",
    "scavenges",
    "settle",
]

_CONFORMING = int(GrantClass.CONFORMING)
_BURST = int(GrantClass.BURST)
_SCAVENGED = int(GrantClass.SCAVENGED)
_NO_CLASS = NO_CLASS


@compiled
def _level(s, level, since, before, rate, limit, clock):
    """``level' = min(level + rate, depth)`` once for every clock from ``since`` on.

    What was in force in the clock before ``since`` is kept, for classes that are a clock late.
    """
    elapsed = clock - s[since]
    if elapsed > 0:
        return min(s[level] + s[rate] * elapsed, s[limit])
    return s[level] if elapsed == 0 else s[before]


@compiled
def committed_at(s, i, clock):
    """Committed level of tenant ``i`` at a clock, after what that clock has charged so far.

    Of a compact channel it is the one that classes see.
    """
    if s[at.TABLE]:
        return token_table.committed_seen(s, i, clock)
    return _level(
        s,
        at.COMMITTED + i,
        at.COMMITTED_FROM + i,
        at.COMMITTED_BEFORE + i,
        live.COMMITTED_RATE + i,
        at.COMMITTED_LIMIT + i,
        clock,
    )


@compiled
def peak_at(s, i, clock):
    """Peak level, likewise."""
    if s[at.TABLE]:
        return token_table.peak_seen(s, i, clock)
    return _level(
        s,
        at.PEAK + i,
        at.PEAK_FROM + i,
        at.PEAK_BEFORE + i,
        live.PEAK_RATE + i,
        at.PEAK_LIMIT + i,
        clock,
    )


@compiled
def scavenges(s, i):
    """Whether tenant ``i`` is served without tokens too, by the live image."""
    return s[live.WORK_CONSERVING + i] or not s[live.ENABLE + i]


@compiled
def class_of(s, i, committed_beats, peak_beats, clock, is_scavenging, is_refused):
    """GrantClass of a request by what each bucket has to hold in a clock, or NO_CLASS."""
    if is_refused:
        return _NO_CLASS
    if committed_at(s, i, clock) >= committed_beats << s[at.BEAT_BITS]:
        return _CONFORMING
    if peak_at(s, i, clock) >= peak_beats << s[at.BEAT_BITS]:
        return _BURST
    return _SCAVENGED if is_scavenging else _NO_CLASS


@compiled
def _enough_from(s, level, since, rate, limit, size):
    """First clock in which a bucket has so many tokens if nothing is charged until then."""
    if s[limit] < size:
        return at.NEVER
    lack = size - s[level]
    if lack <= 0:
        return s[since]
    return s[since] + (lack + s[rate] - 1) // s[rate] if s[rate] else at.NEVER


@compiled
def meet_head(s, i, beats, is_refused):
    """Work out from which clocks on the buckets of tenant ``i`` cover its head, and what it is
    until then: nothing ever covers a refused one.
    """
    s[at.UNCOVERED + i] = _SCAVENGED if scavenges(s, i) and not is_refused else _NO_CLASS
    size = beats << s[at.BEAT_BITS]
    if s[at.TABLE]:
        s[at.HEAD_NEEDS + i] = at.NEVER if is_refused else size
        return
    if is_refused:
        s[at.COMMITTED_ENOUGH + i] = at.NEVER
        s[at.PEAK_ENOUGH + i] = at.NEVER
        return
    s[at.COMMITTED_ENOUGH + i] = _enough_from(
        s,
        at.COMMITTED + i,
        at.COMMITTED_FROM + i,
        live.COMMITTED_RATE + i,
        at.COMMITTED_LIMIT + i,
        size,
    )
    s[at.PEAK_ENOUGH + i] = _enough_from(
        s, at.PEAK + i, at.PEAK_FROM + i, live.PEAK_RATE + i, at.PEAK_LIMIT + i, size
    )


@compiled
def class_of_head(s, i, clock):
    """GrantClass of the head that :func:`meet_head` was last told of, or NO_CLASS."""
    if s[at.TABLE]:
        if token_table.committed_seen(s, i, clock) >= s[at.HEAD_NEEDS + i]:
            return _CONFORMING
        if token_table.peak_seen(s, i, clock) >= s[at.HEAD_NEEDS + i]:
            return _BURST
        return s[at.UNCOVERED + i]
    if clock >= s[at.COMMITTED_ENOUGH + i]:
        return _CONFORMING
    if clock >= s[at.PEAK_ENOUGH + i]:
        return _BURST
    return s[at.UNCOVERED + i]


@compiled
def charge(s, i, beats, grant_class, clock):
    """Charge a grant of this clock as RFC 2698 does."""
    size = beats << s[at.BEAT_BITS]
    if grant_class == _CONFORMING:
        s[at.COMMITTED + i] = committed_at(s, i, clock) - size
        s[at.COMMITTED_FROM + i] = clock
    if grant_class <= _BURST:
        s[at.PEAK + i] = peak_at(s, i, clock) - size
        s[at.PEAK_FROM + i] = clock


@compiled
def settle(s, i, clock):
    """Work both levels out at a clock, before its rates and depths change."""
    before = committed_at(s, i, clock - 1)
    s[at.COMMITTED + i] = committed_at(s, i, clock)
    s[at.COMMITTED_BEFORE + i] = before
    s[at.COMMITTED_FROM + i] = clock
    before = peak_at(s, i, clock - 1)
    s[at.PEAK + i] = peak_at(s, i, clock)
    s[at.PEAK_BEFORE + i] = before
    s[at.PEAK_FROM + i] = clock


@compiled
def follow_image(s, i):
    """Take the depths of tenant ``i``'s buckets from a new image, in units of their levels."""
    s[at.COMMITTED_LIMIT + i] = s[live.COMMITTED_DEPTH + i] << s[at.RATE_FRACTION]
    s[at.PEAK_LIMIT + i] = s[live.PEAK_DEPTH + i] << s[at.RATE_FRACTION]


@compiled
def fill(s, i, clock):
    """Both buckets are full from the next clock on."""
    s[at.COMMITTED_BEFORE + i] = committed_at(s, i, clock)
    s[at.COMMITTED + i] = s[at.COMMITTED_LIMIT + i]
    s[at.COMMITTED_FROM + i] = clock + 1
    s[at.PEAK_BEFORE + i] = peak_at(s, i, clock)
    s[at.PEAK + i] = s[at.PEAK_LIMIT + i]
    s[at.PEAK_FROM + i] = clock + 1
