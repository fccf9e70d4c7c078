"""The AXI target: ports, a channel and its memory port as plain Verilog."""

from mcos_hw.config import FabricConfig
from mcos_hw.fabric.fabric import Fabric
from mcos_hw.registers import ArbiterKind
from mcos_hw.targets.flat import FlatTop

__all__ = [
    "TOP",
    "AxiTop",
]


TOP = "mcos_axi"
"""Name of the top module."""


class AxiTop(FlatTop):
    """A fabric whose ports are plain vectors; see :class:`mcos_hw.targets.flat.FlatTop`.

    ``s00_axi.awaddr`` of :class:`mcos_hw.fabric.fabric.Fabric` is ``s00_axi_awaddr`` here, which
    packagers of IP take for a port of the interface ``s00_axi``.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses the grants.
    """

    def __init__(self, fabric: FabricConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS) -> None:
        self.fabric = fabric
        self.arbiter = arbiter
        self.core = Fabric(fabric, arbiter=arbiter)
        super().__init__(self.core, fabric.channel, name="fabric")
