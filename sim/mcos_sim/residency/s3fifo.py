"""S3-FIFO (Yang et al., SOSP 2023): a small queue in front of a main one, and ghosts."""

from mcos_sim.compiling import compiled
from mcos_sim.residency import layout as at
from mcos_sim.residency.lists import append, take_frame, unlink

__all__ = ["s3fifo_access"]


_SMALL, _MAIN, _GHOSTS = 0, 1, 2

_NONE = 0
"""A block that is in no queue; else it is one more than the queue's number."""

_MOVE_AT = 2
"""Uses in the small queue from which on a block goes to the main one."""

_MOST_USES = 3


@compiled
def _drop_ghost(state, blocks, block):
    """Take a block out of the ghosts, which are linked by ``gone`` (older) and ``stamp``."""
    older = blocks[block].gone
    newer = blocks[block].stamp
    if older == at.NOWHERE:
        state[at.HEAD + _GHOSTS] = newer
    else:
        blocks[older].stamp = newer
    if newer == at.NOWHERE:
        state[at.TAIL + _GHOSTS] = older
    else:
        blocks[newer].gone = older
    state[at.COUNT + _GHOSTS] -= 1
    blocks[block].promise = _NONE


@compiled
def _add_ghost(state, blocks, block, most):
    if most == 0:
        return
    if state[at.COUNT + _GHOSTS] == most:
        _drop_ghost(state, blocks, state[at.HEAD + _GHOSTS])
    tail = state[at.TAIL + _GHOSTS]
    blocks[block].gone = tail
    blocks[block].stamp = at.NOWHERE
    blocks[block].promise = 1 + _GHOSTS
    if tail == at.NOWHERE:
        state[at.HEAD + _GHOSTS] = block
    else:
        blocks[tail].stamp = block
    state[at.TAIL + _GHOSTS] = block
    state[at.COUNT + _GHOSTS] += 1


@compiled
def _evict_main(state, blocks, frames, links):
    """A frame of the main queue; used ones go round again."""
    while True:
        frame = state[at.HEAD + _MAIN]
        block = frames[frame].block
        unlink(state, links, _MAIN, frame)
        if blocks[block].uses == 0:
            blocks[block].frame = at.NOWHERE
            blocks[block].promise = _NONE
            return frame
        blocks[block].uses = min(blocks[block].uses, _MOST_USES) - 1
        append(state, links, _MAIN, frame)


@compiled
def _evict_small(state, blocks, frames, links, ghosts):
    """A frame of the small queue, or NOWHERE if all of its blocks moved to the main one."""
    while state[at.COUNT + _SMALL] > 0:
        frame = state[at.HEAD + _SMALL]
        block = frames[frame].block
        unlink(state, links, _SMALL, frame)
        if blocks[block].uses < _MOVE_AT:
            blocks[block].frame = at.NOWHERE
            _add_ghost(state, blocks, block, ghosts)
            return frame
        blocks[block].uses = 0
        blocks[block].promise = 1 + _MAIN
        append(state, links, _MAIN, frame)
    return at.NOWHERE


@compiled
def _free_frame(state, blocks, frames, links, small, ghosts):
    main = state[at.SIZE + at.SHARED] - small
    frame = take_frame(state)
    while frame == at.NOWHERE:
        if state[at.COUNT + _MAIN] > main or state[at.COUNT + _SMALL] == 0:
            frame = _evict_main(state, blocks, frames, links)
        else:
            frame = _evict_small(state, blocks, frames, links, ghosts)
    return frame


@compiled
def s3fifo_access(state, blocks, frames, links, block):
    """Access a block. Returns whether it hit.

    The small queue has a tenth of the frames. There are ghosts for nine tenths: blocks that left
    the small queue and, if they come back meanwhile, go to the main one. Until all frames are used,
    what the small queue has no room for goes to the main one as well, as in libCacheSim.
    """
    size = state[at.SIZE + at.SHARED]
    small = size // 10
    ghosts = size * 9 // 10
    if blocks[block].frame != at.NOWHERE:
        # Saturates far above what is compared.
        blocks[block].uses = min(blocks[block].uses + 1, 255)
        return True
    queue = _SMALL
    if blocks[block].promise == 1 + _GHOSTS:
        _drop_ghost(state, blocks, block)
        queue = _MAIN
    elif state[at.FILLED + at.SHARED] < size and state[at.COUNT + _SMALL] >= small:
        queue = _MAIN
    frame = _free_frame(state, blocks, frames, links, small, ghosts)
    frames[frame].block = block
    blocks[block].frame = frame
    blocks[block].uses = 0
    blocks[block].promise = 1 + queue
    append(state, links, queue, frame)
    return False
