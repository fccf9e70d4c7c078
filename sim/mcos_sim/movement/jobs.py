"""The jobs of the DMA engine: which one gives the next piece, and when one has ended."""

import dataclasses
from collections.abc import Iterator

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.job import End as HowEnded
from mcos_sim.movement.checksum import weight_of
from mcos_sim.movement.words import End, Job

__all__ = [
    "Inputs",
    "Jobs",
    "Outputs",
    "Piece",
    "Settled",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a job, see :func:`mcos_hw.link.piece.piece_layout`."""

    number: int
    tenant: int
    source: int
    target: int
    beats: int
    fills: int
    checks: int
    first: int
    weight: int


@dataclasses.dataclass(frozen=True, slots=True)
class Settled:
    """Nothing of a piece of this job is under way any more."""

    number: int
    failed: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Inputs of one clock."""

    job: Job | None = None
    abort: int | None = None
    places: int = 0
    """Bit t: a fragment of tenant t would land."""

    piece_ready: bool = False
    written: Settled | None = None
    dropped: Settled | None = None
    end_ready: bool = False
    checksum: int = 0
    """The checksum of the job that is ``ending``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What goes out in the same clock."""

    piece: Piece | None
    end: End | None
    stopped: int
    """Bit j: no more pieces of job j are written."""

    ending: int | None
    """The job whose end is offered next."""


def cut(fabric: FabricConfig, movement: MovementConfig, job: Job) -> Iterator[tuple[Piece, bool]]:
    """The pieces of a job, and whether each is the last.

    A piece ends where the row does, and where a block of ``l_max`` ends on either side; on the one
    that is written if it fills.
    """
    block, beat_bytes = fabric.channel.l_max, fabric.beat_bytes
    space = 1 << fabric.channel.address_width
    count = 0
    for row in range(job.rows):
        source = (job.source + row * job.source_stride) % space
        target = (job.target + row * job.target_stride) % space
        left = job.beats
        while left:
            sides = (target,) if job.fills else (source, target)
            beats = min(left, *((block - side % block) // beat_bytes for side in sides))
            left -= beats
            yield (
                Piece(
                    number=job.number,
                    tenant=job.tenant,
                    source=source,
                    target=target,
                    beats=beats,
                    fills=job.fills,
                    checks=job.checks,
                    first=int(count == 0),
                    weight=weight_of(fabric, movement, count),
                ),
                left == 0 and row == job.rows - 1,
            )
            source = (source + beats * beat_bytes) % space
            target = (target + beats * beat_bytes) % space
            count += 1


@dataclasses.dataclass(slots=True)
class _Progress:
    """A job that has not ended, and how far it is."""

    job: Job
    order: int
    """When it came: a count of jobs."""

    pieces: Iterator[tuple[Piece, bool]]
    next: tuple[Piece, bool]
    under_way: int = 0
    """Pieces that were given and are not settled."""

    failures: set[HowEnded] = dataclasses.field(default_factory=set)

    @property
    def precedence(self) -> tuple[int, int]:
        return self.job.urgency, self.order


class Jobs:
    """The model of :class:`mcos_hw.movement.jobs.Jobs`, equal in each clock.

    A job is *current*, or it waits, or it gives no more pieces. The choice among those that wait is
    a clock old when it is used. :meth:`step` is one clock.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.
    """

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        self._present: dict[int, _Progress] = {}
        self._waits: set[int] = set()
        self._current: int | None = None
        self._best: int | None = None
        """Who was the first of those that wait, a clock ago."""

        self._end: End | None = None
        self._came = 0
        self._stopped: set[int] = set()
        """Jobs that have stopped; until another one has the number."""

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to do."""
        return not self._present and self._end is None

    @property
    def stopped(self) -> int:
        """Bit j: no more pieces of job j are written."""
        return sum(1 << j for j in self._stopped)

    @property
    def end(self) -> End | None:
        """The end that is offered."""
        return self._end

    @property
    def ending(self) -> int | None:
        """The job whose end is offered next."""
        return min(self._over(), default=None)

    def piece(self, inputs: Inputs) -> Piece | None:
        """The piece that is offered in this clock; whether it is taken does not matter."""
        if self._current is None:
            return None
        current = self._present[self._current]
        stops = current.failures or self._current in self._failures(inputs)
        return None if stops or not self._has_place(current.job, inputs) else current.next[0]

    def step(self, inputs: Inputs) -> Outputs:
        """One clock."""
        failures = self._failures(inputs)
        stops = {j for j, each in self._present.items() if each.failures or j in failures}
        current = self._present[self._current] if self._current is not None else None
        stuck = current is not None and not self._has_place(current.job, inputs)
        stays = current is not None and self._current not in stops
        piece = self.piece(inputs)
        outputs = Outputs(piece=piece, end=self.end, stopped=self.stopped, ending=self.ending)

        given = piece is not None and inputs.piece_ready
        finishes = current is not None and given and current.next[1]
        may = [
            self._present[j]
            for j in self._waits - stops
            if self._has_place(self._present[j].job, inputs)
        ]
        free = current is None or stuck
        arrives = (
            inputs.job is not None
            and all(each.job.urgency > inputs.job.urgency for each in may)
            and (free or inputs.job.urgency < current.job.urgency)
        )
        loads = (
            inputs.job is None
            and self._best is not None
            and self._best in self._waits - stops
            and (free or self._present[self._best].job.urgency < current.job.urgency)
        )
        if current is not None and given:
            current.under_way += 1
            if not finishes:
                current.next = next(current.pieces)
        self._waits -= stops
        if (arrives or loads) and stays and not finishes:
            assert self._current is not None
            self._waits.add(self._current)
        if arrives:
            assert inputs.job is not None
            self._current = inputs.job.number
        elif loads:
            assert self._best is not None
            self._waits.remove(self._best)
            self._current = self._best
        elif not stays or finishes:
            self._current = None
        self._best = min(may, key=lambda each: each.precedence).job.number if may else None
        # An end offered in the next clock was decided before the inputs of this one count.
        self._offer(outputs.ending, inputs)
        self._settle(inputs, failures)
        if inputs.job is not None:
            self._begin(inputs.job, waits=not arrives)
        return outputs

    @staticmethod
    def _has_place(job: Job, inputs: Inputs) -> bool:
        return bool(inputs.places >> job.tenant & 1)

    def _failures(self, inputs: Inputs) -> dict[int, set[HowEnded]]:
        """Why jobs stop in this clock."""
        causes: dict[int, set[HowEnded]] = {}
        if inputs.abort is not None:
            causes.setdefault(inputs.abort, set()).add(HowEnded.ABORTED)
        if inputs.dropped is not None and inputs.dropped.failed:
            causes.setdefault(inputs.dropped.number, set()).add(HowEnded.READ_ERROR)
        if inputs.written is not None and inputs.written.failed:
            causes.setdefault(inputs.written.number, set()).add(HowEnded.WRITE_ERROR)
        return {j: ways for j, ways in causes.items() if j in self._present}

    def _over(self) -> list[int]:
        """Jobs that give no more pieces, and of which none is under way."""
        return [
            j
            for j, each in self._present.items()
            if j != self._current and j not in self._waits and not each.under_way
        ]

    def _settle(self, inputs: Inputs, failures: dict[int, set[HowEnded]]) -> None:
        """Pieces of which nothing is under way any more, and jobs that stop."""
        for settled in (inputs.written, inputs.dropped):
            if settled is not None:
                self._present[settled.number].under_way -= 1
        for j, ways in failures.items():
            self._stopped.add(j)
            if j in self._present:
                self._present[j].failures |= ways

    def _offer(self, ending: int | None, inputs: Inputs) -> None:
        """Offers the end of a job once the one before is taken."""
        if self._end is not None and not inputs.end_ready:
            return
        self._end = None
        if ending is not None:
            how = min(self._present.pop(ending).failures, default=HowEnded.DONE)
            self._end = End(number=ending, end=how, checksum=inputs.checksum)

    def _begin(self, job: Job, *, waits: bool) -> None:
        """A job came."""
        pieces = cut(self.fabric, self.movement, job)
        self._present[job.number] = _Progress(job, self._came, pieces, next(pieces))
        self._stopped.discard(job.number)
        self._came += 1
        if waits:
            self._waits.add(job.number)
