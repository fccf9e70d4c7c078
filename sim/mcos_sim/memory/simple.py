"""A memory of fixed latency and rate: the simplest thing behind a channel."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from mcos_sim.memory import simple_port

if TYPE_CHECKING:
    from mcos_hw.config import ChannelConfig
    from mcos_sim.memory.memory import MemoryModel

__all__ = [
    "SIMPLE",
    "SimpleMemory",
    "simple_state",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SimpleMemory:
    """Passes the channel's r bytes a clock in order; a fixed latency later a command completes.

    At most one command completes in a clock.
    """

    @property
    def model(self) -> MemoryModel:
        """What it does in a clock."""
        return simple_port

    def state(self, config: ChannelConfig, *, latency: int, first_clock: int) -> np.ndarray:
        """Its state in the first clock, holding nothing."""
        return simple_state(
            latency=latency, bytes_per_clock=config.bytes_per_clock, slots=config.slots
        )

    def counts(self, state: np.ndarray, config: ChannelConfig) -> None:
        """It counts nothing."""


SIMPLE = SimpleMemory()
"""The memory of a scenario that declares none."""


def simple_state(*, latency: int, bytes_per_clock: int, slots: int) -> np.ndarray:
    """The state of a memory that holds nothing, for :mod:`mcos_sim.memory.simple_port`.

    Parameters
    ----------
    latency : int
        Clocks from the last byte of a command to its completion.
    bytes_per_clock : int
        Rate.
    slots : int
        Commands that it may hold, a power of two.

    Raises
    ------
    ValueError
        If the latency or the rate is below 1.
    """
    for name, value in (("latency", latency), ("bytes_per_clock", bytes_per_clock)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value!r}")
    state = np.zeros(simple_port.RING + simple_port.RING_ROW * slots, dtype=np.int64)
    state[simple_port.RATE] = bytes_per_clock
    state[simple_port.LATENCY] = latency
    state[simple_port.MASK] = slots - 1
    return state
