"""Movements of data, as those who want them and the DMA engine speak of them."""

import enum
from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.request import structured_stream
from mcos_hw.registers.movement_codes import Urgency

__all__ = [
    "CHECKSUM_WIDTH",
    "Abort",
    "End",
    "Urgency",
    "abort_signature",
    "end_layout",
    "end_signature",
    "job_layout",
    "job_signature",
]


CHECKSUM_WIDTH = 32
"""Bits of the checksum of a frame, CRC-32C."""


class End(enum.IntEnum):
    """How a job ended. Nothing of it is under way any more."""

    DONE = 0
    """All of it is written, and memory has acknowledged that."""
    ABORTED = 1
    """Its owner aborted it."""
    READ_ERROR = 2
    """Memory answered a read with an error; nothing of that piece was written."""
    WRITE_ERROR = 3
    """Memory answered a write with an error."""


def job_layout(fabric: FabricConfig, movement: MovementConfig) -> data.StructLayout:
    """A movement of rows of bytes from one place to another.

    Addresses and strides are multiples of ``beat_bytes``. The rows of a job do not overlap, nor do
    those of two jobs that are under way where one of them writes.

    - ``number``: what its owner calls it; no job under way has the same;
    - ``tenant``: who is charged, the movement tag of a tenant;
    - ``urgency``: a :class:`Urgency`;
    - ``source``, ``target``: address of the first byte;
    - ``beats``: memory beats of a row, 1 to those of a frame;
    - ``rows``: how many rows, at least 1;
    - ``source_stride``, ``target_stride``: bytes from the begin of a row to that of the next;
    - ``fills``: nothing is read; the target is filled with zeros;
    - ``checks``: it copies a whole frame to a whole frame, both on multiples of ``frame_bytes``;
      its checksum is wanted.
    """
    address = fabric.channel.address_width
    return data.StructLayout(
        {
            "number": movement.job_width,
            "tenant": fabric.channel.tenant_width,
            "urgency": 3,
            "source": address,
            "target": address,
            "beats": range(movement.frame_beats(fabric) + 1),
            "rows": movement.rows_width,
            "source_stride": address,
            "target_stride": address,
            "fills": 1,
            "checks": 1,
        }
    )


def job_signature(fabric: FabricConfig, movement: MovementConfig) -> stream.Signature:
    """Stream of :func:`job_layout`."""
    return structured_stream(job_layout(fabric, movement))


def end_layout(movement: MovementConfig) -> data.StructLayout:
    """The end of a job.

    - ``number``: which one; its owner may use the number again;
    - ``end``: a :class:`End`;
    - ``checksum``: of the frame that was copied, if it ``checks`` and is done.
    """
    return data.StructLayout({"number": movement.job_width, "end": 2, "checksum": CHECKSUM_WIDTH})


def end_signature(movement: MovementConfig) -> stream.Signature:
    """Stream of :func:`end_layout`."""
    return structured_stream(end_layout(movement))


class Abort(Protocol):
    """Its owner aborts a job. A job that has ended, or whose end is offered, stays as it is."""

    stb: Signal
    """One is aborted in this clock."""

    number: Signal
    """Which one."""


def abort_signature(movement: MovementConfig) -> wiring.Signature:
    """:class:`Abort`, seen by the owner."""
    return wiring.Signature({"stb": Out(1), "number": Out(movement.job_width)})
