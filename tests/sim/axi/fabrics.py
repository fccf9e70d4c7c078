"""Small fabrics with a wide and a narrow port, and who is in front of them."""

import dataclasses
from contextlib import AbstractContextManager

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_policy.interleave import Interleave
from mcos_policy.ports import TenantRow, port_sections
from mcos_sim.axi.fabric import open_settings, set_up
from mcos_sim.axi.library import Library
from mcos_sim.axi.session import Manager
from mcos_sim.axi.settings import PortHabits
from tests.planted_hardware import live_bug, planted_fabric
from tests.sim.axi.bugs import COMMIT_BUGS, SPREAD_BUGS

__all__ = [
    "FABRIC",
    "SPREAD",
    "SPREAD_FABRIC",
    "image_alone",
    "managers",
    "register_writes",
    "spread_bug",
    "spread_library",
]


def _port(data_bytes: int, id_width: int, write_units: int = 16) -> PortConfig:
    return PortConfig(
        data_bytes=data_bytes,
        id_width=id_width,
        order_width=3,
        reads=16,
        writes=8,
        read_units=32,
        write_units=write_units,
        table_rows=2,
        hazard_rows=8,
    )


# What the channel counts and what the loader judges have their own tests.
FABRIC = FabricConfig.around(
    ChannelConfig(
        tenants=4,
        queue_depth=8,
        bytes_per_clock=16,
        beat_bytes=16,
        slots=32,
        stamp_width=24,
        lateness=0,
        loader_checks=False,
        monitors=False,
    ),
    ports=(_port(32, 5), _port(8, 4)),
)
"""Memory beats are half of a transfer of the first port, and two of the second."""

SPREAD_FABRIC = FabricConfig.around(
    ChannelConfig(
        tenants=4,
        queue_depth=8,
        bytes_per_clock=16,
        beat_bytes=16,
        max_beats=8,
        slots=32,
        stamp_width=24,
        lateness=0,
        loader_checks=False,
        monitors=False,
    ),
    channels=4,
    ports=(_port(64, 5, 32), _port(8, 4, 32)),
)
"""Blocks of 128 bytes, so that most bursts go to several of its channels."""

SPREAD = Interleave.default(SPREAD_FABRIC.channels, SPREAD_FABRIC.block_width)
"""How it spreads them."""

_DISABLED = 3

_ROWS = (
    TenantRow(port=0, row=0, tenant=0, first=0, last=15),
    TenantRow(port=0, row=1, tenant=_DISABLED, first=20, last=23),
    TenantRow(port=1, row=0, tenant=1, first=0, last=4),
    TenantRow(port=1, row=1, tenant=2, first=5, last=9),
)


def register_writes(fabric: FabricConfig = FABRIC) -> list[tuple[int, int]]:
    """Register writes that fill the tenant tables and enable the tenants, but for one."""
    return set_up(fabric, _ROWS, open_settings(fabric.channel, disabled=[_DISABLED]))


def image_alone(interleave: Interleave) -> list[tuple[int, int]]:
    """Register writes that load all the same as one image, and that interleave with it."""
    masks = {f"mask_{j}": mask for j, mask in enumerate(interleave.masks)}
    settings = dataclasses.replace(
        open_settings(SPREAD_FABRIC.channel, disabled=[_DISABLED]),
        fabric={"grain": interleave.grain, **masks},
        ports=port_sections(SPREAD_FABRIC, _ROWS),
    )
    return set_up(SPREAD_FABRIC, (), settings)


def managers(budget: int) -> list[Manager]:
    """Managers with so many bursts each; some of theirs are of no tenant."""
    habits = PortHabits(budget=budget)
    return [
        Manager(ids=range(16), unmapped=(16, 20, 23, 31), habits=habits),
        Manager(ids=range(10), unmapped=(10, 15), habits=habits),
    ]


_PLANTED = {**SPREAD_BUGS, **COMMIT_BUGS}


def spread_library() -> Library:
    """The library of :data:`SPREAD_FABRIC`: one build has every mistake, none of them live."""
    return planted_fabric(SPREAD_FABRIC, tuple(_PLANTED.values()))


def spread_bug(name: str) -> AbstractContextManager[None]:
    """Simulations that begin now have a mistake."""
    return live_bug(list(_PLANTED).index(name))
