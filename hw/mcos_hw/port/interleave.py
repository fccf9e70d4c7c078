"""The channel of an address, and its address there."""

from amaranth import *
from amaranth.lib import data

from mcos_hw.config import GRAINS, MASK_WIDTH, FabricConfig

__all__ = [
    "channel_of",
    "local_address",
]


def channel_of(fabric: FabricConfig, interleave: data.View, address: Value) -> Value:
    """The number of the channel that an address is of, see
    :func:`mcos_hw.link.interleave.interleave_layout`."""
    hashed = address[fabric.block_width :][:MASK_WIDTH]
    return Cat(
        (hashed & interleave.masks[j][: len(hashed)]).xor() for j in range(fabric.channel_width)
    )


def local_address(fabric: FabricConfig, interleave: data.View, address: Value) -> Value:
    """An address within its channel: without the bits of the window, as wide as before."""
    low, removed = fabric.block_width, fabric.channel_width
    if not removed:
        return address
    bits = [address[k] for k in range(len(address))]
    for k in range(low, len(address)):
        above = address[k + removed] if k + removed < len(address) else Const(0)
        first = k - low
        # From the grain on, a bit is the one above the window.
        bits[k] = above if first >= GRAINS - 1 else Mux(interleave.grain <= first, above, bits[k])
    return Cat(bits)
