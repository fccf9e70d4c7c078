"""Memories by name."""

import enum

__all__ = ["MemoryName"]


class MemoryName(enum.StrEnum):
    """What stands behind a channel."""

    SIMPLE = "simple"
    """A fixed rate and latency, whatever is asked."""
    HBM2 = "hbm2"
    HBM3 = "hbm3"
    HBM3E = "hbm3e"
