"""What an engine inside and its port say to each other."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.fragment import landing_signature
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.link.request import StructuredStream
from mcos_hw.link.transfer import (
    Acknowledged,
    Fetch,
    Returned,
    acknowledged_signature,
    fetch_signature,
    returned_signature,
)

__all__ = [
    "Inner",
    "inner_member",
    "inner_signature",
]


class Inner(Protocol):
    """The way of an engine to memory; see :class:`mcos_hw.port.inner_port.InnerPort`.

    In front of several channels each has a ``fetch_<c>``, ``returned_<c>`` and ``acknowledged_<c>``
    of its own, two digits.
    """

    reads: StructuredStream
    """Fragments to read, :func:`mcos_hw.link.fragment.landing_layout`."""

    writes: StructuredStream
    """Fragments to write, whose data the engine has ready."""

    places: Signal
    """Bit t: a fragment of tenant t would land; see
    :class:`mcos_hw.port.inner_port.InnerPort`."""

    interleave: data.View
    """How addresses are spread over channels, if there are several."""

    fetch: Fetch
    """Memory fetches these data."""

    returned: Returned
    """Memory returns what was read."""

    acknowledged: Acknowledged
    """Memory has written a fragment."""


def inner_member(fabric: FabricConfig, name: str, channel: int) -> str:
    """The member ``name`` of :class:`Inner` that is of a channel."""
    return name if fabric.channels == 1 else f"{name}_{channel:02}"


def inner_signature(fabric: FabricConfig, port: PortConfig) -> wiring.Signature:
    """:class:`Inner`, seen by the engine."""
    of_channel = {
        "fetch": fetch_signature(fabric),
        "returned": returned_signature(fabric),
        "acknowledged": acknowledged_signature(fabric),
    }
    return wiring.Signature(
        {
            "reads": Out(landing_signature(fabric, port)),
            "writes": Out(landing_signature(fabric, port)),
            "places": In(fabric.channel.tenants),
            **({"interleave": In(interleave_layout(fabric))} if fabric.channels > 1 else {}),
            **{
                inner_member(fabric, name, c): In(signature)
                for name, signature in of_channel.items()
                for c in range(fabric.channels)
            },
        }
    )
