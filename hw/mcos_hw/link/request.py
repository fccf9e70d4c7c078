"""What crosses the boundary of a channel: requests in, commands and completions, responses out."""

import enum
from typing import Protocol

from amaranth.hdl import Value
from amaranth.lib import data, stream

from mcos_hw.config import ChannelConfig

__all__ = [
    "Op",
    "StructuredStream",
    "command_layout",
    "completion_layout",
    "request_layout",
    "response_layout",
    "structured_stream",
]


class Op(enum.IntEnum):
    """Direction of a request."""

    READ = 0
    WRITE = 1


def request_layout(config: ChannelConfig) -> data.StructLayout:
    """A request as its port offers it.

    ``offered`` is the clock, modulo ``2**stamp_width``, in which the requester first offered the
    request, before any back-pressure; the port stamps it. FCFS orders by it and latency counts
    from it.
    """
    return data.StructLayout(
        {
            "tenant": config.tenant_width,
            "id": config.id_width,
            "op": 1,
            "address": config.address_width,
            "beats": config.beats_width,
            "offered": config.stamp_width,
        }
    )


def command_layout(config: ChannelConfig) -> data.StructLayout:
    """A granted request on its way to memory; ``slot`` is its transaction id there."""
    return data.StructLayout(
        {
            "slot": config.slot_width,
            "tenant": config.tenant_width,
            "op": 1,
            "address": config.address_width,
            "beats": config.beats_width,
        }
    )


def completion_layout(config: ChannelConfig) -> data.StructLayout:
    """A command that memory has served."""
    return data.StructLayout({"slot": config.slot_width})


def response_layout(config: ChannelConfig) -> data.StructLayout:
    """The answer to a request."""
    return data.StructLayout({"tenant": config.tenant_width, "id": config.id_width})


class StructuredStream(Protocol):
    """A stream whose payload has named fields, as :func:`structured_stream` makes it."""

    payload: data.View
    valid: Value
    ready: Value


def structured_stream(layout: data.Layout, *, always_ready: bool = False) -> stream.Signature:
    """A stream of ``layout``."""
    # Amaranth decides by metaclass what is like a shape, which no type checker can follow.
    return stream.Signature(layout, always_ready=always_ready)  # ty: ignore[invalid-argument-type]
