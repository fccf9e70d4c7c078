"""Queues of frames, and the two policies that are one queue: LRU and FIFO."""

from mcos_sim.compiling import compiled
from mcos_sim.residency import layout as at

__all__ = [
    "append",
    "fifo_access",
    "lru_access",
    "take_frame",
    "unlink",
]


_OLDER, _NEWER = 0, 1


@compiled
def append(state, links, queue, frame):
    """Put a frame at the young end of a queue."""
    tail = state[at.TAIL + queue]
    links[frame, _OLDER] = tail
    links[frame, _NEWER] = at.NOWHERE
    if tail == at.NOWHERE:
        state[at.HEAD + queue] = frame
    else:
        links[tail, _NEWER] = frame
    state[at.TAIL + queue] = frame
    state[at.COUNT + queue] += 1


@compiled
def unlink(state, links, queue, frame):
    """Take a frame out of its queue."""
    older = links[frame, _OLDER]
    newer = links[frame, _NEWER]
    if older == at.NOWHERE:
        state[at.HEAD + queue] = newer
    else:
        links[older, _NEWER] = newer
    if newer == at.NOWHERE:
        state[at.TAIL + queue] = older
    else:
        links[newer, _OLDER] = older
    state[at.COUNT + queue] -= 1


@compiled
def take_frame(state):
    """A frame that was never used, or NOWHERE."""
    filled = state[at.FILLED + at.SHARED]
    if filled == state[at.SIZE + at.SHARED]:
        return at.NOWHERE
    state[at.FILLED + at.SHARED] = filled + 1
    return filled


@compiled
def _insert(state, blocks, frames, links, block):
    frame = take_frame(state)
    if frame == at.NOWHERE:
        frame = state[at.HEAD]
        unlink(state, links, 0, frame)
        blocks[frames[frame].block].frame = at.NOWHERE
    frames[frame].block = block
    blocks[block].frame = frame
    append(state, links, 0, frame)


@compiled
def fifo_access(state, blocks, frames, links, block):
    """Access a block; the one that came first leaves. Returns whether it hit."""
    if blocks[block].frame != at.NOWHERE:
        return True
    _insert(state, blocks, frames, links, block)
    return False


@compiled
def lru_access(state, blocks, frames, links, block):
    """Access a block; the one that was not used for longest leaves. Returns whether it hit."""
    frame = blocks[block].frame
    if frame != at.NOWHERE:
        unlink(state, links, 0, frame)
        append(state, links, 0, frame)
        return True
    _insert(state, blocks, frames, links, block)
    return False
