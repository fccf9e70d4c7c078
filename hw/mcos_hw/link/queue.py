"""What a choice sees of the queues."""

from typing import Protocol

from amaranth.hdl import Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import ChannelConfig

__all__ = [
    "QueueView",
    "becomes_head",
    "becomes_second",
    "place_fields",
    "place_layout",
    "queue_view_signature",
]


def place_fields(config: ChannelConfig) -> dict[str, int]:
    """Width of each field of a request that a choice needs.

    - ``beats``: its length;
    - ``outside``: its address is outside the page colours of its tenant.
    """
    return {"beats": config.beats_width, "outside": 1}


def place_layout(config: ChannelConfig) -> data.StructLayout:
    """One of the first places of a queue: whether a request is ``present``, and its fields.

    Without a request the fields mean nothing.
    """
    return data.StructLayout({"present": 1, **place_fields(config)})


class QueueView(Protocol):
    """The first requests of each queue, from registers: what has entered and has not left."""

    heads: data.View
    """First request of each tenant, see :func:`place_layout`."""

    nexts: data.View
    """Second request of each tenant."""

    thirds: Signal
    """Bit i: the queue of tenant i has a third request."""


def queue_view_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`QueueView` as the queues drive it."""
    places = data.ArrayLayout(place_layout(config), config.tenants)
    return wiring.Signature(
        {"heads": Out(places), "nexts": Out(places), "thirds": Out(config.tenants)}
    )


def becomes_head(entry: Value, leaves: Value, heads: Value, seconds: Value) -> Value:
    """Whether an entering request is the first of its queue in the next clock.

    Bit by bit, for one queue or for all: a request enters the queue (``entry``), its head leaves
    (``leaves``), and it has a first (``heads``) and a second request (``seconds``).
    """
    return entry & (~heads | (leaves & ~seconds))


def becomes_second(
    entry: Value, leaves: Value, heads: Value, seconds: Value, thirds: Value
) -> Value:
    """Whether it is the second; see :func:`becomes_head`."""
    return entry & ((leaves & seconds & ~thirds) | (~leaves & heads & ~seconds))
