"""What the power governor is told, and what it tells."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import FabricConfig

__all__ = [
    "PowerCap",
    "power_cap_signature",
    "power_status_layout",
]


class PowerCap(Protocol):
    """The cap that the system's power manager broadcasts, synchronous to the clock."""

    valid: Signal
    """The cap is in force, whatever the image says."""

    rate: Signal
    """Bytes per clock that each channel may pass on average, in units of the image's rates."""


def power_cap_signature(fabric: FabricConfig) -> wiring.Signature:
    """:class:`PowerCap` as the power manager drives it."""
    return wiring.Signature({"valid": Out(1), "rate": Out(fabric.channel.rate_width)})


def power_status_layout(fabric: FabricConfig) -> data.StructLayout:
    """What the governor does in this clock.

    ``governs``: a budget or a cap is in force. ``capped``: it is the cap's. ``infeasible``: the
    guarantees of the live image are over it, and ``closes``: some enabled tenant is held to its
    guarantee. ``rate`` is in force, ``guaranteed`` the sum of the committed rates, all ones if it
    is more; both of one channel.
    """
    rate_width = fabric.channel.rate_width
    return data.StructLayout(
        {
            "governs": 1,
            "capped": 1,
            "infeasible": 1,
            "closes": 1,
            "rate": rate_width,
            "guaranteed": rate_width,
        }
    )
