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
    "ONE_A_TICK",
    "STEPS",
    "class_of",
    "worth_access",
]


STEPS = 16
"""Steps of worth for each doubling of hits a tick."""

ONE_A_TICK = 239
"""Worth of a hit a tick; twice that is 255, and 0 is a hit in 31,000 ticks."""

_LEAST = -(1 << 20)
_MOST = 1 << 20

_MANY_USES = 16

_MOST_DEPTH = 8
"""Positions from 128 on are as deep as any."""

_MOST_USES = 63
"""Earlier uses that a block counts."""


@compiled
def class_of(classes, uses, ends_prompt):
    """Class of a block at an access: by earlier uses, and whether it ends its prompt.

    ======= ==================================================================
    classes are
    ======= ==================================================================
    1       all blocks
    2       first use; used before
    4       ends its prompt; else first use, second use, more
    5       the same with 2 to 15 earlier uses apart from more
    8       the same with doublings of earlier uses apart: 2, 4, 8, 16, 32
    ======= ==================================================================
    """
    if classes == 1:
        return 0
    if classes == 2:
        return min(uses, 1)
    if ends_prompt:
        return at.OWN_CLASSES - 1
    if classes == 4 or uses < 2:
        return min(uses, 2)
    if classes == 5:
        return 2 if uses < _MANY_USES else 3
    doubling = 2
    while doubling < at.OWN_CLASSES - 2 and uses >> doubling:
        doubling += 1
    return doubling


@compiled
def _log(ticks):
    """``STEPS * log2(ticks)`` for 1 or more, linear between powers of two."""
    octave = 0
    while ticks >> (octave + 1):
        octave += 1
    return STEPS * octave + (((ticks << 4) >> octave) & (STEPS - 1))


@compiled
def _worth(settings, table, trust, clock, stamp, row, due):
    """Worth of a block when its tenant's clock stands at so many accesses."""
    age = (clock >> settings[of.TICK_SHIFT]) - stamp
    learned = int(table[row, age_bin(min(age, OLDEST))])
    if not settings[of.HINTED] or due == at.NO_HINT:
        return learned
    if due == at.NO_USE:
        return learned - trust[row, by.NEVER_WRONG]
    learned -= trust[row, by.WRONG]
    ahead = due - (clock >> settings[of.DUE_SHIFT])
    if ahead < 0:
        return learned
    finer = settings[of.TICK_SHIFT] - settings[of.DUE_SHIFT]
    return max(learned, ONE_A_TICK + STEPS * finer - _log(ahead + 1) - trust[row, by.RIGHT])


@compiled
def _ghosts(state, tenant):
    """The region whose departures a tenant's ghosts are counted with."""
    return tenant if state[at.SIZE + tenant] else at.SHARED


@compiled
def _least(settings, state, frames, table, trust, region):
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
        tenant = frames[frame].tenant
        stamp = frames[frame].stamp
        clock = state[at.CLOCK + tenant]
        worth = _worth(settings, table, trust, clock, stamp, frames[frame].row, frames[frame].due)
        worth -= settings[of.SUFFIX_STEPS] * frames[frame].depth
        if region == at.SHARED:
            worth += state[at.BIAS + tenant]
        age = (clock >> settings[of.TICK_SHIFT]) - stamp
        if worth < least or (worth == least and age > oldest):
            least = worth
            oldest = age
            found = frame
    state[at.RANDOM] = random
    return found, least


@compiled
def _put(blocks, frames, frame, block, stamp, due, row, tenant, depth):
    frames[frame].block = block
    frames[frame].stamp = stamp
    frames[frame].due = due
    frames[frame].row = row
    frames[frame].tenant = tenant
    frames[frame].depth = depth
    blocks[block].frame = frame


@compiled
def _leave(state, blocks, block, tenant):
    region = _ghosts(state, tenant)
    blocks[block].frame = at.NOWHERE
    blocks[block].gone = state[at.GONE + region]
    state[at.GONE + region] += 1


@compiled
def _insert(settings, state, blocks, frames, table, trust, clock, block, due, row, tenant, depth):
    """Find a frame for a newcomer: in its tenant's region, else among the shared ones.

    Whoever is worth least in the tenant's region competes for the shared frames; whoever is worth
    least there leaves. The newcomer can be both.
    """
    for region in (tenant, at.SHARED):
        filled = state[at.FILLED + region]
        if filled < state[at.SIZE + region]:
            state[at.FILLED + region] = filled + 1
            frame = state[at.BASE + region] + filled
            stamp = clock >> settings[of.TICK_SHIFT]
            _put(blocks, frames, frame, block, stamp, due, row, tenant, depth)
            return
    stamp = clock >> settings[of.TICK_SHIFT]
    if state[at.SIZE + tenant]:
        frame, least = _least(settings, state, frames, table, trust, tenant)
        own = _worth(settings, table, trust, clock, stamp, row, due)
        own -= settings[of.SUFFIX_STEPS] * depth
        if own >= least or not settings[of.REFUSES]:
            out = frames[frame].block
            out_stamp = frames[frame].stamp
            out_due = frames[frame].due
            out_row = frames[frame].row
            out_depth = frames[frame].depth
            _put(blocks, frames, frame, block, stamp, due, row, tenant, depth)
            block, stamp, due, row, depth = out, out_stamp, out_due, out_row, out_depth
    if state[at.SIZE + at.SHARED]:
        frame, least = _least(settings, state, frames, table, trust, at.SHARED)
        own = _worth(settings, table, trust, clock, stamp, row, due) + state[at.BIAS + tenant]
        own -= settings[of.SUFFIX_STEPS] * depth
        if own >= least or not settings[of.REFUSES]:
            _leave(state, blocks, frames[frame].block, frames[frame].tenant)
            _put(blocks, frames, frame, block, stamp, due, row, tenant, depth)
            return
    _leave(state, blocks, block, tenant)


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
    block,
    tenant,
    position,
    ends_prompt,
    client,
    distance,
):
    """Access a block: count its reuse, look up its worth, and keep it or not.

    A resident block stays with the tenant that brought it in, whoever uses it. Returns whether it
    hit.
    """
    state[at.CLOCK + tenant] += 1
    frame = blocks[block].frame
    before = blocks[block].row // at.CLASSES
    region = _ghosts(state, before)
    uses = 0
    if (
        frame != at.NOWHERE
        or state[at.GONE + region] - blocks[block].gone
        <= (settings[of.GHOSTS] * state[at.SIZE + region]) >> 8
    ):
        now = state[at.CLOCK + before] >> settings[of.TICK_SHIFT]
        age = min(now - blocks[block].stamp, OLDEST)
        reused[blocks[block].row, age_bin(age)] += 1
        uses = blocks[block].uses
        if settings[of.HINTED]:
            by.count_kept(kept, blocks[block].row, blocks[block].promise, age)
    depth = 0
    while depth < _MOST_DEPTH and position >> depth:
        depth += 1
    owner = before if frame != at.NOWHERE else tenant
    clock = state[at.CLOCK + owner]
    now = clock >> settings[of.TICK_SHIFT]
    row = at.CLASSES * owner + at.OWN_CLASSES * client
    row += class_of(settings[of.CLASSES], uses, ends_prompt)
    started[row] += 1
    due = distance
    if settings[of.HINTED]:
        ticks = distance
        if distance != at.NO_HINT and distance != at.NO_USE:
            ticks = distance >> settings[of.TICK_SHIFT]
            due = (clock + distance) >> settings[of.DUE_SHIFT]
        blocks[block].promise = by.count_given(given, row, ticks)
    blocks[block].uses = min(uses + 1, _MOST_USES)
    blocks[block].row = row
    blocks[block].stamp = now
    if frame != at.NOWHERE:
        frames[frame].stamp = now
        frames[frame].row = row
        frames[frame].due = due
        frames[frame].depth = depth
        return True
    _insert(settings, state, blocks, frames, table, trust, clock, block, due, row, tenant, depth)
    return False
