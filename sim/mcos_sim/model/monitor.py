"""Counters of epochs."""

from mcos_hw.registers import GRANT_KINDS, LATENCY_BINS
from mcos_sim.compiling import compiled
from mcos_sim.model import counters, live
from mcos_sim.model import layout as at

__all__ = [
    "count",
    "count_latency",
    "end_epoch",
    "latency_bin",
]

_GRANT_KINDS = GRANT_KINDS
_LATENCY_BINS = LATENCY_BINS


@compiled
def count(s, tenants):
    """Count what this clock has: a command, one that memory did not take, a request outside its
    colours, heads that wait, whether the channel owes bytes.
    """
    i = s[at.LEFT]
    if i != at.NOBODY:
        kind = _GRANT_KINDS * i + 4 * s[at.LEFT_OP] + s[at.LEFT_CLASS]
        s[counters.GRANT_REQUESTS + kind] += 1
        s[counters.GRANT_BYTES + kind] += s[at.LEFT_BEATS] * s[at.BEAT_BYTES]
        s[counters.PROMOTIONS + i] += s[at.LEFT_PROMOTED]
    if s[at.STALLS]:
        s[counters.STALLED] += 1
        s[at.STALLS] = 0
    i = s[at.STRAYED]
    if i != at.NOBODY:
        s[counters.COLOUR_FAULTS + i] += 1
        s[at.STRAYED] = at.NOBODY
    s[counters.BUSY] += s[at.IN_FLIGHT] != 0 or s[at.DEBT] != 0
    if s[at.HOLDS]:
        for i in range(tenants):
            s[counters.HELD + i] += s[at.WAITS + i]


@compiled
def latency_bin(clocks):
    """Position of the highest bit, cut to the bins there are."""
    position = 0
    while clocks > 1:
        clocks >>= 1
        position += 1
    return min(position, _LATENCY_BINS - 1)


@compiled
def count_latency(s):
    """Latency counts in three steps: the stamps, their difference, what it means."""
    s[at.LATENCY_STEPS] = 3 if s[at.SERVED] else s[at.LATENCY_STEPS] - 1
    i = s[at.MEASURED_TENANT]
    if i != at.NOBODY:
        s[counters.RESPONSES + i] += 1
        s[counters.SLO_VIOLATIONS + i] += s[at.MEASURED_LATE]
        s[counters.LATENCY + _LATENCY_BINS * i + latency_bin(s[at.MEASURED_CLOCKS])] += 1
    i = s[at.COMPUTED_TENANT]
    s[at.MEASURED_TENANT] = i
    s[at.MEASURED_CLOCKS] = s[at.COMPUTED_CLOCKS]
    s[at.MEASURED_LATE] = (
        s[at.COMPUTED_OBJECTIVE] != 0 and s[at.COMPUTED_CLOCKS] > s[at.COMPUTED_OBJECTIVE]
    )
    i = s[at.STAMPED_TENANT]
    s[at.COMPUTED_TENANT] = i
    if i != at.NOBODY:
        s[at.COMPUTED_CLOCKS] = s[at.STAMPED_CLOCKS]
        s[at.COMPUTED_OBJECTIVE] = s[live.LATENCY_SLO + i]
    s[at.STAMPED_TENANT] = at.NOBODY
    if s[at.SERVED]:
        s[at.STAMPED_TENANT] = s[at.SERVED_TENANT]
        s[at.STAMPED_CLOCKS] = s[at.CLOCK] - s[at.SERVED_OFFERED]


@compiled
def end_epoch(s, tenants):
    """End the epoch with this clock if it is its last one, once all of the clock is counted."""
    length = s[live.EPOCH_CLOCKS]
    if not s[at.LATCH]:
        s[at.LATCH] = length != 0 and s[at.ELAPSED] + 2 >= length
        s[at.ELAPSED] += 1
        return
    s[at.LATCH] = length == 1
    s[at.ELAPSED] = 0
    s[at.EPOCH] += 1
    for place in range(at.COUNTERS, at.COUNTERS + at.COUNTERS_LENGTH):
        s[place + at.LATCHED] = s[place]
        s[place] = 0
    for i in range(tenants):
        s[at.LATCHED_PEAK + i] = s[at.PEAK_COUNT + i]
        # What is queued now counts again in the clock that begins.
        s[at.PEAK_COUNT + i] = s[at.COUNT + i]
