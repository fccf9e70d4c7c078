"""Sampled eviction by worth: hit density from a table, and hints as far as they are trusted.

A worth is the logarithm of expected hits a tick, 16 to a doubling, in 8 bits. So products are sums,
and gates add, shift and compare.
"""

from mcos_sim.compiling import compiled
from mcos_sim.residency import layout as at
from mcos_sim.residency import setup as of
from mcos_sim.residency import trust as by
from mcos_sim.residency.ages import OLDEST, age_bin

__all__ = [
    "MOST_CLASSES",
    "ONE_A_TICK",
    "STEPS",
    "class_of",
    "worth_access",
]


MOST_CLASSES = 8
"""Rows of a tenant in the table."""

STEPS = 16
"""Steps of worth for each doubling of hits a tick."""

ONE_A_TICK = 239
"""Worth of a hit a tick; twice that is 255, and 0 is a hit in 31,000 ticks."""

_LEAST = -(1 << 20)
_MOST = 1 << 20

_MOST_USES = 7


@compiled
def class_of(classes, uses, ends_prompt):
    """Class of a block at an access: by earlier uses, and whether it ends its prompt."""
    if classes == 8:
        return 2 * min(uses, 3) + ends_prompt
    if classes == 4:
        return 3 if ends_prompt else min(uses, 2)
    if classes == 2:
        return min(uses, 1)
    return 0


@compiled
def _log(ticks):
    """``STEPS * log2(ticks)`` for 1 or more, linear between powers of two."""
    octave = 0
    while ticks >> (octave + 1):
        octave += 1
    return STEPS * octave + (((ticks << 4) >> octave) & (STEPS - 1))


@compiled
def _worth(settings, table, trust, now, stamp, row, due, tenant):
    learned = int(table[row, age_bin(min(now - stamp, OLDEST))])
    if not settings[of.HINTED] or due == at.NO_HINT:
        return learned
    if due == at.NO_USE:
        return learned - trust[tenant, by.NEVER_WRONG]
    learned -= trust[tenant, by.WRONG]
    if due < now:
        return learned
    return max(learned, ONE_A_TICK - _log(due - now + 1) - trust[tenant, by.RIGHT])


@compiled
def _least(settings, state, frames, table, trust, now, region):
    """The frame of least worth among samples of a region, and its worth; ties to the older."""
    random = state[at.RANDOM]
    base = state[at.BASE + region]
    size = state[at.SIZE + region]
    least = _MOST
    oldest = -1
    found = at.NOWHERE
    for _ in range(settings[of.SAMPLES]):
        random ^= (random << 13) & 0xFFFFFFFF
        random ^= random >> 17
        random ^= (random << 5) & 0xFFFFFFFF
        frame = base + ((random * size) >> 32)
        at_frame = frames[frame]
        worth = _worth(
            settings,
            table,
            trust,
            now,
            at_frame.stamp,
            at_frame.row,
            at_frame.due,
            at_frame.tenant,
        )
        if region == at.SHARED:
            worth += state[at.BIAS + at_frame.tenant]
        age = now - at_frame.stamp
        if worth < least or (worth == least and age > oldest):
            least = worth
            oldest = age
            found = frame
    state[at.RANDOM] = random
    return found, least


@compiled
def _put(blocks, frames, frame, block, stamp, due, row, tenant):
    frames[frame].block = block
    frames[frame].stamp = stamp
    frames[frame].due = due
    frames[frame].row = row
    frames[frame].tenant = tenant
    blocks[block].frame = frame


@compiled
def _leave(state, blocks, block):
    blocks[block].frame = at.NOWHERE
    blocks[block].gone = state[at.GONE]
    state[at.GONE] += 1


@compiled
def _insert(settings, state, blocks, frames, table, trust, now, block, due, row, tenant):
    """Find a frame for a newcomer: in its tenant's region, else among the shared ones.

    Whoever is worth least in the tenant's region competes for the shared frames; whoever is worth
    least there leaves. The newcomer can be both.
    """
    for region in (tenant, at.SHARED):
        filled = state[at.FILLED + region]
        if filled < state[at.SIZE + region]:
            state[at.FILLED + region] = filled + 1
            frame = state[at.BASE + region] + filled
            _put(blocks, frames, frame, block, now, due, row, tenant)
            return
    stamp = now
    if state[at.SIZE + tenant]:
        frame, least = _least(settings, state, frames, table, trust, now, tenant)
        own = _worth(settings, table, trust, now, stamp, row, due, tenant)
        if own >= least or not settings[of.REFUSES]:
            out = frames[frame].block
            out_stamp = frames[frame].stamp
            out_due = frames[frame].due
            out_row = frames[frame].row
            _put(blocks, frames, frame, block, stamp, due, row, tenant)
            block, stamp, due, row = out, out_stamp, out_due, out_row
    if state[at.SIZE + at.SHARED]:
        frame, least = _least(settings, state, frames, table, trust, now, at.SHARED)
        own = _worth(settings, table, trust, now, stamp, row, due, tenant)
        if own + state[at.BIAS + tenant] >= least or not settings[of.REFUSES]:
            _leave(state, blocks, frames[frame].block)
            _put(blocks, frames, frame, block, stamp, due, row, tenant)
            return
    _leave(state, blocks, block)


@compiled
def worth_access(
    settings,
    state,
    blocks,
    frames,
    table,
    trust,
    reused,
    started,
    given,
    kept,
    now,
    block,
    tenant,
    ends_prompt,
    distance,
):
    """Access a block: count its reuse, look up its worth, and keep it or not.

    Returns whether it hit.
    """
    known = blocks[block]
    frame = known.frame
    uses = 0
    if frame != at.NOWHERE or state[at.GONE] - known.gone <= settings[of.GHOSTS]:
        age = min(now - known.stamp, OLDEST)
        reused[known.row, age_bin(age)] += 1
        uses = known.uses
        if settings[of.HINTED]:
            by.count_kept(kept, known.row // MOST_CLASSES, known.promise, age)
    row = MOST_CLASSES * tenant + class_of(settings[of.CLASSES], uses, ends_prompt)
    started[row] += 1
    due = distance
    if settings[of.HINTED]:
        blocks[block].promise = by.count_given(given, tenant, distance)
        if distance != at.NO_HINT and distance != at.NO_USE:
            due = now + distance
    blocks[block].uses = min(uses + 1, _MOST_USES)
    blocks[block].row = row
    blocks[block].stamp = now
    if frame != at.NOWHERE:
        frames[frame].stamp = now
        frames[frame].row = row
        frames[frame].due = due
        return True
    _insert(settings, state, blocks, frames, table, trust, now, block, due, row, tenant)
    return False
