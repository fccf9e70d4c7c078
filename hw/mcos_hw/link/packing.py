"""Write data on their way from the data bus of a port into its bank."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.fragment import channel_field
from mcos_hw.link.request import structured_stream

__all__ = [
    "Packed",
    "packed_signature",
    "piece_layout",
    "piece_signature",
    "word_layout",
    "word_signature",
]


def piece_layout(fabric: FabricConfig, port: PortConfig) -> data.StructLayout:
    """What the packer has to know of a write fragment.

    - ``entry``: the fragment's number;
    - ``channel``: where it goes to, if there are several;
    - ``offset``: the low bits of its address, enough to find its byte in the data bus and in a
      memory beat;
    - ``id``, ``size``, ``transfers``, ``last``, ``response``: as in
      :func:`mcos_hw.link.fragment.fragment_layout`.
    """
    return data.StructLayout(
        {
            "entry": fabric.entry_width,
            **channel_field(fabric),
            "id": port.id_width,
            "offset": range(max(port.data_bytes, fabric.beat_bytes)),
            "size": 3,
            "transfers": fabric.transfers_width,
            "last": 1,
            "response": 2,
        }
    )


def piece_signature(fabric: FabricConfig, port: PortConfig) -> stream.Signature:
    """Stream of :func:`piece_layout`."""
    return structured_stream(piece_layout(fabric, port))


def word_layout(fabric: FabricConfig) -> data.StructLayout:
    """A memory beat of write data.

    - ``entry``: the fragment that it belongs to;
    - ``channel``: where that goes to, if there are several;
    - ``last``: it is the fragment's last beat;
    - ``data``: its bytes; one whose ``strobe`` is 0 may be anything;
    - ``strobe``: bit i: byte i of ``data`` is written.
    """
    return data.StructLayout(
        {
            "entry": fabric.entry_width,
            **channel_field(fabric),
            "last": 1,
            "data": data.ArrayLayout(8, fabric.beat_bytes),
            "strobe": fabric.beat_bytes,
        }
    )


def word_signature(fabric: FabricConfig) -> stream.Signature:
    """Stream of :func:`word_layout`."""
    return structured_stream(word_layout(fabric))


class Packed(Protocol):
    """A write fragment whose last transfer has come."""

    valid: Signal
    """There is one in this clock."""

    entry: Signal
    """Its number."""

    id: Signal
    """ID of its burst."""

    first: Signal
    """It is the first fragment of its burst."""

    last: Signal
    """It is the last fragment of its burst."""

    refused: Signal
    """It does not go to memory: what its burst is answered with is known."""

    response: Signal
    """What its burst is answered with at least, a :class:`mcos_hw.bus.axi4lite.Response`."""


def packed_signature(fabric: FabricConfig, port: PortConfig) -> wiring.Signature:
    """:class:`Packed`, as the packer drives it."""
    return wiring.Signature(
        {
            "valid": Out(1),
            "entry": Out(fabric.entry_width),
            "id": Out(port.id_width),
            "first": Out(1),
            "last": Out(1),
            "refused": Out(1),
            "response": Out(2),
        }
    )
