"""Whether memories have modules of their own."""

import enum

__all__ = [
    "Memories",
    "memories_name",
]


class Memories(enum.StrEnum):
    """What becomes of a memory."""

    INFERRED = "inferred"
    """An array, which synthesis takes for a memory."""
    WRAPPED = "wrapped"
    """An instance of a module of its own, for macros; see :mod:`mcos_hw.targets.memories`."""


def memories_name(name: str) -> str:
    """Name of the file with the wrappers of the memories of a top module."""
    return f"{name}_memories.v"
