"""What an engine inside and its port say to each other."""

from typing import Protocol

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.fragment import landing_signature
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
    "inner_signature",
]


class Inner(Protocol):
    """The way of an engine to memory; see :class:`mcos_hw.port.inner_port.InnerPort`."""

    reads: StructuredStream
    """Fragments to read, :func:`mcos_hw.link.fragment.landing_layout`."""

    writes: StructuredStream
    """Fragments to write, whose data the engine has ready."""

    fetch: Fetch
    """Memory fetches these data."""

    returned: Returned
    """Memory returns what was read."""

    acknowledged: Acknowledged
    """Memory has written a fragment."""


def inner_signature(fabric: FabricConfig, port: PortConfig) -> wiring.Signature:
    """:class:`Inner`, seen by the engine."""
    return wiring.Signature(
        {
            "reads": Out(landing_signature(fabric, port)),
            "writes": Out(landing_signature(fabric, port)),
            "fetch": In(fetch_signature(fabric)),
            "returned": In(returned_signature(fabric)),
            "acknowledged": In(acknowledged_signature(fabric)),
        }
    )
