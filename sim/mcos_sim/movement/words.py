"""What is said between clients, residency and DMA engine, as values that do not change."""

import dataclasses
from typing import NamedTuple

from mcos_hw.link.movement import State

__all__ = [
    "Command",
    "Completion",
    "End",
    "Entry",
    "Job",
    "Place",
]


class Place(NamedTuple):
    """A frame."""

    tier: int
    frame: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a client wants, see :func:`mcos_hw.link.movement.movement_command_layout`."""

    number: int
    tenant: int
    operation: int
    object: int
    version: int = 0
    term: int = 0
    tier: int = 0
    fallback: int = 0
    urgency: int = 0
    readers: int = 0
    checksum: int = 0
    checks: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What became of a command, see :func:`mcos_hw.link.movement.completion_layout`."""

    number: int
    tenant: int
    outcome: int
    reason: int
    tier: int = 0
    address: int = 0
    version: int = 0
    term: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of an object, see :func:`mcos_hw.link.movement.entry_layout`.

    ``backing`` is the frame of its clean copy, None if it has none.
    """

    object: int
    tenant: int
    at: Place
    expires: int
    term: int = 1
    readers: int = 0
    version: int = 0
    state: int = State.RESIDENT
    job: int = 0
    backing: Place | None = None
    pinned: bool = False
    checksum: int = 0
    checks: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A movement of a frame, see :func:`mcos_hw.link.job.job_layout`."""

    number: int
    tenant: int
    urgency: int
    source: int
    target: int
    beats: int
    rows: int = 1
    source_stride: int = 0
    target_stride: int = 0
    fills: int = 0
    checks: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a job ended, see :func:`mcos_hw.link.job.end_layout`."""

    number: int
    end: int
    checksum: int = 0
