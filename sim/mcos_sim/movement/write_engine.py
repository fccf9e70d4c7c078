"""The write side of the DMA engine: beats become fragments, which memory fetches."""

import dataclasses
from collections.abc import Callable, Sequence

from mcos_hw.config import FabricConfig, PortConfig
from mcos_sim.movement.fragments import Acknowledged, Fetch, Fragment
from mcos_sim.movement.gather import Gather
from mcos_sim.movement.jobs import Settled
from mcos_sim.movement.line import Moved
from mcos_sim.movement.queues import FreeList

__all__ = [
    "Inputs",
    "Outputs",
    "WriteEngine",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Inputs of one clock; a fetch and an acknowledgement of each channel."""

    moved: Moved | None
    write_ready: bool
    fetch: Sequence[Fetch | None]
    acknowledged: Sequence[Acknowledged | None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What goes out in the same clock."""

    moved_ready: bool
    """The beat is taken. False if none is offered."""

    fragment: Fragment | None
    fetched: tuple[int | None, ...]
    """Bytes of the beat that each channel fetched two clocks before."""

    written: Settled | None


class _Bank:
    """Beats of a channel until memory fetches them, see
    :class:`mcos_hw.port.write_bank.WriteBank`."""

    def __init__(self, units: int) -> None:
        self._units = FreeList(units)
        self._beats: dict[int, list[tuple[int, int]]] = {}
        """Unit and bytes of each beat of a fragment that was not fetched."""

        self._fetched: tuple[int | None, int | None] = None, None
        self._given: int | None = None

    @property
    def has_room(self) -> bool:
        return self._units.head is not None

    @property
    def fetched(self) -> int | None:
        return self._fetched[1]

    def step(self, *, entry: int | None, data: int, fetch: Fetch | None) -> None:
        """Ends a clock in which a beat of a fragment may have come and one may be fetched."""
        unit = self._units.head
        self._units.step(takes=entry is not None, given=self._given)
        self._given = bytes_ = None
        if fetch is not None:
            self._given, bytes_ = self._beats[fetch.entry].pop(0)
        if entry is not None:
            assert unit is not None
            self._beats.setdefault(entry, []).append((unit, data))
        self._fetched = bytes_, self._fetched[0]


class WriteEngine:
    """The model of :class:`mcos_hw.movement.write_engine.WriteEngine`, equal in each clock.

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
        self._entries = FreeList(port.writes)
        units = port.write_units // fabric.channels
        self._banks = [_Bank(units) for _ in range(fabric.channels)]
        self._within: int | None = None
        """The entry of the piece whose beats come."""

        self._fragment: Fragment | None = None
        self._numbers: dict[int, int] = {}
        """The job of each entry."""

        self._gather: Gather[Acknowledged] = Gather(fabric.channels)
        self._written: Acknowledged | None = None

    def step(self, inputs: Inputs) -> Outputs:
        """One clock."""
        moved = inputs.moved
        entry = self._within if self._within is not None else self._entries.head
        channel = self._channel_of(moved.target) if moved is not None else None
        takes = (
            moved is not None
            and channel is not None
            and entry is not None
            and (not moved.last or self._fragment is None or inputs.write_ready)
            and self._banks[channel].has_room
        )
        written = self._written
        outputs = Outputs(
            moved_ready=takes,
            fragment=self._fragment,
            fetched=tuple(bank.fetched for bank in self._banks),
            written=Settled(self._numbers[written.entry], written.failed) if written else None,
        )

        begins = takes and self._within is None
        for c, (bank, fetch) in enumerate(zip(self._banks, inputs.fetch, strict=True)):
            here = takes and c == channel
            bank.step(entry=entry if here else None, data=moved.data if moved else 0, fetch=fetch)
        self._entries.step(takes=begins, given=written.entry if written else None)
        self._written = self._gather.step(inputs.acknowledged)
        if inputs.write_ready:
            self._fragment = None
        if takes:
            assert moved is not None
            assert entry is not None
            self._numbers[entry] = moved.number
            self._within = None if moved.last else entry
            if moved.last:
                self._fragment = Fragment(
                    tenant=moved.tenant, address=moved.target, beats=moved.beats, entry=entry
                )
        return outputs
