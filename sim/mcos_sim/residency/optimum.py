"""Belady's optimum: the most hits that any choice of victims can have."""

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.residency.accesses import NO_NEXT, Accesses, next_uses

__all__ = ["optimum"]


_WORD_BITS = 64
_WORD_SHIFT = 6


@compiled
def _highest(word):
    """Position of the highest one of a word that is not 0."""
    place = 0
    for step in (32, 16, 8, 4, 2, 1):
        if word >> np.uint64(step):
            word >>= np.uint64(step)
            place += step
    return place


@compiled
def _add(levels, starts, depth, key):
    for level in range(depth):
        levels[starts[level] + (key >> _WORD_SHIFT)] |= np.uint64(1) << np.uint64(key & 63)
        key >>= _WORD_SHIFT


@compiled
def _remove(levels, starts, depth, key):
    for level in range(depth):
        word = starts[level] + (key >> _WORD_SHIFT)
        levels[word] &= ~(np.uint64(1) << np.uint64(key & 63))
        if levels[word]:
            return
        key >>= _WORD_SHIFT


@compiled
def _farthest(levels, starts, depth):
    key = 0
    for level in range(depth - 1, -1, -1):
        key = (key << _WORD_SHIFT) + _highest(levels[starts[level] + key])
    return key


@compiled
def _replay(blocks, following, frames, bypass, levels, starts, depth, marks):
    """Keys of resident blocks are the positions of their next uses, each of one block only.

    A block without a next use has the position ``len + block``: such blocks go first.
    """
    count = len(blocks)
    filled = 0
    for j in range(count):
        block = blocks[j]
        key = following[j] if following[j] != NO_NEXT else count + block
        if marks[j]:
            _remove(levels, starts, depth, j)
        elif bypass and following[j] == NO_NEXT:
            continue
        elif filled < frames:
            filled += 1
        else:
            farthest = _farthest(levels, starts, depth)
            if bypass and farthest < key:
                continue
            _remove(levels, starts, depth, farthest)
            if farthest < count:
                marks[farthest] = 0
        _add(levels, starts, depth, key)
        if key < count:
            marks[key] = 1


def optimum(accesses: Accesses, frames: int, *, bypass: bool = True) -> np.ndarray:
    """Which accesses hit if the block whose next use is farthest always goes (Belady 1966).

    Parameters
    ----------
    accesses : Accesses
        The accesses.
    frames : int
        Blocks that the cache holds.
    bypass : bool
        Whether a block whose own next use is farthest is not taken in. This can only have more
        hits.

    Returns
    -------
    numpy.ndarray
        Shape (accesses,), uint8: 1 for a hit.
    """
    marks = np.zeros(len(accesses), np.uint8)
    lengths = []
    words = len(accesses) + accesses.distinct
    while words > 1:
        words = -(-words // _WORD_BITS)
        lengths.append(words)
    starts = np.cumsum([0, *lengths[:-1]], dtype=np.int64)
    levels = np.zeros(sum(lengths), np.uint64)
    _replay(
        accesses.blocks,
        next_uses(accesses),
        frames,
        bypass,
        levels,
        starts,
        len(lengths),
        marks,
    )
    return marks
