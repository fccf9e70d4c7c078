"""What crosses the boundary of a channel: requests in, commands and completions, responses out."""

import enum
from typing import Protocol

from amaranth.hdl import Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig

__all__ = [
    "Op",
    "Request",
    "StructuredStream",
    "command_layout",
    "command_signature",
    "completion_layout",
    "completion_signature",
    "request_layout",
    "request_signature",
    "response_layout",
    "response_signature",
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
    """A stream whose payload has named fields."""

    payload: data.View
    valid: Value
    ready: Value


class Request(Protocol):
    """The request that is offered in this clock, and the queues that have room for one."""

    payload: data.View
    """The request, see :func:`request_layout`. It means nothing unless ``valid`` is set."""

    valid: Signal
    """A request is offered in this clock."""

    ready: Signal
    """Bit i: the queue of tenant i takes a request in this clock.

    It does not depend on what is offered. A request is taken in a clock in which ``valid`` is set
    and ``ready`` has the bit of its tenant.
    """


def request_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Request` as a port offers it."""
    return wiring.Signature(
        {
            "payload": Out(request_layout(config)),
            "valid": Out(1),
            "ready": In(config.tenants),
        }
    )


def command_signature(config: ChannelConfig) -> stream.Signature:
    """Stream of :func:`command_layout`, to memory."""
    return structured_stream(command_layout(config))


def completion_signature(config: ChannelConfig) -> stream.Signature:
    """Stream of :func:`completion_layout`, from memory; it is taken at once."""
    return structured_stream(completion_layout(config), always_ready=True)


def response_signature(config: ChannelConfig) -> stream.Signature:
    """Stream of :func:`response_layout`, to the requester, which has to take it at once."""
    return structured_stream(response_layout(config), always_ready=True)


def structured_stream(layout: data.Layout, *, always_ready: bool = False) -> stream.Signature:
    """Stream whose payload has the fields of a layout; with ``always_ready`` it never waits."""
    # Amaranth decides by metaclass what is like a shape, which no type checker can follow.
    return stream.Signature(layout, always_ready=always_ready)  # ty: ignore[invalid-argument-type]
