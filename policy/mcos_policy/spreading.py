"""How a contract spreads addresses over the channels of a fabric, and what hardware takes."""

from collections.abc import Iterator

from mcos_hw.config import CHANNELS, GRAINS, MASK_WIDTH, ChannelConfig
from mcos_policy.contract import Contract
from mcos_policy.diagnostics import Diagnostic, error
from mcos_policy.interleave import Interleave

__all__ = [
    "check_interleave",
    "interleave_of",
    "local_bit",
    "window",
]


def interleave_of(
    contract: Contract, config: ChannelConfig, *, channels: int | None = None
) -> Interleave | None:
    """The interleave of an admitted contract; None if it says nothing of it.

    Over all channels of the contract, or the same over another number of them.

    With the hash ``xor`` bit j of a channel's number is the parity of every bit from j of the
    window on that is a multiple of its width away: powers of two of any stride then visit more
    than one channel.
    """
    asked = contract.fabric.interleave
    if asked is None:
        return None
    block = config.l_max.bit_length() - 1
    grain = asked.grain.bit_length() - 1 - block
    width = ((channels or contract.fabric.channels) - 1).bit_length()
    last = MASK_WIDTH if asked.hash == "xor" else grain + width
    masks = (sum(1 << k for k in range(grain + j, last, width)) for j in range(width))
    return Interleave(grain=grain, masks=tuple(masks), block_width=block)


def window(contract: Contract) -> range:
    """Address bits that choose the channel, without a hash; empty without an interleave."""
    asked = contract.fabric.interleave
    if asked is None:
        return range(0)
    first = asked.grain.bit_length() - 1
    return range(first, first + (contract.fabric.channels - 1).bit_length())


def local_bit(contract: Contract, bit: int) -> int:
    """Where a bit of the fabric's addresses is in a channel's own; the window is left out there.

    Without an interleave in the contract, its addresses are those of a channel.
    """
    chosen = window(contract)
    return bit if bit < chosen.start else bit - len(chosen)


def check_interleave(contract: Contract, config: ChannelConfig) -> Iterator[Diagnostic]:
    """Everything about the interleave that hardware cannot have."""
    fabric, asked = contract.fabric, contract.fabric.interleave
    if asked is None:
        return
    if fabric.channels not in CHANNELS[1:]:
        text = (
            f"channels must be one of {', '.join(map(str, CHANNELS[1:]))} with an interleave, "
            f"not {fabric.at('channels').shown}; change it or remove interleave"
        )
        yield error(fabric.at("channels").origin, text)
        return
    most = config.l_max << GRAINS - 1
    if not config.l_max <= asked.grain <= most:
        text = (
            f"grain must be in {_shown(config.l_max)}..{_shown(most)}, l_max to {1 << GRAINS - 1} "
            f"times that, not {asked.at('grain').shown}; change it"
        )
        yield error(asked.at("grain").origin, text)
    if config.beat_bytes != config.bytes_per_clock:
        text = (
            f"interleave needs hardware whose beat is what a channel moves in a clock, "
            f"{config.bytes_per_clock} bytes, not {config.beat_bytes}; set beat_bytes in "
            "[hardware], or remove interleave"
        )
        yield error(fabric.at("interleave").key_origin, text)


def _shown(size: int) -> str:
    """A power of two from ``l_max`` to 128 times 4 KiB, as people write it."""
    return f"{size} B" if size < 1024 else f"{size // 1024} KiB"
