"""A memory of fixed latency and rate: the simplest thing behind a channel."""

from collections import deque

__all__ = [
    "SimpleMemory",
]


class SimpleMemory:
    """Serves commands in order at a fixed rate, each a fixed latency after its bytes have passed.

    It takes a command only while the bytes it holds stay at or under its credit. It serves at
    most one command per clock.

    Parameters
    ----------
    latency : int
        Clocks from the last byte of a command to its completion.
    bytes_per_clock : int
        Rate.
    credit : int
        Bytes it holds, at most.

    Raises
    ------
    ValueError
        If a parameter is below 1.
    """

    def __init__(self, *, latency: int, bytes_per_clock: int, credit: int) -> None:
        for name, value in (
            ("latency", latency),
            ("bytes_per_clock", bytes_per_clock),
            ("credit", credit),
        ):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value!r}")
        self.latency = latency
        self.bytes_per_clock = bytes_per_clock
        self.credit = credit
        self.held = 0
        self._passed = 0
        """Clock, times the rate, at which the last byte accepted so far has passed."""
        self._serving: deque[tuple[int, int, int]] = deque()

    def room(self, size: int) -> bool:
        """Whether a command of ``size`` bytes may be accepted now."""
        return self.held + size <= self.credit

    def takes(self, clock: int) -> bool:
        """It always does."""
        return True

    def accept(
        self,
        slot: int,
        tenant: int,
        write: int,
        address: int,
        size: int,
        clock: int,
    ) -> None:
        """Takes a command that crosses the port in ``clock``; only its size counts."""
        self.held += size
        self._passed = max(self._passed, clock * self.bytes_per_clock) + size
        passed_clock = -(-self._passed // self.bytes_per_clock)
        self._serving.append((passed_clock + self.latency, slot, size))

    def serve(self, clock: int) -> int | None:
        """The slot that completes in ``clock``, or None."""
        if not self._serving or self._serving[0][0] > clock:
            return None
        _, slot, size = self._serving.popleft()
        self.held -= size
        return slot
