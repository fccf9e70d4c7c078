"""What a controller is free to do within what the device allows."""

import dataclasses
import enum

__all__ = [
    "Page",
    "Policy",
    "Refresh",
    "Scheduler",
]


class Scheduler(enum.StrEnum):
    """Which request of a buffer is served next."""

    FCFS = "FCFS-Start"
    """The first one, or none; another buffer's may overtake it.

    Queues are in order of arrival. Requests whose rows are open for them are in the order in which
    these rows were opened.
    """
    FRFCFS = "FRFCFS"
    """The oldest one whose next command the device takes now (Rixner et al., ISCA 2000)."""
    FRFCFS_ROWHIT = "FRFCFS-RowHit"
    """The same, and no row is closed that an older request of the buffer hits."""


class Page(enum.StrEnum):
    """When a row is closed."""

    OPEN = "open"
    """When another row of its bank is asked for."""
    CLOSED = "closed"
    """Also when no request that is queued hits it."""


class Refresh(enum.StrEnum):
    """How rows are refreshed."""

    NONE = "none"
    ALL_BANK = "ab"
    """All banks of a pseudo channel at once, every nREFI."""
    PER_BANK = "pb"
    """One bank after the other, every nREFIpb, the same bank address in every pseudo channel."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Policy:
    """A controller's choices.

    Parameters
    ----------
    scheduler : Scheduler
        Order of requests.
    page : Page
        When rows are closed.
    refresh : Refresh
        How rows are refreshed.
    refresh_blocks_queues : bool
        While a refresh waits, no queued request starts: what Ramulator does. Otherwise only those
        do not that the refresh waits for.
    queue_entries : int
        Places of the read queue, and as many of the write queue.
    drain_from, drain_to : float
        Parts of the write queue: writes go first once more than the one is filled, until less than
        the other is, or none are left, or while there are no reads.

    Raises
    ------
    ValueError
        If ``queue_entries`` is not in 1..64, or the parts are not rising in 0..1.
    """

    scheduler: Scheduler = Scheduler.FRFCFS_ROWHIT
    page: Page = Page.OPEN
    refresh: Refresh = Refresh.ALL_BANK
    refresh_blocks_queues: bool = False
    queue_entries: int = 32
    drain_from: float = 0.8
    drain_to: float = 0.2

    def __post_init__(self) -> None:
        if not 1 <= self.queue_entries <= 64:
            raise ValueError(f"queue_entries must be in 1..64, not {self.queue_entries!r}")
        if not 0 <= self.drain_to <= self.drain_from <= 1:
            raise ValueError(
                "drain_to and drain_from must be rising in 0..1, "
                f"not {self.drain_to!r} and {self.drain_from!r}"
            )
