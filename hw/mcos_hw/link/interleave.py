"""How addresses are spread over the channels of a fabric."""

from amaranth.hdl import Cat, Const, unsigned
from amaranth.lib import data

from mcos_hw.config import GRAINS, MASK_WIDTH, FabricConfig

__all__ = [
    "default_interleave",
    "interleave_layout",
    "interleave_of",
]


def interleave_layout(fabric: FabricConfig) -> data.StructLayout:
    """The interleave of a fabric: a number of a channel for every address.

    - ``grain``: log2 of the grain in blocks of ``l_max`` bytes. The bits of an address from the
      grain on, one for each bit of a channel's number, are its *window*;
    - ``masks[j]``: bit j of the channel is the parity of the address under this mask,
      of which bit k stands for bit ``block_width + k`` of the address.

    Of the window mask j has bit j alone, and it has no bit below. So the bits of the window follow
    from the channel and the bits above, and address and (channel, local address) name each other.
    """
    return data.StructLayout(
        {
            "grain": range(GRAINS),
            "masks": data.ArrayLayout(unsigned(MASK_WIDTH), fabric.channel_width),
        }
    )


def default_interleave(fabric: FabricConfig) -> Const:
    """The interleave before any other is live: by blocks of ``l_max`` bytes, without a hash."""
    masks = [1 << j for j in range(fabric.channel_width)]
    return interleave_layout(fabric).const({"grain": 0, "masks": masks})


def interleave_of(fabric: FabricConfig, settings: data.View) -> data.View:
    """The interleave among the settings of an image's FABRIC section, by the names of their fields.

    Of a fabric with several channels; one channel has no such settings.
    """
    masks = (settings[f"mask_{j}"] for j in range(fabric.channel_width))
    return data.View(interleave_layout(fabric), Cat(settings.grain, *masks))
