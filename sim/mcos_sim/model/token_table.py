"""The buckets of a compact channel: read in turn, and seen by classes some clocks later."""

from mcos_hw.registers import GrantClass
from mcos_sim.compiling import compiled
from mcos_sim.model import layout as at
from mcos_sim.model import live

__all__ = [
    "committed_seen",
    "empty",
    "move",
    "peak_seen",
    "rest",
]

_CONFORMING = int(GrantClass.CONFORMING)
_BURST = int(GrantClass.BURST)
_STEPS = at.TABLE_STEPS
_LAST = _STEPS - 1
"""Clocks from the one in which buckets are read to the one that writes them."""


@compiled
def committed_seen(s, i, clock):
    """Committed level of tenant ``i`` as classes see it at a clock: this one or the one before."""
    return s[at.COMMITTED_SEEN + i] if clock >= s[at.SEEN_FROM + i] else s[at.COMMITTED_BEFORE + i]


@compiled
def peak_seen(s, i, clock):
    """Peak level, likewise."""
    return s[at.PEAK_SEEN + i] if clock >= s[at.SEEN_FROM + i] else s[at.PEAK_BEFORE + i]


@compiled
def _see(s, i, committed, peak):
    """From the next clock on, tenant ``i`` is seen with other levels."""
    if s[at.SEEN_FROM + i] != s[at.CLOCK] + 1:
        s[at.COMMITTED_BEFORE + i] = s[at.COMMITTED_SEEN + i]
        s[at.PEAK_BEFORE + i] = s[at.PEAK_SEEN + i]
    s[at.COMMITTED_SEEN + i] = committed
    s[at.PEAK_SEEN + i] = peak
    s[at.SEEN_FROM + i] = s[at.CLOCK] + 1


@compiled
def empty(s, i):
    """A commit enables tenant ``i``: it has no tokens until its buckets are filled."""
    s[at.TO_FILL] |= 1 << i
    _see(s, i, 0, 0)


@compiled
def _read(s, i, committed_charge, peak_charge):
    """What is read in this clock of tenant ``i``, and what becomes of it."""
    clock = s[at.CLOCK]
    place = clock & _LAST
    elapsed = clock - s[at.COMMITTED_FROM + i]
    committed = s[at.COMMITTED + i] + s[live.COMMITTED_RATE + i] * elapsed
    peak = s[at.PEAK + i] + s[live.PEAK_RATE + i] * elapsed
    full_committed = s[at.COMMITTED_LIMIT + i] - committed_charge
    full_peak = s[at.PEAK_LIMIT + i] - peak_charge
    s[at.STEP_TENANT + place] = i
    s[at.STEP_CLOCK + place] = clock
    s[at.STEP_COMMITTED + place] = min(committed - committed_charge, full_committed)
    s[at.STEP_PEAK + place] = min(peak - peak_charge, full_peak)
    s[at.STEP_FULL_COMMITTED + place] = full_committed
    s[at.STEP_FULL_PEAK + place] = full_peak


@compiled
def _charged(s, i, clocks):
    """Whether tenant ``i`` was granted in so many clocks before this one."""
    for back in range(1, clocks + 1):
        if s[at.STEP_CHARGED + (s[at.CLOCK] - back & _LAST)] == i:
            return True
    return False


@compiled
def _charge(s, i):
    """A grant of tenant ``i`` in this clock."""
    size = s[at.GRANT_BEATS] << s[at.BEAT_BITS]
    from_committed = size if s[at.GRANT_CLASS] == _CONFORMING else 0
    from_peak = size if s[at.GRANT_CLASS] <= _BURST else 0
    _read(s, i, from_committed, from_peak)
    s[at.STEP_CHARGED + (s[at.CLOCK] & _LAST)] = i
    if s[at.TO_FILL] >> i & 1:
        s[at.COMMITTED_SEEN + i] = 0
        s[at.PEAK_SEEN + i] = 0
    else:
        s[at.COMMITTED_SEEN + i] -= from_committed
        s[at.PEAK_SEEN + i] -= from_peak
    # The head behind it has a class by what the charge left.
    s[at.SEEN_FROM + i] = s[at.CLOCK]


@compiled
def _visit(s, tenants):
    """The next tenant in turn, unless the charge of a grant is on its way."""
    i = s[at.TABLE_TURN]
    s[at.TABLE_TURN] = i + 1 & tenants - 1
    if not _charged(s, i, _LAST):
        _read(s, i, 0, 0)


@compiled
def move(s, tenants, withdrawn):
    """One clock: a grant or a visit is read, one is written, and one is seen."""
    clock, granted = s[at.CLOCK], s[at.GRANT]
    place, ended = clock & _LAST, clock - _LAST & _LAST
    s[at.STEP_TENANT + place] = at.NOBODY
    s[at.STEP_CHARGED + place] = at.NOBODY
    j = s[at.STEP_TENANT + ended]
    committed, peak = s[at.STEP_COMMITTED + ended], s[at.STEP_PEAK + ended]
    if j != at.NOBODY and s[at.TO_FILL] >> j & 1:
        committed, peak = s[at.STEP_FULL_COMMITTED + ended], s[at.STEP_FULL_PEAK + ended]

    waiting = s[at.WAITING_TENANT]
    s[at.WAITING_TENANT] = at.NOBODY
    if granted != at.NOBODY:
        s[at.TABLE_VISITED] = 0
        _charge(s, granted)
        s[at.WAITING_TENANT] = j
        s[at.WAITING_COMMITTED] = committed
        s[at.WAITING_PEAK] = peak
    else:
        s[at.TABLE_VISITED] = not s[at.TABLE_VISITED] and not withdrawn
        if s[at.TABLE_VISITED]:
            _visit(s, tenants)
        if waiting != at.NOBODY:
            if not s[at.TO_FILL] >> waiting & 1 and not _charged(s, waiting, _LAST - 1):
                _see(s, waiting, s[at.WAITING_COMMITTED], s[at.WAITING_PEAK])
        elif j != at.NOBODY and not _charged(s, j, _LAST - 1):
            _see(s, j, committed, peak)
            s[at.TO_FILL] &= ~(1 << j)

    if j != at.NOBODY:
        s[at.COMMITTED + j] = committed
        s[at.PEAK + j] = peak
        s[at.COMMITTED_FROM + j] = s[at.STEP_CLOCK + ended]


@compiled
def rest(s, until, tenants):
    """Go on to a clock without grants: of whole rounds of visits the last one is enough."""
    whole = 2 * tenants
    rounds = (until - s[at.CLOCK] - _STEPS) // whole - 1
    if rounds > 0:
        s[at.CLOCK] += rounds * whole
    while s[at.CLOCK] < until:
        move(s, tenants, 0)
        s[at.CLOCK] += 1
