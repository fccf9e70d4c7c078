"""Data between a port's banks and the memory port of a channel."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig
from mcos_hw.link.burst import attributes_layout

__all__ = [
    "FETCH_CLOCKS",
    "Acknowledged",
    "Described",
    "Fetch",
    "Returned",
    "acknowledged_signature",
    "described_signature",
    "fetch_signature",
    "returned_signature",
]


FETCH_CLOCKS = 2
"""Clocks from a fetch to its data."""


class Fetch(Protocol):
    """The memory port fetches a beat of write data from a port's bank, each beat once.

    Beats of a fragment are fetched in order, without those of another fragment of the port in
    between. A fetched beat's place is free from then on.
    """

    stb: Signal
    """A beat is fetched in this clock."""

    entry: Signal
    """The write fragment that it belongs to."""

    last: Signal
    """It is the fragment's last beat."""

    data: Signal
    """The beat that was fetched ``FETCH_CLOCKS`` clocks before."""

    strobe: Signal
    """Bit i: byte i of ``data`` is written."""


def fetch_signature(fabric: FabricConfig) -> wiring.Signature:
    """:class:`Fetch`, seen by the memory port."""
    return wiring.Signature(
        {
            "stb": Out(1),
            "entry": Out(fabric.entry_width),
            "last": Out(1),
            "data": In(8 * fabric.beat_bytes),
            "strobe": In(fabric.beat_bytes),
        }
    )


class Described(Protocol):
    """The memory port asks for the attributes of a fragment that it is about to send."""

    stb: Signal
    """Asked in this clock; else ``attributes`` stays as it is."""

    entry: Signal
    """Its number within its direction; reads and writes are asked for apart."""

    attributes: data.View
    """Its attributes, one clock after it was asked for; see
    :func:`mcos_hw.link.burst.attributes_layout`."""


def described_signature(fabric: FabricConfig) -> wiring.Signature:
    """:class:`Described`, seen by the memory port."""
    return wiring.Signature(
        {
            "stb": Out(1),
            "entry": Out(fabric.entry_width),
            "attributes": In(attributes_layout()),
        }
    )


class Returned(Protocol):
    """A beat of read data from memory. The port takes it in this clock, always."""

    valid: Signal
    """There is a beat in this clock."""

    entry: Signal
    """The read fragment that it belongs to."""

    data: Signal
    """Its bytes."""

    response: Signal
    """Its :class:`mcos_hw.bus.axi4lite.Response`."""

    last: Signal
    """It is the fragment's last beat."""


def returned_signature(fabric: FabricConfig) -> wiring.Signature:
    """:class:`Returned`, seen by the memory port."""
    return wiring.Signature(
        {
            "valid": Out(1),
            "entry": Out(fabric.entry_width),
            "data": Out(8 * fabric.beat_bytes),
            "response": Out(2),
            "last": Out(1),
        }
    )


class Acknowledged(Protocol):
    """Memory has written a fragment. The port takes it in this clock, always."""

    valid: Signal
    """There is one in this clock."""

    entry: Signal
    """The write fragment."""

    response: Signal
    """Its :class:`mcos_hw.bus.axi4lite.Response`."""


def acknowledged_signature(fabric: FabricConfig) -> wiring.Signature:
    """:class:`Acknowledged`, seen by the memory port."""
    return wiring.Signature({"valid": Out(1), "entry": Out(fabric.entry_width), "response": Out(2)})
