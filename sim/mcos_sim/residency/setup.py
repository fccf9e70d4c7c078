"""Places of what a policy is set to, in its array of int64."""

__all__ = [
    "CLASSES",
    "DUE_SHIFT",
    "GHOSTS",
    "HINTED",
    "REFUSES",
    "SAMPLES",
    "SETTINGS",
    "SUFFIX_STEPS",
    "TICK_SHIFT",
]


SAMPLES = 0
"""Frames that an eviction looks at."""

CLASSES = 1
"""Classes of blocks: 1, 2, 4 or 8."""

GHOSTS = 2
"""Blocks that left and are still known, in 256ths of a region's frames."""

REFUSES = 3
"""Whether a newcomer that is worth less than all samples is refused."""

HINTED = 4
"""Whether hints count."""

TICK_SHIFT = 5
"""A tick is two to this power accesses."""

DUE_SHIFT = 6
"""Promised uses are told apart to two to this power accesses."""

SUFFIX_STEPS = 7
"""Steps of worth that a block loses with each doubling of its position in its prompt."""

SETTINGS = 8
"""Length of the array."""
