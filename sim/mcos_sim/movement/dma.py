"""The DMA engine: its jobs, both sides and the line between them."""

import dataclasses
from collections.abc import Callable, Sequence

from mcos_hw.config import FabricConfig, MovementConfig, PortConfig
from mcos_sim.movement import jobs, line, read_engine, write_engine
from mcos_sim.movement.checksum import crc32c
from mcos_sim.movement.fragments import Acknowledged, Fetch, Fragment, Returned
from mcos_sim.movement.words import End, Job

__all__ = [
    "Dma",
    "Inputs",
    "Outputs",
    "PortInputs",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PortInputs:
    """Signals from the inner port in one clock; what memory does, once for each channel."""

    places: int
    read_ready: bool
    write_ready: bool
    returned: Sequence[Returned | None]
    fetch: Sequence[Fetch | None]
    acknowledged: Sequence[Acknowledged | None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Inputs of one clock."""

    job: Job | None
    abort: int | None
    end_ready: bool
    port: PortInputs


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What goes out in the same clock."""

    end: End | None
    read: Fragment | None
    write: Fragment | None
    fetched: tuple[int | None, ...]
    """Bytes of the beat that each channel fetched two clocks before."""


class Dma:
    """The model of :class:`mcos_hw.movement.dma.Dma`, equal in each clock.

    The checksum of a job that did not copy a whole frame means nothing, and is 0 here.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    port : PortConfig
        Sizes of the engine's port.
    movement : MovementConfig
        Sizes of the engines.
    channel_of : Callable[[int], int]
        The channel of an address.
    """

    def __init__(
        self,
        fabric: FabricConfig,
        port: PortConfig,
        movement: MovementConfig,
        channel_of: Callable[[int], int],
    ) -> None:
        self.fabric = fabric
        self.movement = movement
        self.jobs = jobs.Jobs(fabric, movement)
        self.reads = read_engine.ReadEngine(fabric, port, channel_of)
        self.line = line.Line()
        self.writes = write_engine.WriteEngine(fabric, port, channel_of)
        self._copied: dict[int, dict[int, int]] = {}
        """The beats of each job that passed, by their place in the frame."""

        self._place = 0
        """Beats of the current piece that passed."""

    @property
    def end(self) -> End | None:
        """The end that is offered."""
        return self.jobs.end

    def step(self, inputs: Inputs) -> Outputs:
        """One clock. What a part shows does not depend on who takes it, so it is asked first."""
        port, data = inputs.port, self.reads.data
        moved = self.line.moved(data)
        written = self.writes.step(
            write_engine.Inputs(
                moved=moved,
                write_ready=port.write_ready,
                fetch=port.fetch,
                acknowledged=port.acknowledged,
            )
        )
        passed = self.line.step(
            line.Inputs(
                arrived=self.reads.arrived,
                stopped=self.jobs.stopped,
                moved_ready=written.moved_ready,
                data=data,
            )
        )
        to_jobs = jobs.Inputs(
            job=inputs.job,
            abort=inputs.abort,
            places=port.places,
            written=written.written,
            dropped=passed.dropped,
            end_ready=inputs.end_ready,
            checksum=self._checksum(self.jobs.ending),
        )
        read = self.reads.step(
            read_engine.Inputs(
                piece=self.jobs.piece(to_jobs),
                read_ready=port.read_ready,
                returned=port.returned,
                arrived_ready=passed.arrived_ready,
                find=passed.find,
                read=passed.read,
                last=passed.last,
            )
        )
        told = self.jobs.step(dataclasses.replace(to_jobs, piece_ready=read.piece_ready))
        if inputs.job is not None:
            self._copied[inputs.job.number] = {}
        if moved is not None and written.moved_ready:
            self._pass(moved)
        return Outputs(
            end=told.end, read=read.fragment, write=written.fragment, fetched=written.fetched
        )

    def _pass(self, moved: line.Moved) -> None:
        """A beat goes to the write side."""
        if moved.checks:
            within = moved.target % self.movement.frame_bytes // self.fabric.beat_bytes
            self._copied[moved.number][within + self._place] = moved.data
        self._place = 0 if moved.last else self._place + 1

    def _checksum(self, number: int | None) -> int:
        """The checksum of a job, once all of its frame has passed."""
        beats = self._copied.get(number, {}) if number is not None else {}
        if len(beats) != self.movement.frame_beats(self.fabric):
            return 0
        each = self.fabric.beat_bytes
        return crc32c(b"".join(beats[k].to_bytes(each, "little") for k in sorted(beats)))
