"""How much of a channel each tenant has had lately."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import ChannelConfig

__all__ = [
    "SHARE_WIDTH",
    "Utilisation",
    "granted_layout",
    "utilisation_signature",
]


SHARE_WIDTH = 12
"""Bits of a share: it may exceed the rate of the channel, which is 1024, by bursts."""


class Utilisation(Protocol):
    """The new average of one tenant; each has a turn in each interval, in the order of tags."""

    stb: Signal
    """There is one in this clock."""

    tenant: Signal
    """Whose."""

    share: Signal
    """Bytes granted, in 1/1024 of the channel's rate."""


def utilisation_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Utilisation` as the one that averages drives it."""
    return wiring.Signature(
        {"stb": Out(1), "tenant": Out(config.tenant_width), "share": Out(SHARE_WIDTH)}
    )


def granted_layout(config: ChannelConfig) -> data.StructLayout:
    """The grant of a clock: ``valid``, and then its ``tenant`` and ``beats``."""
    return data.StructLayout(
        {"valid": 1, "tenant": config.tenant_width, "beats": config.beats_width}
    )
