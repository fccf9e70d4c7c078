"""Pieces of jobs on their way through the DMA engine."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.fragment import channel_field
from mcos_hw.link.job import CHECKSUM_WIDTH
from mcos_hw.link.request import structured_stream

__all__ = [
    "Beats",
    "Settled",
    "arrived_layout",
    "arrived_signature",
    "beats_signature",
    "moved_layout",
    "moved_signature",
    "piece_layout",
    "piece_signature",
    "settled_signature",
]


def piece_layout(fabric: FabricConfig, movement: MovementConfig) -> data.StructLayout:
    """A part of a row that is one fragment where it is read, and one where it is written.

    - ``number``, ``tenant``, ``fills``, ``checks``: as in its job;
    - ``source``, ``target``: address of its first byte;
    - ``beats``: memory beats, 1 to ``max_beats``;
    - ``first``: it is the first piece of its job;
    - ``weight``: what its checksum is multiplied with, see
      :mod:`mcos_hw.movement.checksum`.
    """
    address = fabric.channel.address_width
    return data.StructLayout(
        {
            "number": movement.job_width,
            "tenant": fabric.channel.tenant_width,
            "source": address,
            "target": address,
            "beats": fabric.channel.beats_width,
            "fills": 1,
            "checks": 1,
            "first": 1,
            "weight": CHECKSUM_WIDTH,
        }
    )


def piece_signature(fabric: FabricConfig, movement: MovementConfig) -> stream.Signature:
    """Stream of :func:`piece_layout`."""
    return structured_stream(piece_layout(fabric, movement))


def arrived_layout(fabric: FabricConfig, movement: MovementConfig) -> data.StructLayout:
    """A piece that can be written: its beats have all come, or it fills.

    - ``piece``: it;
    - ``entry``: the read fragment that it was, if it does not fill;
    - ``channel``: where that was read, if there are several;
    - ``failed``: memory answered one of its beats with an error.
    """
    return data.StructLayout(
        {
            "piece": piece_layout(fabric, movement),
            "entry": fabric.entry_width,
            **channel_field(fabric),
            "failed": 1,
        }
    )


def arrived_signature(fabric: FabricConfig, movement: MovementConfig) -> stream.Signature:
    """Stream of :func:`arrived_layout`."""
    return structured_stream(arrived_layout(fabric, movement))


class Beats(Protocol):
    """The line takes beats of read fragments, each once.

    A beat is found, and read a clock later or later; its data stand a clock after that, until the
    next one is read. The read fragment is over when its last beat is read.
    """

    find: Signal
    """Find a beat in this clock."""

    entry: Signal
    """Of which read fragment."""

    beat: Signal
    """Which of its beats."""

    channel: Signal
    """The channel that it came from."""

    read: Signal
    """Read the beat that was found last."""

    last: Signal
    """It is the last one of its fragment."""

    data: Signal
    """Its bytes."""


def beats_signature(fabric: FabricConfig) -> wiring.Signature:
    """:class:`Beats`, seen by the line."""
    return wiring.Signature(
        {
            "find": Out(1),
            "entry": Out(fabric.entry_width),
            "beat": Out(range(fabric.channel.max_beats)),
            "channel": Out(max(fabric.channel_width, 1)),
            "read": Out(1),
            "last": Out(1),
            "data": In(8 * fabric.beat_bytes),
        }
    )


def moved_layout(fabric: FabricConfig, movement: MovementConfig) -> data.StructLayout:
    """A memory beat on its way to the write side.

    - ``number``, ``tenant``, ``target``, ``beats``: as in its piece;
    - ``last``: it is the last beat of that;
    - ``data``: its bytes.
    """
    return data.StructLayout(
        {
            "number": movement.job_width,
            "tenant": fabric.channel.tenant_width,
            "target": fabric.channel.address_width,
            "beats": fabric.channel.beats_width,
            "last": 1,
            "data": 8 * fabric.beat_bytes,
        }
    )


def moved_signature(fabric: FabricConfig, movement: MovementConfig) -> stream.Signature:
    """Stream of :func:`moved_layout`."""
    return structured_stream(moved_layout(fabric, movement))


class Settled(Protocol):
    """Nothing of a piece is under way any more."""

    stb: Signal
    """So is one in this clock."""

    number: Signal
    """The job that it is of."""

    failed: Signal
    """Memory answered with an error."""


def settled_signature(movement: MovementConfig) -> wiring.Signature:
    """:class:`Settled`, seen by who settles it."""
    return wiring.Signature({"stb": Out(1), "number": Out(movement.job_width), "failed": Out(1)})
