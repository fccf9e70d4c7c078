"""One AXI port with flat ports, to be measured without a channel."""

from mcos_hw.config import FabricConfig
from mcos_hw.port.axi_port import AxiPort
from mcos_hw.targets.flat import FlatTop

__all__ = ["PortTop"]


class PortTop(FlatTop):
    """The first port of a fabric whose ports are plain vectors; see :class:`FlatTop`.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    """

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        super().__init__(AxiPort(fabric, 0), fabric.channel, name="port")
