"""The long soak: several fabrics, each with wide and narrow ports, and many seeds."""

import dataclasses
from collections.abc import Callable, Sequence

from mcos_hw.config import ChannelConfig, FabricConfig, MemoryProtocol, PortConfig
from mcos_policy.interleave import Interleave
from mcos_policy.ports import TenantRow, credit_writes, shared_credits
from mcos_sim.axi.fabric import fabric_library, open_settings, set_up
from mcos_sim.axi.session import Manager, Soak
from mcos_sim.axi.settings import FaultSort, PortHabits
from mcos_sim.axi.soak import run

__all__ = [
    "FABRICS",
    "SPREAD_FABRICS",
    "PortSoak",
    "port_soak",
]


_DISABLED = 3
"""A tenant that no image enables."""

_BURSTS_A_RUN = 50_000
"""After so many bursts another seed begins, with memory and tables as after reset."""


def _fabric(
    ports: Sequence[tuple[int, int]],
    *,
    channels: int = 1,
    beat_bytes: int,
    max_beats: int = 16,
    lateness: int,
    protocol: MemoryProtocol,
) -> FabricConfig:
    """Ports by their data bytes and bits of an ID."""
    channel = ChannelConfig(
        tenants=4,
        bytes_per_clock=beat_bytes,
        beat_bytes=beat_bytes,
        max_beats=max_beats,
        slots=64,
        stamp_width=24,
        lateness=lateness,
    )
    return FabricConfig.around(
        channel,
        channels=channels,
        ports=tuple(
            PortConfig(
                data_bytes=data_bytes,
                id_width=id_width,
                order_width=4,
                reads=32,
                read_units=64 * channels,
                writes=16,
                write_units=32 * channels,
                table_rows=4,
                hazard_rows=16,
            )
            for data_bytes, id_width in ports
        ),
        memory_protocol=protocol,
    )


FABRICS = (
    _fabric([(64, 6), (8, 4)], beat_bytes=16, lateness=3, protocol=MemoryProtocol.AXI4),
    _fabric([(32, 6), (16, 4)], beat_bytes=32, lateness=0, protocol=MemoryProtocol.AXI3),
)
"""Ports wider and narrower than memory, both of its protocols, and both latenesses."""

SPREAD_FABRICS = (
    _fabric(
        [(64, 6), (8, 4), (16, 5), (32, 4)],
        channels=8,
        beat_bytes=16,
        max_beats=8,
        lateness=0,
        protocol=MemoryProtocol.AXI4,
    ),
    _fabric(
        [(8, 4), (16, 4), (64, 4), (8, 4)] * 4,
        channels=2,
        beat_bytes=32,
        max_beats=8,
        lateness=0,
        protocol=MemoryProtocol.AXI3,
    ),
)
"""Four ports and eight channels, and sixteen ports and two channels."""


def _rows(fabric: FabricConfig) -> list[TenantRow]:
    """Half of a port's IDs are of a tenant, an eighth of the next one, an eighth of one that is
    not enabled, and the others of none."""
    rows = []
    for number, port in enumerate(fabric.ports):
        eighth = (1 << port.id_width) // 8
        parts = ((0, 4, number % _DISABLED), (4, 5, (number + 1) % _DISABLED), (6, 7, _DISABLED))
        rows += [
            TenantRow(
                port=number,
                row=row,
                tenant=tenant,
                first=first * eighth,
                last=last * eighth - 1,
            )
            for row, (first, last, tenant) in enumerate(parts)
        ]
    return rows


def _managers(fabric: FabricConfig, habits: PortHabits) -> list[Manager]:
    managers = []
    for port in fabric.ports:
        count = 1 << port.id_width
        mapped = count // 8 * 5
        managers.append(Manager(ids=range(mapped), unmapped=range(mapped, count), habits=habits))
    return managers


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
        Fabrics of four tenants, with queues that have a place for each port.
    on_progress : Callable or None
        Called now and then with the bursts that were answered since.
    """
    runs: list[Soak] = []
    first = ""
    for number, fabric in enumerate(fabrics):
        library = fabric_library(fabric)
        rows = _rows(fabric)
        writes = set_up(fabric, rows, open_settings(fabric.channel, disabled=[_DISABLED]))
        writes += credit_writes(fabric, shared_credits(fabric, rows))
        spread = Interleave.default(fabric.channels, fabric.block_width)
        left = -(-transactions // len(fabrics))
        run_seed = seed
        while left > 0 and not first:
            budget = -(-min(left, _BURSTS_A_RUN) // len(fabric.ports))
            found = run(
                library,
                _managers(fabric, PortHabits(budget=budget)),
                writes=writes,
                interleave=spread,
                seed=run_seed,
                on_progress=on_progress,
            )
            runs.append(found)
            if found.faults:
                first = f"fabric {number}, seed {run_seed}, {found.first}"
            left -= max(1, found.transactions)
            run_seed += 1
    return PortSoak(runs=tuple(runs), first=first)
