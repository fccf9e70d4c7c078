"""The way back from a channel to the address at which a manager asked."""

from amaranth import *
from amaranth.lib import data

from mcos_hw.config import GRAINS, FabricConfig

__all__ = ["address_of"]


def address_of(fabric: FabricConfig, interleave: data.View, channel: Value, local: Value) -> Value:
    """The address that a channel knows as ``local``, grain by grain."""
    low, count = fabric.block_width, fabric.channel_width
    width = fabric.channel.address_width
    found = []
    for grain in range(GRAINS):
        begin = low + grain
        bare = Cat(local[:begin], Const(0, count), local[begin : width - count])
        hashed = bare[low:]
        window = Cat(
            channel[j] ^ (hashed & interleave.masks[j][: len(hashed)]).xor() for j in range(count)
        )
        found.append(Cat(local[:begin], window, local[begin : width - count]))
    return Array(found)[interleave.grain]
