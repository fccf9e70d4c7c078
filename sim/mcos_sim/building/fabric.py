"""Which modules of a fabric are equal, and which of them are compiled once."""

from amaranth import *

from mcos_hw.config import FabricConfig
from mcos_sim.building.once import emit_once

__all__ = [
    "blocks_of",
    "emit_fabric_once",
]


_FEW = 4
"""Channels and ports together up to which a fabric is compiled as a whole: that takes half as long
again and runs twice as fast. With more of them a build would take longer than runs gain."""

_CHANNEL = "mcos_channel"


def emit_fabric_once(m: Module, fabric: FabricConfig) -> None:
    """Have equal channels and equal ports of a fabric elaborated once.

    Parameters
    ----------
    m : Module
        What :meth:`mcos_hw.fabric.fabric.Fabric.elaborate` gave of several channels.
    fabric : FabricConfig
        Its sizes.
    """
    channels = range(fabric.channels)
    emit_once(m, _CHANNEL, [f"channel_{c}" for c in channels])
    for part in ("merge", "out", "usage"):
        emit_once(m, f"mcos_{part}", [f"{part}_{c}" for c in channels])
    for k in range(len(fabric.ports)):
        emit_once(m, _port(fabric, k), [f"port_{k}"])


def blocks_of(fabric: FabricConfig) -> list[str]:
    """Modules of such a fabric that Verilator compiles once for all of their instances."""
    if fabric.channels + len(fabric.ports) <= _FEW:
        return []
    ports = (_port(fabric, k) for k in range(len(fabric.ports)))
    return [_CHANNEL, *dict.fromkeys(ports)]


def _port(fabric: FabricConfig, number: int) -> str:
    """The module of a port, which is that of the first one with its sizes."""
    return f"mcos_port_{fabric.ports.index(fabric.ports[number])}"
