"""The register map of a fabric: that of its channel, and the registers of its ports behind it."""

import functools

from mcos_hw.config import FabricConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.channel_map import channel_map
from mcos_hw.registers.declaration import RegisterMap
from mcos_hw.registers.ports import add_ports

__all__ = ["fabric_map"]


@functools.lru_cache(maxsize=64)
def fabric_map(fabric: FabricConfig) -> RegisterMap:
    """The register map of a fabric of the given sizes.

    What :func:`mcos_hw.registers.channel_map` has is at the same offsets, MAP_HASH included: an
    image for the channel is one for the fabric.
    """
    channel = channel_map(fabric.channel)
    build = Builder()
    build.at(1 << channel.address_width)
    add_ports(build, fabric)
    return RegisterMap(
        name="mcos_fabric",
        description=(
            "One MCOS channel with AXI ports in front of it: the channel's registers, and the "
            "tenant tables, credits and error counts of the ports."
        ),
        registers=(*channel.registers, *build.registers),
        address_width=channel.address_width + 2,
    )
