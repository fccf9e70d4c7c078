"""The movement engines: residency and DMA engine."""

import dataclasses
from collections.abc import Callable, Sequence

from mcos_hw.config import FabricConfig, MovementConfig, PortConfig
from mcos_sim.movement import dma, residency
from mcos_sim.movement.fragments import Fragment
from mcos_sim.movement.words import Completion

__all__ = [
    "Movement",
    "Outputs",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What goes out in one clock."""

    command_ready: bool
    """The command is taken. False if none is offered."""

    completion: Completion | None
    left: tuple[int, ...]
    """Frames of each tier that are not in use."""

    read: Fragment | None
    write: Fragment | None
    fetched: tuple[int | None, ...]
    """Bytes of the beat that each channel fetched two clocks before."""


class Movement:
    """The model of :class:`mcos_hw.movement.movement.Movement`, equal in each clock.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    port : PortConfig
        Sizes of the engine's port.
    movement : MovementConfig
        Sizes of the engines.
    bases : Sequence[int]
        Address of frame 0 of each tier.
    movement_tags : Sequence[int]
        Who is charged for what is moved for each tenant.
    channel_of : Callable[[int], int]
        The channel of an address.
    """

    def __init__(
        self,
        fabric: FabricConfig,
        port: PortConfig,
        movement: MovementConfig,
        *,
        bases: Sequence[int],
        movement_tags: Sequence[int],
        channel_of: Callable[[int], int],
    ) -> None:
        self.residency = residency.Residency(
            fabric, movement, bases=bases, movement_tags=movement_tags
        )
        self.dma = dma.Dma(fabric, port, movement, channel_of)

    def step(self, inputs: residency.Inputs, port: dma.PortInputs) -> Outputs:
        """One clock. The end of a job that ``inputs`` have is not looked at: it is the engine's."""
        known = self.residency.step(dataclasses.replace(inputs, end=self.dma.end))
        moved = self.dma.step(
            dma.Inputs(job=known.job, abort=known.abort, end_ready=known.end_ready, port=port)
        )
        return Outputs(
            command_ready=known.command_ready,
            completion=known.completion,
            left=known.left,
            read=moved.read,
            write=moved.write,
            fetched=moved.fetched,
        )
