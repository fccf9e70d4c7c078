"""Random bursts through an AXI top, every byte and every answer checked."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

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
    "REGIONS",
    "Manager",
    "PortCounts",
    "Soak",
    "run",
]


REGIONS = (
    Region(base=0x0000_0000),
    Region(base=0x0001_2000),
    Region(base=0x4_5000_3000, size=8192, errors=True),
    Region(base=0xFF_FFFF_F000),
)
"""A few pages, so that bursts meet; among them the last one of 40 bits of address."""

_MEMORY = MemoryHabits()

_PATIENCE = 60_000
"""Clocks without any movement at a port that is waiting, after which it counts as stuck."""

_MOST_FAULTS = 20
"""Faults after which a run ends: after the first one, others follow from it."""

_SETTLING = 16
"""Clocks from the last register write to the first burst."""

_SLICE = 100_000
"""Clocks between two reports of progress."""

_MOST_CLOCKS = 2_000
"""Clocks for each burst, after which a run that goes on has failed."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manager:
    """Who is in front of a port.

    Parameters
    ----------
    ids : Sequence[int]
        IDs of its tenants.
    unmapped : Sequence[int]
        IDs of no tenant, or of one that is not enabled.
    habits : PortHabits
        How it behaves.
    """

    ids: Sequence[int]
    unmapped: Sequence[int] = ()
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
    memory_first_valid : Mapping[str, int]
        As :attr:`PortCounts.first_valid`, of the memory port.
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
    seconds: float
    ports: tuple[PortCounts, ...]
    memory_first_valid: Mapping[str, int]
    first: str
    registers: tuple[int, ...] = ()

    @property
    def faults(self) -> int:
        """Faults of every sort."""
        return sum(getattr(self, sort.value) for sort in FaultSort)

    def figures(self) -> dict[str, int]:
        """The keys of a result file's ``port_soak``."""
        names = ("transactions", *(sort.value for sort in FaultSort))
        return {name: getattr(self, name) for name in names}


def run(
    library: Library,
    managers: Sequence[Manager],
    *,
    writes: Sequence[tuple[int, int]] = (),
    reads: Sequence[int] = (),
    memory: MemoryHabits = _MEMORY,
    regions: Sequence[Region] = REGIONS,
    seed: int,
    most_clocks: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Soak:
    """Runs until every manager that has a budget has its answers, or until something is wrong.

    Parameters
    ----------
    library : Library
        The design.
    managers : Sequence[Manager]
        Who is in front of each port.
    writes : Sequence[tuple[int, int]]
        Register writes (address, word) before the first burst: an image, tenant rows.
    reads : Sequence[int]
        Addresses of registers to read after the last burst.
    memory : MemoryHabits
        How the memory behaves.
    regions : Sequence[Region]
        Where bursts go.
    seed : int
        Seed of everything random.
    most_clocks : int or None
        Clocks after which a run that goes on has failed; None is some thousands for each burst.
    on_progress : Callable or None
        Called now and then with the bursts that were answered since.

    Raises
    ------
    ValueError
        If the managers are not one for each port.
    HardwareError
        If a register write is not answered with OKAY.
    """
    sizes = library.sizes
    if len(managers) != len(sizes.data_bytes):
        raise ValueError(
            f"managers must be one for each of {len(sizes.data_bytes)} ports, not {len(managers)}"
        )
    numbers = [
        _array([len(regions), seed, _PATIENCE, _MOST_FAULTS]),
        _array([int(v) for m in managers for v in dataclasses.astuple(m.habits)]),
        _array([int(v) for v in dataclasses.astuple(memory)]),
        _array([int(v) for r in regions for v in dataclasses.astuple(r)]),
        _array([v for m in managers for ids in (m.ids, m.unmapped) for v in (len(ids), *ids)]),
    ]
    budget = sum(manager.habits.budget for manager in managers)
    begun = time.monotonic()
    handle = library.create(*(each.ctypes.data for each in numbers))
    try:
        for address, word in writes:
            answer = library.write(handle, address, word)
            if answer:
                said = "nothing" if answer < 0 else f"code {answer}"
                raise HardwareError(f"register {address:#x} must answer OKAY, not {said}")
        library.idle(handle, _SETTLING)
        results = np.zeros(
            len(ENUMERATIONS["results"]) + len(managers) * len(ENUMERATIONS["port_results"]),
            dtype=np.int64,
        )
        limit = budget * _MOST_CLOCKS + _PATIENCE if most_clocks is None else most_clocks
        clock = told = 0
        while clock < limit:
            library.run(handle, min(limit, clock + _SLICE), results.ctypes.data)
            found = _result(results, len(managers), "")
            if on_progress is not None:
                on_progress(found.transactions - told)
                told = found.transactions
            whole, clock = _named(results)["drained"], found.clocks
            if whole or found.faults:
                break
        text = library.fault(handle).decode()
        words = () if text else tuple(library.read(handle, address) for address in reads)
    finally:
        library.destroy(handle)
    heads = _named(results)
    if text:
        text = f"clock {heads['first_clock']}: {text}"
    found = _result(results, len(managers), text)
    if not heads["drained"] and not found.faults:
        found = dataclasses.replace(
            found,
            deadlocks=1,
            lost=heads["outstanding"],
            first=f"clock {found.clocks}: {heads['outstanding']} bursts are still under way",
        )
    return dataclasses.replace(found, seconds=time.monotonic() - begun, registers=words)


def _array(values: Sequence[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _named(results: np.ndarray) -> dict[str, int]:
    names = ENUMERATIONS["results"]
    return dict(zip(names, results[: len(names)].tolist(), strict=True))


def _result(results: np.ndarray, ports: int, first: str) -> Soak:
    heads = _named(results)
    names = ENUMERATIONS["port_results"]
    rows = results[len(ENUMERATIONS["results"]) :].reshape(ports, len(names)).tolist()
    counts = tuple(_counts(dict(zip(names, row, strict=True))) for row in rows)
    faults = {sort.value: heads[f"{sort.name.lower()}_count"] for sort in FaultSort}
    return Soak(
        transactions=sum(each.transactions for each in counts),
        clocks=heads["clock"],
        seconds=0.0,
        ports=counts,
        memory_first_valid={channel: heads[f"memory_{channel}"] for channel in CHANNELS},
        first=first,
        lost=faults["lost"],
        duplicated=faults["duplicated"],
        corrupted=faults["corrupted"],
        misordered=faults["misordered"],
        deadlocks=faults["deadlocks"],
        protocol=faults["protocol"],
    )


def _counts(row: dict[str, int]) -> PortCounts:
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
        first_valid={channel: row[f"first_{channel}"] for channel in CHANNELS},
    )
