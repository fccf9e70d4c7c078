"""What a memory behind a channel has to offer, to a scenario and clock by clock.

A memory is told in three words. ``serve`` moves it on by a clock and says which command completes.
``takes`` says whether the port takes a command in that clock. ``accept`` gives it the command. The
environment of the model and of the verilated RTL is compiled around these functions; a bench in
Python calls them through a :class:`MemoryPort`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from mcos_hw.config import ChannelConfig

__all__ = [
    "MemoryBehind",
    "MemoryModel",
    "MemoryPort",
]


class MemoryModel(Protocol):
    """Functions over a memory's state, a flat array of int64; all of them are compiled.

    A module with these functions is a model. In each clock that is not skipped, the environment
    calls ``serve``, then ``takes``, then ``accept`` if a command crosses the port.
    """

    def __hash__(self) -> int:
        """Code is compiled once for each model."""
        ...

    @property
    def __name__(self) -> str:
        """Name by which the bench in the simulator imports it."""
        ...

    @property
    def serve(self) -> Callable:
        """``serve(state, clock)``: run the clock; the slot that completes in it, or -1."""
        ...

    @property
    def takes(self) -> Callable:
        """``takes(state)``: whether the port takes a command in the clock that was run."""
        ...

    @property
    def accept(self) -> Callable:
        """``accept(state, slot, tenant, write, address, size, clock)``: take a command.

        ``slot`` names the command until it completes, in a later clock.
        """
        ...

    @property
    def quiet_until(self) -> Callable:
        """``quiet_until(state, clock)``: first clock from ``clock`` on in which it may act."""
        ...


class MemoryBehind(Protocol):
    """A memory as a scenario declares it."""

    @property
    def model(self) -> MemoryModel:
        """What it does in a clock."""
        ...

    def state(self, config: ChannelConfig, *, latency: int, first_clock: int) -> np.ndarray:
        """Its state in the first clock.

        Parameters
        ----------
        config : ChannelConfig
            Sizes of the channel in front of it.
        latency : int
            Clocks that each command needs on top of what the memory itself needs.
        first_clock : int
            Clock before which nothing happens.
        """
        ...

    def counts(self, state: np.ndarray, config: ChannelConfig) -> Any:
        """What its state has counted; None for one that counts nothing."""
        ...


class MemoryPort:
    """A memory for a bench that asks clock by clock.

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
