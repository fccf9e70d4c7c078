"""The long soak: several fabrics, each with a wide and a narrow port, and many seeds."""

import dataclasses
from collections.abc import Callable, Sequence

from mcos_hw.config import ChannelConfig, FabricConfig, MemoryProtocol, PortConfig
from mcos_policy.ports import TenantRow
from mcos_sim.axi.fabric import fabric_library, open_settings, set_up
from mcos_sim.axi.session import Manager, Soak
from mcos_sim.axi.settings import FaultSort, PortHabits
from mcos_sim.axi.soak import run

__all__ = [
    "FABRICS",
    "PortSoak",
    "port_soak",
]


_DISABLED = 3
"""A tenant that no image enables."""

_BURSTS_A_RUN = 50_000
"""After so many bursts another seed begins, with memory and tables as after reset."""


def _fabric(
    wide: int, narrow: int, *, beat_bytes: int, lateness: int, protocol: MemoryProtocol
) -> FabricConfig:
    def port(data_bytes: int, id_width: int) -> PortConfig:
        return PortConfig(
            data_bytes=data_bytes,
            id_width=id_width,
            order_width=4,
            reads=32,
            read_units=64,
            writes=16,
            write_units=32,
            table_rows=4,
            hazard_rows=16,
        )

    channel = ChannelConfig(
        tenants=4,
        bytes_per_clock=beat_bytes,
        beat_bytes=beat_bytes,
        slots=64,
        stamp_width=24,
        lateness=lateness,
    )
    ports = (port(wide, 6), port(narrow, 4))
    return FabricConfig.around(channel, ports=ports, memory_protocol=protocol)


FABRICS = (
    _fabric(64, 8, beat_bytes=16, lateness=3, protocol=MemoryProtocol.AXI4),
    _fabric(32, 16, beat_bytes=32, lateness=0, protocol=MemoryProtocol.AXI3),
)
"""Ports wider and narrower than memory, both of its protocols, and both latenesses."""

_ROWS = (
    TenantRow(port=0, row=0, tenant=0, first=0, last=19),
    TenantRow(port=0, row=1, tenant=1, first=20, last=31),
    TenantRow(port=0, row=2, tenant=_DISABLED, first=40, last=47),
    TenantRow(port=1, row=0, tenant=2, first=0, last=7),
    TenantRow(port=1, row=1, tenant=1, first=8, last=9),
)

_UNMAPPED = ((32, 39, 40, 47, 63), (10, 15))
_MAPPED = (range(32), range(10))


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortSoak:
    """What all runs gave together.

    Parameters
    ----------
    runs : tuple[Soak, ...]
        Each run.
    first : str
        The first fault of all, with the run's seed; empty without one.
    """

    runs: tuple[Soak, ...]
    first: str

    @property
    def faults(self) -> int:
        """Faults of every sort."""
        return sum(each.faults for each in self.runs)

    @property
    def clocks(self) -> int:
        """Clocks of all runs."""
        return sum(each.clocks for each in self.runs)

    @property
    def rate(self) -> float:
        """Bursts a second, without builds."""
        seconds = sum(each.seconds for each in self.runs)
        return self.figures()["transactions"] / seconds if seconds else 0.0

    def figures(self) -> dict[str, int]:
        """The keys of a result file's ``port_soak``."""
        names = ("transactions", *(sort.value for sort in FaultSort))
        return {name: sum(getattr(each, name) for each in self.runs) for name in names}


def port_soak(
    *,
    transactions: int,
    seed: int,
    fabrics: Sequence[FabricConfig] = FABRICS,
    on_progress: Callable[[int], None] | None = None,
) -> PortSoak:
    """Runs at least so many random bursts, evenly over the fabrics, until something is wrong.

    Parameters
    ----------
    transactions : int
        Bursts of all runs.
    seed : int
        Seed of the first run of each fabric; the next ones follow it.
    fabrics : Sequence[FabricConfig]
        Fabrics with two ports.
    on_progress : Callable or None
        Called now and then with the bursts that were answered since.
    """
    runs: list[Soak] = []
    first = ""
    for number, fabric in enumerate(fabrics):
        library = fabric_library(fabric)
        writes = set_up(fabric, _ROWS, open_settings(fabric.channel, disabled=[_DISABLED]))
        left = -(-transactions // len(fabrics))
        run_seed = seed
        while left > 0 and not first:
            habits = PortHabits(budget=-(-min(left, _BURSTS_A_RUN) // 2))
            managers = [
                Manager(ids=ids, unmapped=unmapped, habits=habits)
                for ids, unmapped in zip(_MAPPED, _UNMAPPED, strict=True)
            ]
            found = run(library, managers, writes=writes, seed=run_seed, on_progress=on_progress)
            runs.append(found)
            if found.faults:
                first = f"fabric {number}, seed {run_seed}, {found.first}"
            left -= max(1, found.transactions)
            run_seed += 1
    return PortSoak(runs=tuple(runs), first=first)
