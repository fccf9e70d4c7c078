"""Committed rates that the coordinator has moved between the channels of a fabric."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import FabricConfig

__all__ = [
    "Lent",
    "lent_signature",
    "pair_layout",
    "rate_write_layout",
]


def pair_layout(*, channels: int, tenants: int, rate_width: int) -> data.StructLayout:
    """A tenant on a channel, with what it has to lend there or wants to borrow.

    - ``tenant``, ``channel``: which pair;
    - ``limit``: admissible sum of rates of the channel; it counts with tenant 0;
    - ``base``: committed rate by the image;
    - ``keep``: what of it stays with the pair for sure;
    - ``lend``: the rest;
    - ``want``: what the pair could use above its base; all ones if there is no limit to that.
    """
    return data.StructLayout(
        {
            "tenant": range(tenants),
            "channel": range(channels),
            "limit": rate_width,
            "base": rate_width,
            "keep": rate_width,
            "lend": rate_width,
            "want": rate_width + 1,
        }
    )


def rate_write_layout(*, channels: int, tenants: int, rate_width: int) -> data.StructLayout:
    """A new rate of a tenant on a channel; a later one takes its place.

    ``valid``: there is one in this clock.
    """
    return data.StructLayout(
        {"valid": 1, "tenant": range(tenants), "channel": range(channels), "rate": rate_width}
    )


class Lent(Protocol):
    """Rates that take the place of the image's committed rates."""

    write: data.View
    """A rate of the next set, see :func:`rate_write_layout`."""

    apply: Signal
    """The next set is whole. It takes the place of the present one at the edge that ends this
    clock, on all channels alike."""

    holds: Signal
    """In this clock the present set is in force, else the image's rates are."""


def lent_signature(fabric: FabricConfig) -> wiring.Signature:
    """:class:`Lent` as the coordinator drives it."""
    channel = fabric.channel
    layout = rate_write_layout(
        channels=fabric.channels, tenants=channel.tenants, rate_width=channel.rate_width
    )
    return wiring.Signature({"write": Out(layout), "apply": Out(1), "holds": Out(1)})
