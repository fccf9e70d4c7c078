"""What an HBM channel did, by tenant."""

import dataclasses

import numpy as np

from mcos_sim.memory.hbm.constraint import Command

__all__ = ["MemoryCounts"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemoryCounts:
    """What an HBM channel did in a run.

    Parameters
    ----------
    classes : numpy.ndarray
        Shape (tenants, 3): bursts of each tenant that hit the open row, found the bank closed, and
        found another row open.
    reads, writes : numpy.ndarray
        Shape (tenants,): bursts.
    commands : dict[Command, int]
        Commands issued.
    burst_bytes : int
        Bytes of a burst.
    """

    classes: np.ndarray
    reads: np.ndarray
    writes: np.ndarray
    commands: dict[Command, int]
    burst_bytes: int

    def __add__(self, other: "MemoryCounts") -> "MemoryCounts":
        """What two channels of the same memory did."""
        return MemoryCounts(
            classes=self.classes + other.classes,
            reads=self.reads + other.reads,
            writes=self.writes + other.writes,
            commands={
                command: self.commands.get(command, 0) + other.commands.get(command, 0)
                for command in self.commands | other.commands
            },
            burst_bytes=self.burst_bytes,
        )

    @property
    def bursts(self) -> int:
        """All of them."""
        return int(self.classes.sum())

    @property
    def row_changes(self) -> float:
        """Part of the bursts that did not find their row open."""
        return float(self.classes[:, 1:].sum() / max(self.bursts, 1))
