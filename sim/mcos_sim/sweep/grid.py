"""The points of a sweep: every combination of what is to be tried."""

import dataclasses
import enum
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from mcos_sim.engines.dispatch import Engine
from mcos_sim.memory.name import MemoryName

__all__ = [
    "AXES",
    "Contender",
    "Grid",
    "Hardware",
    "Point",
    "Workload",
]


Hardware = tuple[str, bool, int]
"""A contract, whether it is behind AXI ports, and how many channels there are."""


class Workload(enum.StrEnum):
    """Settings of the essay's workload."""

    LOADED = "loaded"
    SATURATED = "saturated"


class Contender(enum.StrEnum):
    """Arbiters, and the decoders alone: without the prefill, on the FCFS hardware."""

    ALONE = "alone"
    FCFS = "fcfs"
    ROUND_ROBIN = "round-robin"
    FIXED_PRIORITY = "fixed-priority"
    MCOS = "mcos"

    @property
    def run(self) -> str:
        """The run of the essay's comparison that it is, by its key there."""
        return self.name.lower()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """One run of a sweep.

    Parameters
    ----------
    contract : str
        Contract file as it was named.
    workload : Workload
        Setting of the essay's workload.
    arbiter : Contender
        Who chooses the grants.
    engine : Engine
        What it runs on.
    memory : MemoryName
        What is behind each channel.
    channels : int
        Channels that are run, of those of the contract.
    ports : int or None
        AXI ports in front of them. None is one for each of several channels, and none with one.
    seed : int
        Seed of step sizes and compute times.
    clocks : int
        Length of the run.
    prefill_window, decoder_window : int
        Requests that each of them keeps outstanding in each channel.
    prefill_beats, decoder_beats : int or None
        Beats of each request; None takes the workload's own.
    credit : int
        Port credit in multiples of the contract's.
    pacer : bool
        Whether granted bytes are held at the channel's rate.
    """

    contract: str
    workload: Workload
    arbiter: Contender
    engine: Engine
    memory: MemoryName
    channels: int
    ports: int | None
    seed: int
    clocks: int
    prefill_window: int
    decoder_window: int
    prefill_beats: int | None
    decoder_beats: int | None
    credit: int
    pacer: bool

    @property
    def hardware(self) -> Hardware:
        """What its contract is compiled for."""
        return self.contract, self.axi, self.channels

    @property
    def axi(self) -> bool:
        """Whether requests come in at AXI ports."""
        return self.channels > 1 or self.ports is not None


AXES = tuple(field.name for field in dataclasses.fields(Point))
"""What may vary, in the order in which a table lists it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """Values of each axis; the points are their product, the last axis running fastest.

    Parameters
    ----------
    values : dict[str, Sequence]
        The values of each of :data:`AXES`.

    Raises
    ------
    ValueError
        If an axis is missing or unknown, has no value, or has one twice.
    """

    values: dict[str, Sequence[Any]]

    def __post_init__(self) -> None:
        if set(self.values) != set(AXES):
            raise ValueError(f"values must be of {', '.join(AXES)}, not of {sorted(self.values)}")
        for name, values in self.values.items():
            if not values or len(set(values)) != len(values):
                raise ValueError(f"{name} must have values, each of them once, not {list(values)}")

    def __iter__(self) -> Iterator[Point]:
        for values in itertools.product(*(self.values[name] for name in AXES)):
            yield Point(**dict(zip(AXES, values, strict=True)))

    @property
    def varied(self) -> tuple[str, ...]:
        """Axes with more than one value."""
        return tuple(name for name in AXES if len(self.values[name]) > 1)
