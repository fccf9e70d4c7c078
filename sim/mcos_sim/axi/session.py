"""One compiled run: managers in front of an AXI top, memories behind it, and what they saw."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mcos_policy.interleave import Interleave
from mcos_sim.axi.library import Library
from mcos_sim.axi.settings import (
    CHANNELS,
    ENUMERATIONS,
    FaultSort,
    MemoryHabits,
    PortHabits,
    Region,
)
from mcos_sim.errors import HardwareError

__all__ = [
    "PATIENCE",
    "SETTLING",
    "Manager",
    "MemoryCounts",
    "PortCounts",
    "Session",
    "Soak",
]


PATIENCE = 60_000
"""Clocks without any movement at a port that is waiting, after which it counts as stuck."""

_MOST_FAULTS = 20
"""Faults after which a run ends: after the first one, others follow from it."""

SETTLING = 16
"""Clocks from the last register write to the first burst."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manager:
    """Who is in front of a port.

    Parameters
    ----------
    ids : Sequence[int]
        IDs of its tenants.
    unmapped : Sequence[int]
        IDs of no tenant, or of one that is not enabled.
    changing : Sequence[int]
        IDs of a tenant that images enable and disable meanwhile: it reads with them alone.
    habits : PortHabits
        How it behaves.
    """

    ids: Sequence[int]
    unmapped: Sequence[int] = ()
    changing: Sequence[int] = ()
    habits: PortHabits = dataclasses.field(default_factory=PortHabits)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortCounts:
    """What a port's manager has seen. Latencies are in clocks, from the first offer of the address
    to the last answer, without bursts that were refused.

    Parameters
    ----------
    transactions : int
        Bursts that were answered.
    reads, writes : int
        Those of them that were served.
    mean_read, worst_read, mean_write, worst_write : float and int
        Latencies.
    bytes_read, bytes_written : int
        Bytes that were compared, and bytes that were written.
    unmapped, faulty : int
        Bursts of an ID of no tenant, and bursts that broke a rule.
    refused : int
        Reads of a changing ID that were answered with DECERR.
    first_valid : Mapping[str, int]
        The clock in which each channel, ``aw`` and so on, was first valid; -1 if it never was.
    """

    transactions: int
    reads: int
    writes: int
    mean_read: float
    worst_read: int
    mean_write: float
    worst_write: int
    bytes_read: int
    bytes_written: int
    unmapped: int
    faulty: int
    refused: int
    first_valid: Mapping[str, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemoryCounts:
    """What crossed a memory port.

    Parameters
    ----------
    read_bursts, write_bursts : int
        Addresses that the memory took.
    read_beats, write_beats : int
        Beats that it gave, and beats that it took.
    first_valid : Mapping[str, int]
        As in :class:`PortCounts`.
    """

    read_bursts: int
    write_bursts: int
    read_beats: int
    write_beats: int
    first_valid: Mapping[str, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Soak:
    """What a run gave.

    Parameters
    ----------
    transactions : int
        Bursts that were answered.
    lost, duplicated, corrupted, misordered, deadlocks, protocol : int
        Faults, see :class:`mcos_sim.axi.settings.FaultSort`.
    clocks : int
        Clocks of the run.
    seconds : float
        Time that they took.
    ports : tuple[PortCounts, ...]
        Each port.
    memories : tuple[MemoryCounts, ...]
        Each memory port.
    first : str
        The first fault with its clock; empty without one.
    registers : tuple[int, ...]
        Words of the registers that were asked for, at the end of a run without faults; -1 is one
        that does not answer OKAY.
    """

    transactions: int
    lost: int
    duplicated: int
    corrupted: int
    misordered: int
    deadlocks: int
    protocol: int
    clocks: int
    seconds: float = 0.0
    ports: tuple[PortCounts, ...]
    memories: tuple[MemoryCounts, ...]
    first: str
    registers: tuple[int, ...] = ()

    @property
    def faults(self) -> int:
        """Faults of every sort."""
        return sum(getattr(self, sort.value) for sort in FaultSort)

    @property
    def memory_first_valid(self) -> Mapping[str, int]:
        """As :attr:`PortCounts.first_valid`, of whichever memory port was the first."""
        clocks = {
            channel: [each.first_valid[channel] for each in self.memories] for channel in CHANNELS
        }
        return {
            channel: min((clock for clock in found if clock >= 0), default=-1)
            for channel, found in clocks.items()
        }

    def figures(self) -> dict[str, int]:
        """The keys of a result file's ``port_soak``."""
        names = ("transactions", *(sort.value for sort in FaultSort))
        return {name: getattr(self, name) for name in names}


class Session:
    """A run that goes on from call to call; a context that ends it.

    Parameters
    ----------
    library : Library
        The design.
    managers : Sequence[Manager]
        Who is in front of each port.
    writes : Sequence[tuple[int, int]]
        Register writes (address, word) before the first burst: an image, tenant rows.
    memory : MemoryHabits
        How each memory behaves.
    regions : Sequence[Region]
        Where bursts go.
    interleave : Interleave or None
        How the design spreads addresses over its memories; None if it has one.
    seed : int
        Seed of everything random.

    Raises
    ------
    ValueError
        If the managers are not one for each port, or the interleave is of another number of
        memories.
    HardwareError
        If a register write is not answered with OKAY.
    """

    def __init__(
        self,
        library: Library,
        managers: Sequence[Manager],
        *,
        writes: Sequence[tuple[int, int]],
        memory: MemoryHabits,
        regions: Sequence[Region],
        interleave: Interleave | None,
        seed: int,
    ) -> None:
        sizes = library.sizes
        if len(managers) != len(sizes.data_bytes):
            raise ValueError(
                f"managers must be one for each of {len(sizes.data_bytes)} ports, "
                f"not {len(managers)}"
            )
        spread = Interleave.default(1, 0) if interleave is None else interleave
        if spread.channels != sizes.memories:
            raise ValueError(
                f"interleave must be over {sizes.memories} memories, not {spread.channels}"
            )
        self._library = library
        self._ports, self._memories = len(managers), sizes.memories
        numbers = [
            _array([len(regions), seed, PATIENCE, _MOST_FAULTS, spread.grain_width]),
            _array([int(v) for m in managers for v in dataclasses.astuple(m.habits)]),
            _array([int(v) for v in dataclasses.astuple(memory)]),
            _array([int(v) for r in regions for v in dataclasses.astuple(r)]),
            _array([v for m in managers for ids in _lists(m) for v in (len(ids), *ids)]),
            _masks(spread),
        ]
        self._handle = library.create(*(each.ctypes.data for each in numbers))
        rows = (
            len(ENUMERATIONS["results"]),
            self._ports * len(ENUMERATIONS["port_results"]),
            self._memories * len(ENUMERATIONS["memory_results"]),
        )
        self._results = np.zeros(sum(rows), dtype=np.int64)
        self._cuts = np.cumsum(rows)[:-1]
        try:
            for address, word in writes:
                answer = library.write(self._handle, address, word)
                if answer:
                    said = "nothing" if answer < 0 else f"code {answer}"
                    raise HardwareError(f"register {address:#x} must answer OKAY, not {said}")
            library.idle(self._handle, SETTLING)
        except HardwareError:
            self.end()
            raise

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Gives the design back."""
        self._library.destroy(self._handle)

    def post(self, writes: Sequence[tuple[int, int, int]]) -> None:
        """Register writes (clock, address, word) to make while managers go on: one after the other,
        none before its clock."""
        rows = _array([number for write in writes for number in write])
        self._library.post(self._handle, rows.ctypes.data, len(writes))

    def arm(self, interleave: Interleave) -> None:
        """Memories have this interleave from the clock on in which the next commit is live."""
        masks = _masks(interleave)
        self._library.arm(self._handle, interleave.grain_width, masks.ctypes.data)

    def pause(self, begin: int, end: int) -> None:
        """Managers ask for nothing new from a clock up to another."""
        self._library.pause(self._handle, begin, end)

    def finish(self) -> None:
        """Managers ask for nothing new any more."""
        self._library.finish(self._handle)

    def watch(self, rows: np.ndarray) -> None:
        """The next clocks leave what the witness shows in rows, one each.

        Shape (clocks, words), int64; they must stay until so many clocks have run.
        """
        if rows.shape[1] != self._library.sizes.witness_words or not rows.flags.c_contiguous:
            raise ValueError(
                f"rows must be of {self._library.sizes.witness_words} words, not {rows.shape[1]}"
            )
        self._library.watch(self._handle, rows.ctypes.data, len(rows))

    def run(self, until: int) -> Soak:
        """Runs up to a clock, or until everything is answered, and tells what it gave so far."""
        self._library.run(self._handle, until, self._results.ctypes.data)
        _, ports, memories = np.split(self._results, self._cuts)
        rows = _rows(ports, "port_results", self._ports)
        counts = tuple(_port_counts(row) for row in rows)
        heads = self._heads()
        faults = {sort.value: heads[f"{sort.name.lower()}_count"] for sort in FaultSort}
        text = self._library.fault(self._handle).decode()
        return Soak(
            transactions=sum(each.transactions for each in counts),
            clocks=heads["clock"],
            ports=counts,
            memories=tuple(
                _memory_counts(row) for row in _rows(memories, "memory_results", self._memories)
            ),
            first=f"clock {heads['first_clock']}: {text}" if text else "",
            lost=faults["lost"],
            duplicated=faults["duplicated"],
            corrupted=faults["corrupted"],
            misordered=faults["misordered"],
            deadlocks=faults["deadlocks"],
            protocol=faults["protocol"],
        )

    @property
    def drained(self) -> bool:
        """Everything was answered when :meth:`run` came back, and memory was right in the end."""
        return bool(self._heads()["drained"])

    @property
    def outstanding(self) -> int:
        """Bursts under way when :meth:`run` came back."""
        return self._heads()["outstanding"]

    def read(self, address: int) -> int:
        """A register's word, while nothing is asked for; -1 unless it answers OKAY."""
        return self._library.read(self._handle, address)

    def _heads(self) -> dict[str, int]:
        heads, _, _ = np.split(self._results, self._cuts)
        return _rows(heads, "results", 1)[0]


def _lists(manager: Manager) -> tuple[Sequence[int], ...]:
    return manager.ids, manager.unmapped, manager.changing


def _masks(spread: Interleave) -> np.ndarray:
    return _array([mask << spread.block_width for mask in spread.masks])


def _array(values: Sequence[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _rows(numbers: np.ndarray, array: str, count: int) -> list[dict[str, int]]:
    names = ENUMERATIONS[array]
    return [
        dict(zip(names, row, strict=True)) for row in numbers.reshape(count, len(names)).tolist()
    ]


def _port_counts(row: dict[str, int]) -> PortCounts:
    return PortCounts(
        transactions=row["done"],
        reads=row["reads"],
        writes=row["writes_done"],
        mean_read=row["read_clocks"] / max(1, row["reads"]),
        worst_read=row["worst_read"],
        mean_write=row["write_clocks"] / max(1, row["writes_done"]),
        worst_write=row["worst_write"],
        bytes_read=row["bytes_read"],
        bytes_written=row["bytes_written"],
        unmapped=row["unmapped_done"],
        faulty=row["faulty_done"],
        refused=row["refused_done"],
        first_valid={channel: row[f"first_{channel}"] for channel in CHANNELS},
    )


def _memory_counts(row: dict[str, int]) -> MemoryCounts:
    return MemoryCounts(
        read_bursts=row["read_bursts"],
        write_bursts=row["write_bursts"],
        read_beats=row["read_beats"],
        write_beats=row["write_beats"],
        first_valid={channel: row[f"memory_{channel}"] for channel in CHANNELS},
    )
