"""Request streams: what a requester asks of the memory, as numpy structured arrays."""

import dataclasses

import numpy as np
from numpy.typing import DTypeLike

__all__ = [
    "REQUEST",
    "STEP",
    "Stream",
]


REQUEST: DTypeLike = np.dtype([("op", np.uint8), ("beats", np.uint8), ("address", np.uint64)])
"""One request: direction (0 read, 1 write), length in beats, byte address."""

STEP: DTypeLike = np.dtype(
    [
        ("first", np.uint32),
        ("count", np.uint32),
        ("ready", np.uint64),
        ("compute", np.uint64),
    ]
)
"""One step, ``count`` requests from index ``first``.

A closed-loop step starts ``compute`` clocks after the last response of the step before, and not
before clock ``ready``. An open-loop step starts at clock ``ready`` whatever the others do.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stream:
    """Everything one requester will ask for.

    Parameters
    ----------
    name : str
        Tenant name.
    tag : int
        Tenant tag.
    window : int
        Requests the requester keeps outstanding, at most.
    closed : bool
        Whether a step waits for the one before it.
    requests : numpy.ndarray
        Shape (requests,), dtype :data:`REQUEST`.
    steps : numpy.ndarray
        Shape (steps,), dtype :data:`STEP`, covering ``requests`` in order without gaps.
    until : int or None
        Clock from which on nothing new is asked for; None asks for everything.
    repeat : int
        How many times all of it is asked for, one after the other; only of closed streams.
    stamp_age : int
        Clocks that the stamps of its requests are before their offers: checks of the monitor ask
        for latencies that no run has the time to wait for.
    """

    name: str
    tag: int
    window: int
    closed: bool
    requests: np.ndarray
    steps: np.ndarray
    until: int | None = None
    repeat: int = 1
    stamp_age: int = 0

    def __post_init__(self) -> None:
        if self.requests.dtype != REQUEST or self.steps.dtype != STEP:
            raise TypeError(
                f"requests and steps of {self.name!r} must have dtypes REQUEST and STEP, "
                f"not {self.requests.dtype!r} and {self.steps.dtype!r}"
            )
        if self.window < 1:
            raise ValueError(f"window of {self.name!r} must be at least 1, not {self.window!r}")
        if self.repeat < 1 or (self.repeat > 1 and not self.closed):
            raise ValueError(
                f"repeat of {self.name!r} must be at least 1, and 1 unless it is closed, "
                f"not {self.repeat!r}"
            )
        ends = np.cumsum(self.steps["count"], dtype=np.int64)
        firsts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
        if len(ends) and (
            np.any(self.steps["count"] == 0)
            or np.any(self.steps["first"] != firsts)
            or ends[-1] != len(self.requests)
        ):
            raise ValueError(
                f"steps of {self.name!r} must cover its {len(self.requests)} requests in order"
            )
