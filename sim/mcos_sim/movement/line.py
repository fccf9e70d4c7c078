"""The line between the two sides of the DMA engine."""

import dataclasses

from mcos_sim.movement.jobs import Settled
from mcos_sim.movement.read_engine import Arrived, Beat

__all__ = [
    "Inputs",
    "Line",
    "Moved",
    "Outputs",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A beat that is written, see :func:`mcos_hw.link.piece.moved_layout`."""

    number: int
    tenant: int
    target: int
    beats: int
    last: bool
    data: int
    checks: bool = False
    """Its job wants a checksum; the write side does not know."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Inputs of one clock."""

    arrived: Arrived | None
    stopped: int
    """Bit j: no more pieces of job j are written."""

    moved_ready: bool
    data: int | None
    """Bytes of the beat that was taken last."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What goes out in the same clock."""

    arrived_ready: bool
    """The line has room for a piece."""

    find: Beat | None
    read: bool
    """The beat that was found last is taken, if it is one that was read."""

    last: bool
    """That is the last one of its piece."""

    moved: Moved | None
    dropped: Settled | None


@dataclasses.dataclass(frozen=True, slots=True)
class _Passing:
    """A beat of a piece on the line."""

    arrived: Arrived
    drops: bool
    place: int

    @property
    def last(self) -> bool:
        return self.place == self.arrived.piece.beats - 1


class Line:
    """The model of :class:`mcos_hw.movement.line.Line`, equal in each clock; it has no checksums.

    A beat is looked for, found, and shown, a clock each.
    """

    def __init__(self) -> None:
        self._looking: _Passing | None = None
        self._found: _Passing | None = None
        self._shown: _Passing | None = None

    def moved(self, data: int | None) -> Moved | None:
        """The beat that is offered to the write side, with its bytes."""
        shown = self._shown
        return _moved(shown, data) if shown is not None and not shown.drops else None

    def step(self, inputs: Inputs) -> Outputs:
        """One clock."""
        looking, found, shown = self._looking, self._found, self._shown
        goes = shown is None or shown.drops or inputs.moved_ready
        reads = found is not None and goes
        finds = looking is not None and (found is None or reads)
        find = None
        if finds and looking is not None and looking.arrived.entry is not None:
            find = Beat(looking.arrived.entry, looking.place)
        over = looking is None or (finds and looking.last)
        outputs = Outputs(
            arrived_ready=over,
            find=find,
            read=reads and found is not None and found.arrived.entry is not None,
            last=found is not None and found.last,
            moved=self.moved(inputs.data),
            dropped=_dropped(shown) if shown is not None and shown.drops and shown.last else None,
        )
        if goes:
            self._shown = found
        if finds or reads:
            self._found = looking if finds else None
        if over:
            self._looking = self._enter(inputs)
        elif finds and looking is not None:
            self._looking = dataclasses.replace(looking, place=looking.place + 1)
        return outputs

    @staticmethod
    def _enter(inputs: Inputs) -> _Passing | None:
        """A piece enters. It is dropped if it failed or its job has stopped."""
        arrived = inputs.arrived
        if arrived is None:
            return None
        stopped = bool(inputs.stopped >> arrived.piece.number & 1)
        return _Passing(arrived, arrived.failed or stopped, 0)


def _moved(shown: _Passing, data: int | None) -> Moved:
    piece = shown.arrived.piece
    fills = shown.arrived.entry is None
    assert fills or data is not None
    return Moved(
        number=piece.number,
        tenant=piece.tenant,
        target=piece.target,
        beats=piece.beats,
        last=shown.last,
        data=0 if fills or data is None else data,
        checks=bool(piece.checks),
    )


def _dropped(shown: _Passing) -> Settled:
    return Settled(shown.arrived.piece.number, shown.arrived.failed)
