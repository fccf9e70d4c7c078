"""The read side of the DMA engine: pieces become fragments, and their beats come back."""

import dataclasses
from collections.abc import Callable, Sequence

from mcos_hw.config import FabricConfig, PortConfig
from mcos_sim.movement.fragments import Fragment, Returned
from mcos_sim.movement.gather import Gather
from mcos_sim.movement.jobs import Piece
from mcos_sim.movement.queues import Backlog, FreeList

__all__ = [
    "Arrived",
    "Beat",
    "Inputs",
    "Outputs",
    "ReadEngine",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A piece that can be written: its beats have all come, or it fills. Then there is no entry."""

    piece: Piece
    entry: int | None = None
    channel: int = 0
    failed: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Beat:
    """A beat of a read fragment."""

    entry: int
    place: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Inputs of one clock."""

    piece: Piece | None
    read_ready: bool
    returned: Sequence[Returned | None]
    """From each channel."""

    arrived_ready: bool
    find: Beat | None
    """The line looks for this beat."""

    read: bool
    """It takes the beat that was found last."""

    last: bool
    """That is the last one of its fragment."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What goes out in the same clock."""

    piece_ready: bool
    """The piece is taken. False if none is offered."""

    fragment: Fragment | None
    arrived: Arrived | None
    data: int | None
    """Bytes of the beat that was taken last; None before the first."""


class _Room:
    """Units of a channel's bank that are not reserved.

    There is room while the longest fragment fits. A unit counts again three clocks after its beat
    was taken.
    """

    def __init__(self, units: int, most: int) -> None:
        self.is_there = True
        self._free = units
        self._most = most
        self._taken = (False, False)

    def step(self, *, reserves: int, takes: bool) -> None:
        before, counts = self._taken
        self._taken = takes, before
        self._free += counts - reserves
        self.is_there = self._free >= self._most


class ReadEngine:
    """The model of :class:`mcos_hw.movement.read_engine.ReadEngine`, equal in each clock.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    port : PortConfig
        Sizes of the engine's port.
    channel_of : Callable[[int], int]
        The channel of an address.
    """

    def __init__(
        self, fabric: FabricConfig, port: PortConfig, channel_of: Callable[[int], int]
    ) -> None:
        self._channel_of = channel_of
        units = port.read_units // fabric.channels
        self._room = [_Room(units, fabric.channel.max_beats) for _ in range(fabric.channels)]
        self._entries = FreeList(port.reads)
        self._fragment: Fragment | None = None
        self._filling: Piece | None = None
        self._kept: dict[int, tuple[Piece, int]] = {}
        """The piece that each entry is, and its channel."""

        self._beats: dict[int, list[int]] = {}
        """What came of each entry."""

        self._wrong: set[int] = set()
        self._gather: Gather[tuple[int, bool]] = Gather(fabric.channels)
        self._ended: Backlog[tuple[int, bool]] = Backlog()
        self._arrived: Arrived | None = None
        self._found: Beat | None = None
        self._data: int | None = None
        self._given: int | None = None

    @property
    def arrived(self) -> Arrived | None:
        """The piece that is offered to the line."""
        if self._arrived is None and self._filling is not None:
            return Arrived(piece=self._filling)
        return self._arrived

    @property
    def data(self) -> int | None:
        """Bytes of the beat that was taken last; None before the first."""
        return self._data

    def step(self, inputs: Inputs) -> Outputs:
        """One clock."""
        filled = self._arrived is None and self._filling is not None and inputs.arrived_ready
        piece, entry = inputs.piece, self._entries.head
        channel = self._channel_of(piece.source) if piece is not None and not piece.fills else 0
        takes = piece is not None and (
            (self._filling is None or filled)
            if piece.fills
            else entry is not None
            and self._room[channel].is_there
            and (self._fragment is None or inputs.read_ready)
        )
        outputs = Outputs(
            piece_ready=takes, fragment=self._fragment, arrived=self.arrived, data=self.data
        )

        # The piece that was looked up is offered; one that fills goes before the next of those.
        moves = self._arrived is None or inputs.arrived_ready
        looks = moves and not (self._filling is not None and self._arrived is not None)
        ended = self._ended.head if looks else None
        if moves:
            self._arrived = self._known(*ended) if ended is not None else None
        self._ended.step(enters=self._come(inputs.returned), leaves=ended is not None)
        self._take_beats(inputs)
        if inputs.read_ready:
            self._fragment = None
        if filled:
            self._filling = None
        reads = None
        if takes:
            assert piece is not None
            if piece.fills:
                self._filling = piece
            else:
                assert entry is not None
                reads = entry
                self._fragment = Fragment(
                    tenant=piece.tenant, address=piece.source, beats=piece.beats, entry=entry
                )
                self._kept[entry] = piece, channel
                self._beats[entry] = []
                self._wrong.discard(entry)
        taken = self._taken_channel if inputs.read else None
        for c, room in enumerate(self._room):
            reserves = (
                piece.beats if reads is not None and piece is not None and c == channel else 0
            )
            room.step(reserves=reserves, takes=c == taken)
        self._entries.step(takes=reads is not None, given=self._given)
        self._given = self._taken_entry if inputs.read and inputs.last else None
        if inputs.find is not None:
            self._found = inputs.find
        return outputs

    @property
    def _taken_entry(self) -> int:
        assert self._found is not None
        return self._found.entry

    @property
    def _taken_channel(self) -> int:
        return self._kept[self._taken_entry][1]

    def _known(self, entry: int, failed: bool) -> Arrived:
        """A piece whose last beat came."""
        piece, channel = self._kept[entry]
        return Arrived(piece=piece, entry=entry, channel=channel, failed=failed)

    def _come(self, returned: Sequence[Returned | None]) -> tuple[int, bool] | None:
        """Beats come back; the entry that is told next to have ended, and whether it failed."""
        ended: list[tuple[int, bool] | None] = []
        for each in returned:
            if each is None:
                ended.append(None)
                continue
            self._beats[each.entry].append(each.data)
            if each.failed:
                self._wrong.add(each.entry)
            ended.append((each.entry, each.entry in self._wrong) if each.last else None)
        return self._gather.step(ended)

    def _take_beats(self, inputs: Inputs) -> None:
        """The beat that was found in an earlier clock is taken."""
        if inputs.read:
            assert self._found is not None
            self._data = self._beats[self._found.entry][self._found.place]
