"""What a bench asks of the memory behind a channel, clock by clock."""

from typing import Protocol

__all__ = ["Memory"]


class Memory(Protocol):
    """A memory: in each clock it is asked whether it takes, is given a command, and serves."""

    held: int
    """Bytes it holds."""
    credit: int
    """Bytes it may hold."""

    def takes(self, clock: int) -> bool:
        """Whether the port takes a command in ``clock``."""
        ...

    def room(self, size: int) -> bool:
        """Whether ``size`` bytes more are within the credit."""
        ...

    def accept(
        self, slot: int, tenant: int, write: int, address: int, size: int, clock: int
    ) -> None:
        """Take a command in ``clock``; ``slot`` names it until it is completed."""
        ...

    def serve(self, clock: int) -> int | None:
        """The slot that completes in ``clock``, or None."""
        ...
