"""What a memory behind a channel has to offer, to a scenario and clock by clock.

A memory is told in three words. ``serve`` moves it on by a clock and says which command completes.
``takes`` says whether the port takes a command in that clock. ``accept`` gives it the command. The
environment of every engine is compiled around these functions.
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
