"""A row of a port's tenant table."""

from amaranth.lib import data

from mcos_hw.config import FabricConfig, PortConfig

__all__ = ["tenant_row_layout"]


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
