"""Policies and hints, as commands spell them."""

import enum

__all__ = [
    "HINTED",
    "Hints",
    "Policy",
]


class Policy(enum.StrEnum):
    """Who leaves a full cache."""

    LRU = "lru"
    FIFO = "fifo"
    S3_FIFO = "s3-fifo"
    DENSITY = "density"
    NEXT_USE = "next-use"
    COMBINED = "combined"
    OPTIMUM = "optimum"


class Hints(enum.StrEnum):
    """What clients say about the next use of a block."""

    NONE = "none"
    EXACT = "exact"
    SWAPPED = "swapped"
    NOISE = "noise"
    MISSING = "missing"
    LYING = "lying"
    SERVING = "serving"


_DISTANCES = frozenset({Hints.EXACT, Hints.SWAPPED, Hints.NOISE, Hints.MISSING, Hints.LYING})

HINTED = {
    Policy.NEXT_USE: _DISTANCES,
    Policy.COMBINED: _DISTANCES | {Hints.SERVING},
}
"""Policies that look at hints, and the kinds that mean something to them."""
