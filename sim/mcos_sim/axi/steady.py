"""What an AXI top carries a clock while every manager always has more to ask for."""

import dataclasses
from collections.abc import Sequence

from mcos_policy.interleave import Interleave
from mcos_sim.axi.library import Library
from mcos_sim.axi.session import Manager, Session
from mcos_sim.axi.settings import MemoryHabits, Region
from mcos_sim.errors import HardwareError

__all__ = [
    "ENDLESS",
    "Steady",
    "steady",
]


ENDLESS = 1 << 40
"""A budget that no run comes to the end of."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Steady:
    """What went through in a clock.

    Parameters
    ----------
    grants : tuple[float, ...]
        Bursts that each memory took.
    answers : tuple[float, ...]
        Bursts that each port's manager had answered.
    latency : float
        Clocks of a read from its first offer to its last data, over all ports.
    clocks : int
        Clocks that were measured.
    """

    grants: tuple[float, ...]
    answers: tuple[float, ...]
    latency: float
    clocks: int

    @property
    def grants_per_channel(self) -> float:
        """Bursts that a memory took, on average."""
        return sum(self.grants) / len(self.grants)


def steady(
    library: Library,
    managers: Sequence[Manager],
    *,
    writes: Sequence[tuple[int, int]],
    memory: MemoryHabits,
    regions: Sequence[Region],
    interleave: Interleave | None = None,
    seed: int,
    warm: int,
    clocks: int,
) -> Steady:
    """Runs until queues are as they stay, and then counts.

    Parameters
    ----------
    library, managers, writes, memory, regions, interleave, seed
        As in :class:`mcos_sim.axi.session.Session`; budgets are not used up.
    warm : int
        Clocks that do not count.
    clocks : int
        Clocks that do.

    Raises
    ------
    HardwareError
        If something goes wrong, or everything is answered before the end.
    ValueError
        As :class:`mcos_sim.axi.session.Session`.
    """
    with Session(
        library,
        managers,
        writes=writes,
        memory=memory,
        regions=regions,
        interleave=interleave,
        seed=seed,
    ) as session:
        begin = session.run(session.run(0).clocks + warm)
        end = session.run(begin.clocks + clocks)
        drained = session.drained
    if end.faults or drained:
        raise HardwareError(
            f"a steady run must go on without a fault, not {end.first or 'end early'!r}"
        )
    passed = end.clocks - begin.clocks
    reads = sum(each.reads for each in end.ports) - sum(each.reads for each in begin.ports)
    waited = sum(each.reads * each.mean_read for each in end.ports)
    waited -= sum(each.reads * each.mean_read for each in begin.ports)
    return Steady(
        grants=tuple(
            (now.read_bursts + now.write_bursts - then.read_bursts - then.write_bursts) / passed
            for now, then in zip(end.memories, begin.memories, strict=True)
        ),
        answers=tuple(
            (now.transactions - then.transactions) / passed
            for now, then in zip(end.ports, begin.ports, strict=True)
        ),
        latency=waited / max(1, reads),
        clocks=passed,
    )
