"""How addresses are spread over the channels of a fabric: which channel, and where in it."""

import dataclasses
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mcos_hw.config import GRAINS, MASK_WIDTH

__all__ = [
    "Addresses",
    "Interleave",
    "broken_rule",
]


Addresses: TypeAlias = int | Sequence[int] | npt.NDArray[np.integer]
"""Addresses in bytes, one or many, under ``2**63``."""

_Words: TypeAlias = npt.NDArray[np.uint64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interleave:
    """The interleave of a fabric: a channel, and a local address, for every address.

    The ``len(masks)`` address bits from the grain on are the *window*. Bit j of the channel is the
    parity of the address under mask j. The local address is the address without its window. Mask j
    has bit j of the window, no other one of it and none below it, so that channel and local
    address name the address again.

    Parameters
    ----------
    grain : int
        log2 of the grain in blocks: so many consecutive blocks lie in one channel, 0 to 7.
    masks : tuple[int, ...]
        A mask for each bit of the channel's number; bit k stands for address bit
        ``block_width + k``.
    block_width : int
        log2 of the bytes of a block, ``FabricConfig.block_width``.

    Raises
    ------
    ValueError
        If the masks are not such, or the grain is none that hardware has.
    """

    grain: int
    masks: tuple[int, ...]
    block_width: int

    def __post_init__(self) -> None:
        rule = broken_rule(self.grain, self.masks)
        if rule:
            raise ValueError(f"an interleave must have {rule}")

    @classmethod
    def default(cls, channels: int, block_width: int) -> "Interleave":
        """Block after block to one channel after the other; hardware has it until told otherwise.

        Parameters
        ----------
        channels : int
            How many channels, a power of two.
        block_width : int
            log2 of the bytes of a block.
        """
        width = (channels - 1).bit_length()
        return cls(grain=0, masks=tuple(1 << j for j in range(width)), block_width=block_width)

    @property
    def width(self) -> int:
        """Bits of a channel's number."""
        return len(self.masks)

    @property
    def channels(self) -> int:
        """How many channels."""
        return 1 << self.width

    @property
    def grain_width(self) -> int:
        """Lowest address bit of the window: log2 of the bytes of a grain."""
        return self.block_width + self.grain

    def channel(self, addresses: Addresses) -> npt.NDArray[np.int64]:
        """The channel of each address."""
        return self._parities(_words(addresses)).astype(np.int64)

    def local(self, addresses: Addresses) -> npt.NDArray[np.int64]:
        """Each address within its channel, in bytes."""
        words, low = _words(addresses), np.uint64(self.grain_width)
        above = words >> np.uint64(self.grain_width + self.width)
        return (above << low | words & self._below).astype(np.int64)

    def address(self, channel: Addresses, local: Addresses) -> npt.NDArray[np.int64]:
        """The address of each local address of a channel: what :meth:`channel` and :meth:`local`
        were made of."""
        numbers, words, low = _words(channel), _words(local), np.uint64(self.grain_width)
        above = words >> low << np.uint64(self.grain_width + self.width)
        rest = above | words & self._below
        return (rest | (numbers ^ self._parities(rest)) << low).astype(np.int64)

    @property
    def _below(self) -> np.uint64:
        """The address bits below the window."""
        return np.uint64((1 << self.grain_width) - 1)

    def _parities(self, words: _Words) -> _Words:
        """The channel that each address's bits make."""
        channel = np.zeros_like(words)
        for j, mask in enumerate(self.masks):
            masked = words & np.uint64(mask << self.block_width)
            odd = np.bitwise_count(masked).astype(np.uint64) & np.uint64(1)
            channel |= odd << np.uint64(j)
        return channel


def broken_rule(grain: int, masks: Sequence[int]) -> str:
    """What an interleave must have so that it is a bijection, and has not; empty if it is one.

    Parameters
    ----------
    grain : int
        As in :class:`Interleave`.
    masks : Sequence[int]
        As in :class:`Interleave`.
    """
    if not 0 <= grain < GRAINS:
        return f"a grain in 0..{GRAINS - 1}, not {grain}"
    upto = (1 << grain + len(masks)) - 1
    for j, mask in enumerate(masks):
        if not 0 <= mask < 1 << MASK_WIDTH:
            return f"masks of {MASK_WIDTH} bits, not {mask:#x}"
        if mask & upto != 1 << grain + j:
            return (
                f"bit {grain + j} in mask {j} and no other one up to bit "
                f"{grain + len(masks) - 1}, not {mask:#x}"
            )
    return ""


def _words(addresses: Addresses) -> _Words:
    return np.asarray(addresses).astype(np.uint64)
