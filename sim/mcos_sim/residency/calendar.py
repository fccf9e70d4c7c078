"""Eviction by next use alone: a calendar of buckets (Brown 1988), each a queue of frames.

The block whose promised use is farthest leaves, found without a sort; one whose promise has passed
leaves before all others. A newcomer whose own use is as far is refused.
"""

from mcos_sim.compiling import compiled
from mcos_sim.residency import layout as at
from mcos_sim.residency.lists import append, take_frame, unlink

__all__ = [
    "BUCKETS",
    "next_use_access",
]


BUCKETS = 512
"""Buckets of the calendar; together they reach 64 times as many accesses as there are frames."""

_REACH = 64

_GRACE = 32
"""Buckets that a promise may be late: clients do not know when others come."""

_OVERDUE, _NEVER, _FAR, _FIRST = 0, 1, 2, 3
"""Queues: promises that passed, denied uses and blocks without a hint, uses beyond the calendar;
then one a bucket."""


@compiled
def _width_shift(state):
    """A bucket is two to this power accesses."""
    shift = 0
    while (BUCKETS << (shift + 1)) <= _REACH * state[at.SIZE + at.SHARED]:
        shift += 1
    return shift


@compiled
def _queue_of(bucket):
    return _FIRST + bucket % BUCKETS


@compiled
def _turn_pages(state, frames, links, today):
    """What is left of buckets that passed is overdue."""
    while state[at.TODAY] < today:
        queue = _queue_of(state[at.TODAY])
        while state[at.COUNT + queue]:
            frame = state[at.HEAD + queue]
            unlink(state, links, queue, frame)
            append(state, links, _OVERDUE, frame)
            frames[frame].row = _OVERDUE
        state[at.TODAY] += 1


@compiled
def _file(state, frames, links, frame, queue, bucket):
    frames[frame].row = queue
    append(state, links, queue, frame)
    if queue >= _FIRST:
        state[at.FARTHEST] = max(state[at.FARTHEST], bucket)


@compiled
def _victim(state, queue, bucket):
    """The queue to take a frame from, or NOWHERE if the newcomer goes itself."""
    if state[at.COUNT + _OVERDUE]:
        return _OVERDUE
    if queue == _NEVER:
        return at.NOWHERE
    if state[at.COUNT + _NEVER]:
        return _NEVER
    if queue == _FAR:
        return at.NOWHERE
    if state[at.COUNT + _FAR]:
        return _FAR
    while not state[at.COUNT + _queue_of(state[at.FARTHEST])]:
        state[at.FARTHEST] -= 1
    if bucket >= state[at.FARTHEST]:
        return at.NOWHERE
    return _queue_of(state[at.FARTHEST])


@compiled
def next_use_access(state, blocks, frames, links, now, block, distance):
    """Access a block that comes again after a promised number of accesses. Returns whether it hit.

    ``now`` counts accesses.
    """
    shift = _width_shift(state)
    today = now >> shift
    _turn_pages(state, frames, links, today - _GRACE)
    bucket = 0
    queue = _NEVER
    if distance != at.NO_USE and distance != at.NO_HINT:
        bucket = (now + distance) >> shift
        queue = _queue_of(bucket) if bucket < today + BUCKETS - _GRACE else _FAR
    frame = blocks[block].frame
    if frame != at.NOWHERE:
        unlink(state, links, frames[frame].row, frame)
        _file(state, frames, links, frame, queue, bucket)
        return True
    frame = take_frame(state)
    if frame == at.NOWHERE:
        left = _victim(state, queue, bucket)
        if left == at.NOWHERE:
            return False
        frame = state[at.HEAD + left]
        unlink(state, links, left, frame)
        blocks[frames[frame].block].frame = at.NOWHERE
    frames[frame].block = block
    blocks[block].frame = frame
    _file(state, frames, links, frame, queue, bucket)
    return False
