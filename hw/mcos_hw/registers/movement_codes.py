"""What clients of the movement engines and the engines say to each other, as numbers."""

import enum

__all__ = [
    "Operation",
    "Outcome",
    "Reason",
    "Urgency",
]


class Operation(enum.IntEnum):
    """What a command wants."""

    PLACE = 0
    """A new object: a frame in ``tier``, else in ``fallback``, and a lease to write it."""
    ACCESS = 1
    """The address of a published version in ``tier`` or a faster one; fetched there if it is in a
    slower one."""
    PREFETCH = 2
    """As ACCESS, but nobody waits for it."""
    MOVE = 3
    """The object into ``tier``, and out of where it was."""
    EVICT = 4
    """Out of its tier: back to its clean copy, else into ``tier``."""
    PIN = 5
    """It stays where it is until UNPIN."""
    UNPIN = 6
    """It may go again."""
    PUBLISH = 7
    """What is written is ``version``, which ``readers`` may access."""
    RENEW = 8
    """The lease of ``term`` goes on; the term after it takes over a lease that has expired."""
    RELEASE = 9
    """Nobody needs the object any more: its frames are free."""
    ABORT = 10
    """The movement of the object that is under way is not wanted any more."""


class Urgency(enum.IntEnum):
    """Which of two jobs goes first: the one with the lower number."""

    DEMAND = 0
    """Somebody waits for the data."""
    DEADLINE = 1
    """A prefetch that is due at a time."""
    ROOM = 2
    """An eviction that another job waits for."""
    SPECULATIVE = 3
    """A prefetch that may be in vain."""
    BACKGROUND = 4
    """Demotion and scrubbing: whenever there is nothing else to do."""


class Outcome(enum.IntEnum):
    """What became of a command. Each has exactly one."""

    DONE = 0
    CLIPPED = 1
    """Done, but not as asked: ``reason`` says what differs."""
    DEFERRED = 2
    """Not now: the same command may succeed later."""
    REJECTED = 3
    """Not allowed."""
    MISSING = 4
    """There is no such object."""


class Reason(enum.IntEnum):
    """Why an outcome is what it is."""

    meaning: str
    """The reason as a clause, for those who only have the code."""

    def __new__(cls, value: int, meaning: str) -> "Reason":
        reason = int.__new__(cls, value)
        reason._value_ = value
        reason.meaning = meaning
        return reason

    NONE = 0, "nothing differs from what was asked"
    UNKNOWN_OBJECT = 1, "no object of this name was placed, or it was released"
    FOREIGN_TENANT = 2, "the object is another tenant's, which does not name this one as a reader"
    WRONG_VERSION = 3, "another version is published, or one that is not newer was to be"
    NOT_PUBLISHED = 4, "nothing of the object is published yet"
    OLD_TERM = 5, "the lease is not of this term"
    LEASE_HELD = 6, "the lease has not expired, so the next term may not take it over"
    EXISTS = 7, "an object of this name is there already"
    TABLE_FULL = 8, "both rows of the table in which the object could be are full"
    NO_FRAME = 9, "the tier has no free frame"
    OVER_QUOTA = 10, "the tenant has as many frames of the tier as it may have"
    NO_TIER = 11, "there is no such tier, or it is down"
    PINNED = 12, "it is pinned and stays where it is"
    BUSY = 13, "it is being moved, and too many commands wait already"
    MALFORMED = 14, "there is no such operation or urgency, or it makes no sense for these tiers"
    FALLBACK_TIER = 15, "it is in its fallback tier"
    READ_ERROR = 16, "memory could not read it"
    WRITE_ERROR = 17, "memory could not write it"
    CHECKSUM = 18, "what was copied is not what was published"
    ABORTED = 19, "it was aborted"
    NOT_MOVING = 20, "nothing of the object is under way"
