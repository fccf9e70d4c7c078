"""A memory model asked clock by clock, as an environment asks it."""

import numpy as np

from mcos_sim.memory.memory import MemoryModel


class MemoryPort:
    """A memory for a test that asks clock by clock.

    In each clock ask first whether it ``takes`` a command, then give it one, then let it ``serve``.

    Parameters
    ----------
    model : MemoryModel
        What it does in a clock.
    state : numpy.ndarray
        Its state, which is gone on with.
    credit : int
        Bytes it holds, at most.

    Attributes
    ----------
    held : int
        Bytes it holds.
    """

    def __init__(self, model: MemoryModel, state: np.ndarray, *, credit: int) -> None:
        self.model = model
        self.state = state
        self.credit = credit
        self.held = 0
        self._slot = -1
        self._sizes: dict[int, int] = {}

    def takes(self, clock: int) -> bool:
        """Whether the port takes a command in ``clock``, which is the one after the last."""
        self._slot = self.model.serve(self.state, clock)
        return bool(self.model.takes(self.state))

    def room(self, size: int) -> bool:
        """Whether ``size`` bytes more are within the credit."""
        return self.held + size <= self.credit

    def accept(
        self, slot: int, tenant: int, write: int, address: int, size: int, clock: int
    ) -> None:
        """Take a command that crosses the port in the clock that was asked for."""
        self.model.accept(self.state, slot, tenant, write, address, size, clock)
        self.held += size
        self._sizes[slot] = size

    def serve(self, clock: int) -> int | None:
        """The slot that completes in ``clock``, or None."""
        if self._slot < 0:
            return None
        self.held -= self._sizes.pop(self._slot)
        return self._slot
