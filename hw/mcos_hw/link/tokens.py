"""What the buckets hold."""

from typing import Protocol

from amaranth.hdl import signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import ChannelConfig

__all__ = [
    "Tokens",
    "level_width",
    "tokens_signature",
    "whole_width",
]


def level_width(config: ChannelConfig) -> int:
    """Bits of a signed token level, in ``2**-rate_fraction`` bytes."""
    return config.depth_width + config.rate_fraction + 1


def whole_width(config: ChannelConfig) -> int:
    """Bits that hold the beats of two longest requests, and more for anything beyond."""
    return config.beats_width + 1


class Tokens(Protocol):
    """The two token levels of each tenant at the beginning of this clock."""

    committed: data.View
    """Committed level of each tenant in ``2**-rate_fraction`` bytes, signed."""

    peak: data.View
    """Peak level of each tenant in ``2**-rate_fraction`` bytes, signed."""

    committed_beats: data.View
    """Whole beats in the committed level: 0 if the level owes, all ones for any larger number."""

    peak_beats: data.View
    """Whole beats in the peak level, likewise."""


def tokens_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Tokens` as the buckets drive it."""
    levels = data.ArrayLayout(signed(level_width(config)), config.tenants)
    beats = data.ArrayLayout(whole_width(config), config.tenants)
    return wiring.Signature(
        {
            "committed": Out(levels),
            "peak": Out(levels),
            "committed_beats": Out(beats),
            "peak_beats": Out(beats),
        }
    )
