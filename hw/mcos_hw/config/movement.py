"""Sizes of the movement engines: what they know, and what they have under way."""

import dataclasses
from collections.abc import Mapping

from mcos_hw.config.channel import require_range
from mcos_hw.config.fabric import FabricConfig

__all__ = [
    "FRAMES_RANGE",
    "MOVEMENT_POWERS_OF_TWO",
    "MOVEMENT_RANGES",
    "TIERS",
    "MovementConfig",
]


TIERS = 6
"""Tiers that a fabric may have, from the fastest to the slowest."""

FRAMES_RANGE = (4, 1 << 16)
"""Least and largest number of frames of a tier."""

MOVEMENT_RANGES: Mapping[str, tuple[int, int]] = {
    "frame_bytes": (256, 2 << 20),
    "jobs": (4, 32),
    "rows": (1, 1 << 16),
    "table_rows": (4, 1 << 14),
    "parked": (2, 256),
    "commands": (2, 64),
}
"""Least and largest value of each size."""

MOVEMENT_POWERS_OF_TWO = ("frame_bytes", "jobs", "table_rows", "parked", "commands")
"""Sizes that are a power of two."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MovementConfig:
    """Sizes of the engines that move data between places of a fabric's memories.

    Parameters
    ----------
    frame_bytes : int
        Bytes of a frame, what one object fills; a power of two. Boards have 64 KiB to 2 MiB,
        simulations may have less.
    jobs : int
        Movements that the DMA engine holds, one of them chosen for each piece; a power of two.
    rows : int
        Rows of one movement, at most.
    table_rows : int
        Rows of each half of the residency table, of four objects each; a power of two.
    parked : int
        Commands that may wait for a movement that another one began; a power of two.
    commands : int
        Commands that each client may have given whose completions it has not taken; a power of two.
    frames : tuple[int, ...]
        Frames of each tier, from tier 0 on; a power of two, or 0 where there is no such tier.

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If a size is out of its range, or not a power of two where one is needed.
    """

    frame_bytes: int = 64 << 10
    jobs: int = 16
    rows: int = 4096
    table_rows: int = 256
    parked: int = 16
    commands: int = 8
    frames: tuple[int, ...] = (0, 256, 1024)

    def __post_init__(self) -> None:
        for name, (low, high) in MOVEMENT_RANGES.items():
            require_range(name, getattr(self, name), low, high)
        for name in MOVEMENT_POWERS_OF_TWO:
            value = getattr(self, name)
            if value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value!r}")
        if not 1 <= len(self.frames) <= TIERS:
            raise ValueError(f"frames must be of 1 to {TIERS} tiers, not of {len(self.frames)}")
        for tier, count in enumerate(self.frames):
            if count:
                require_range(f"frames of tier {tier}", count, *FRAMES_RANGE)
            if count & (count - 1):
                raise ValueError(f"frames of tier {tier} must be a power of two, not {count!r}")

    @property
    def job_width(self) -> int:
        """Bits of a job's number."""
        return (self.jobs - 1).bit_length()

    @property
    def rows_width(self) -> int:
        """Bits that hold the rows of a job."""
        return self.rows.bit_length()

    @property
    def tier_width(self) -> int:
        """Bits of a tier's number."""
        return max(1, (len(self.frames) - 1).bit_length())

    @property
    def frame_width(self) -> int:
        """Bits of a frame's number within its tier."""
        return (max(self.frames) - 1).bit_length()

    def frame_beats(self, fabric: FabricConfig) -> int:
        """Memory beats of a frame.

        Raises
        ------
        ValueError
            If a frame is not longer than the longest request.
        """
        if self.frame_bytes <= fabric.channel.l_max:
            raise ValueError(
                f"frame_bytes must be over l_max, {fabric.channel.l_max}, not {self.frame_bytes}"
            )
        return self.frame_bytes // fabric.beat_bytes
