"""What each policy needs of gates: bits beside each frame, tables, reads and writes."""

import dataclasses

from mcos_sim.residency.ages import BINS, OLDEST
from mcos_sim.residency.calendar import BUCKETS
from mcos_sim.residency.layout import OWN_CLASSES, TENANTS
from mcos_sim.residency.names import Policy
from mcos_sim.residency.replay import FINER, Setting
from mcos_sim.residency.trust import COLUMNS, KINDS

__all__ = [
    "Cost",
    "cost",
]


_TAG = 16
"""Bits of a block's id that a ghost keeps: one in 65,536 is taken for another."""

_TENANT = (TENANTS - 1).bit_length()

_CLASS = (OWN_CLASSES - 1).bit_length()

_STAMP = OLDEST.bit_length() + 1
"""One bit more than ages have: a sweep marks what is older before the counter comes round."""

_USES = 6

_DEPTH = 4

_COUNTER = 16

_WORTH = 8

_DUE = _STAMP + FINER + 2
"""As fine as promised uses are told apart, and two bits for none and for a denied one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """What gates need for a policy, beside the residency table's own bits.

    Parameters
    ----------
    frame_bits : int
        Bits of each frame.
    ghost_bits : int
        Bits of all ghosts.
    table_bits : int
        Bits of tables and counters that do not grow with the frames.
    reads : int
        Entries that an eviction reads.
    updates : str
        What is written, and when.
    """

    frame_bits: int
    ghost_bits: int
    table_bits: int
    reads: int
    updates: str


def cost(policy: Policy, frames: int, setting: Setting) -> Cost | None:
    """What a policy needs, None for the optimum, which knows the future.

    Parameters
    ----------
    policy : Policy
        The policy.
    frames : int
        Frames of the cache.
    setting : Setting
        Of the gates.
    """
    link = max(1, (frames - 1).bit_length())
    if policy is Policy.LRU:
        return Cost(
            frame_bits=2 * link,
            ghost_bits=0,
            table_bits=2 * link,
            reads=1,
            updates="six links at each access",
        )
    if policy is Policy.FIFO:
        return Cost(
            frame_bits=0,
            ghost_bits=0,
            table_bits=link,
            reads=1,
            updates="the hand at each miss",
        )
    if policy is Policy.S3_FIFO:
        return Cost(
            frame_bits=link + 2,
            ghost_bits=frames * 9 // 10 * _TAG,
            table_bits=6 * link,
            reads=1,
            updates="uses at each hit; a ring at each miss, more when blocks go round",
        )
    if policy is Policy.NEXT_USE:
        bucket = (BUCKETS + 2).bit_length()
        return Cost(
            frame_bits=2 * link + bucket,
            ghost_bits=0,
            table_bits=BUCKETS * (2 * link + 1),
            reads=1,
            updates="six links at each access, and what is left of a bucket when its time is over",
        )
    if policy is Policy.OPTIMUM:
        return None
    entry = _STAMP + _CLASS + _TENANT + _USES + (_DEPTH if setting.suffix_steps else 0)
    rows = TENANTS * OWN_CLASSES
    tables = rows * (BINS * (_WORTH + _COUNTER) + _COUNTER)
    if policy is Policy.COMBINED:
        entry += _DUE
        tables += rows * (COLUMNS * _WORTH + 2 * KINDS * _COUNTER)
    return Cost(
        frame_bits=entry,
        ghost_bits=setting.ghosts_of(frames) * (entry + _TAG),
        table_bits=tables,
        reads=setting.samples,
        updates="an entry and a counter at each access; tables by software once an epoch",
    )
