"""What the tenants of a channel use of their committed rates."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import COORDINATOR_INTERVALS, ChannelConfig, FabricConfig

__all__ = [
    "Sighting",
    "Usage",
    "sighting_signature",
    "usage_signature",
    "used_width",
]


class Usage(Protocol):
    """What the tenants of a channel do with their committed tokens in this clock."""

    charged: data.View
    """The conforming grant of the clock before.

    - ``valid``: there was one; without it the other fields mean nothing;
    - ``tenant``, ``beats``: as in the request.
    """

    short: Signal
    """Bit i: tenant i has a head, and its committed bucket does not cover it."""

    levels: data.View
    """Whole bytes in the committed bucket of each tenant, 0 where it owes."""


def usage_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Usage` as a channel drives it."""
    return wiring.Signature(
        {
            "charged": Out(
                data.StructLayout(
                    {"valid": 1, "tenant": config.tenant_width, "beats": config.beats_width}
                )
            ),
            "short": Out(config.tenants),
            "levels": Out(data.ArrayLayout(config.depth_width, config.tenants)),
        }
    )


def used_width(config: ChannelConfig) -> int:
    """Bits that count the beats of a longest request in every clock of two longest intervals."""
    return COORDINATOR_INTERVALS[-1] + 1 + config.beats_width


class Sighting(Protocol):
    """Asks a channel what a tenant uses, and gets it in the next clock, as it was in this one."""

    tenant: Signal
    """Whose usage."""

    counts: Signal
    """The answer counts: what is remembered for the next one begins anew."""

    used: Signal
    """Beats of its conforming grants since power-up, modulo."""

    short: Signal
    """Its head lacked committed tokens in this clock or one since the last answer that counted."""

    level: Signal
    """Whole bytes in its committed bucket."""


def sighting_signature(fabric: FabricConfig) -> wiring.Signature:
    """:class:`Sighting` as the coordinator drives it."""
    config = fabric.channel
    return wiring.Signature(
        {
            "tenant": Out(config.tenant_width),
            "counts": Out(1),
            "used": In(used_width(config)),
            "short": In(1),
            "level": In(config.depth_width),
        }
    )
