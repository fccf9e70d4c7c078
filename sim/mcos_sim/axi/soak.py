"""Random bursts through an AXI top, every byte and every answer checked."""

import dataclasses
import time
from collections.abc import Callable, Sequence

from mcos_policy.interleave import Interleave
from mcos_sim.axi.library import Library
from mcos_sim.axi.session import PATIENCE, Manager, Session, Soak
from mcos_sim.axi.settings import MemoryHabits, Region

__all__ = [
    "REGIONS",
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

_SLICE = 100_000
"""Clocks between two reports of progress."""

_MOST_CLOCKS = 2_000
"""Clocks for each burst, after which a run that goes on has failed."""


def run(
    library: Library,
    managers: Sequence[Manager],
    *,
    writes: Sequence[tuple[int, int]] = (),
    reads: Sequence[int] = (),
    memory: MemoryHabits = _MEMORY,
    regions: Sequence[Region] = REGIONS,
    interleave: Interleave | None = None,
    seed: int,
    most_clocks: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Soak:
    """Runs until every manager that has a budget has its answers, or until something is wrong.

    Parameters
    ----------
    library, managers, writes, memory, regions, interleave, seed
        As in :class:`mcos_sim.axi.session.Session`.
    reads : Sequence[int]
        Addresses of registers to read after the last burst.
    most_clocks : int or None
        Clocks after which a run that goes on has failed; None is some thousands for each burst.
    on_progress : Callable or None
        Called now and then with the bursts that were answered since.

    Raises
    ------
    ValueError, HardwareError
        As :class:`mcos_sim.axi.session.Session`.
    """
    budget = sum(manager.habits.budget for manager in managers)
    limit = budget * _MOST_CLOCKS + PATIENCE if most_clocks is None else most_clocks
    begun = time.monotonic()
    with Session(
        library,
        managers,
        writes=writes,
        memory=memory,
        regions=regions,
        interleave=interleave,
        seed=seed,
    ) as session:
        told = 0
        found = session.run(min(limit, _SLICE))
        while True:
            if on_progress is not None:
                on_progress(found.transactions - told)
                told = found.transactions
            if session.drained or found.faults or found.clocks >= limit:
                break
            found = session.run(min(limit, found.clocks + _SLICE))
        if not session.drained and not found.faults:
            left = session.outstanding
            found = dataclasses.replace(
                found,
                deadlocks=1,
                lost=left,
                first=f"clock {found.clocks}: {left} bursts are still under way",
            )
        words = () if found.first else tuple(map(session.read, reads))
    return dataclasses.replace(found, seconds=time.monotonic() - begun, registers=words)
