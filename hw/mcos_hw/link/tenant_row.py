"""A row of a port's tenant table, as software writes it."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import FabricConfig, PortConfig

__all__ = [
    "RowWrite",
    "row_write_signature",
    "tenant_row_layout",
]


def tenant_row_layout(fabric: FabricConfig, port: PortConfig) -> data.StructLayout:
    """Bursts whose ID is in ``first`` .. ``last`` are of ``tenant``, if the row is ``used``."""
    return data.StructLayout(
        {
            "used": 1,
            "tenant": fabric.channel.tenant_width,
            "first": port.id_width,
            "last": port.id_width,
        }
    )


class RowWrite(Protocol):
    """Software writes a row. It counts for bursts that pass the table from the next clock on."""

    stb: Signal
    """A row is written in this clock."""

    index: Signal
    """Which row."""

    row: data.View
    """What it becomes, see :func:`tenant_row_layout`."""


def row_write_signature(fabric: FabricConfig, port: PortConfig) -> wiring.Signature:
    """:class:`RowWrite`, as the register bank drives it."""
    return wiring.Signature(
        {
            "stb": Out(1),
            "index": Out(range(port.table_rows)),
            "row": Out(tenant_row_layout(fabric, port)),
        }
    )
