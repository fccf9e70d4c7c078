"""Policies, as commands spell them."""

import enum

__all__ = [
    "HINTED",
    "Policy",
]


class Policy(enum.StrEnum):
    """Who leaves a full cache."""

    LRU = "lru"
    FIFO = "fifo"
    S3_FIFO = "s3-fifo"
    DENSITY = "density"
    OPTIMUM = "optimum"


HINTED: tuple[Policy, ...] = ()
"""Policies that look at hints."""
