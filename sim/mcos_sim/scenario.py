"""One run of the hardware: what is asked, under which image, of which memory, for how long."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.memory.simple import SIMPLE
from mcos_sim.traffic.stream import Stream

if TYPE_CHECKING:
    from mcos_sim.memory.hbm.counts import MemoryCounts
    from mcos_sim.memory.memory import MemoryBehind

__all__ = [
    "FIRST_CLOCK",
    "LIVE_CLOCK",
    "RunResult",
    "Scenario",
    "TenantResult",
    "Window",
]


FIRST_CLOCK = 1024
"""Clock in which requesters begin, counted from reset; by then the image is live on any engine."""

LIVE_CLOCK = FIRST_CLOCK - 16
"""Clock in which the image becomes live where an engine chooses it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """Clocks whose waveform is written.

    Parameters
    ----------
    path : pathlib.Path
        VCD file.
    first, end : int
        First clock, and the clock after the last.
    focus : int or None
        Clock at which a viewer opens; the first one if None.
    """

    path: Path
    first: int
    end: int
    focus: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenario:
    """One run.

    Parameters
    ----------
    name : str
        Names the run's folder.
    arbiter : ArbiterKind
        Which arbiter the hardware is built with.
    config : ChannelConfig
        Sizes.
    image : tuple[int, ...]
        Words of the image that is loaded and committed first.
    streams : tuple[Stream, ...]
        Requesters.
    clocks : int
        Clock at which the run ends, if the requesters are not done before.
    memory_latency : int
        Clocks from a command's last byte to its completion.
    memory_credit : int
        Bytes that the memory port holds, at most.
    memory : MemoryBehind
        What is behind the port.
    seed : int
        Seed of the random pauses.
    contract : str
        Name of the contract that the image is of; empty if it is of none.
    offer_pause, command_pause : float
        Probability that in a clock nothing is offered, or that the memory port is not ready.
    window : Window or None
        Waveform to write.
    keep_requests : bool
        Whether clocks of every request are kept; otherwise those of steps only, for runs of
        hundreds of millions of requests. The cocotb engine keeps them always.
    """

    name: str
    arbiter: ArbiterKind
    config: ChannelConfig
    image: tuple[int, ...]
    streams: tuple[Stream, ...]
    clocks: int
    memory_latency: int
    memory_credit: int
    seed: int
    memory: MemoryBehind = SIMPLE
    contract: str = ""
    offer_pause: float = 0.0
    command_pause: float = 0.0
    window: Window | None = None
    keep_requests: bool = True

    def __post_init__(self) -> None:
        tags = [stream.tag for stream in self.streams]
        if len(set(tags)) != len(tags):
            raise ValueError(f"streams of {self.name!r} must have different tags, not {tags}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantResult:
    """What one tenant saw. All arrays are int64 and count clocks since reset.

    Parameters
    ----------
    name, tag : str, int
        Tenant.
    sizes : numpy.ndarray
        Shape (offered,): bytes of each request.
    offered, taken, granted, completed : numpy.ndarray
        Shapes (offered,), (taken,), (granted,), (offered,): clock of each event by position in the
        stream; ``completed`` is -1 for requests still in the hardware at the end.
    classes : numpy.ndarray
        Shape (granted,): :class:`mcos_hw.registers.GrantClass` of each grant.
    step_started, step_ended : numpy.ndarray
        Shape (steps,): ``step_ended`` is -1 for a step still running at the end.
    bytes_granted : int
        Bytes of all grants, also where requests were not kept and their arrays are empty.
    """

    name: str
    tag: int
    sizes: np.ndarray
    offered: np.ndarray
    taken: np.ndarray
    granted: np.ndarray
    classes: np.ndarray
    completed: np.ndarray
    step_started: np.ndarray
    step_ended: np.ndarray
    bytes_granted: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run gave.

    Parameters
    ----------
    clocks : int
        Clock at which it ended.
    tenants : tuple[TenantResult, ...]
        In the order of the scenario's streams.
    registers : dict[str, list[int]]
        Words of the monitor's registers after the run, by name.
    seconds : float
        Wall time of the simulation.
    memory : MemoryCounts or None
        What an HBM counted.
    """

    clocks: int
    tenants: tuple[TenantResult, ...]
    registers: dict[str, list[int]]
    seconds: float
    memory: MemoryCounts | None = None
