"""The grant of a clock, from the arbiter to all that a grant changes."""

from typing import Protocol

from amaranth.hdl import Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import request_layout
from mcos_hw.registers import GrantClass

__all__ = [
    "Departure",
    "Grant",
    "departure_signature",
    "grant_class",
    "grant_signature",
]


class Grant(Protocol):
    """The grant of this clock, at most one. The head that is granted leaves its queue."""

    valid: Signal
    """A head is granted in this clock."""

    tenants: Signal
    """The bit of the tenant whose head is granted; 0 without a grant."""

    beats: Signal
    """Length of the granted request. It means nothing without a grant."""

    conforming: Signal
    """Bit i: if the head of tenant i is granted in this clock, it is charged to both buckets."""

    burst: Signal
    """Bit i: if the head of tenant i is granted in this clock, it is charged to the peak bucket.

    With neither bit it is scavenged and charged to none. Both may be set without a grant.
    """

    promoted: Signal
    """The grant is a promotion by age: its head went first because it had waited too long."""


def grant_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Grant` as an arbiter drives it."""
    return wiring.Signature(
        {
            "valid": Out(1),
            "tenants": Out(config.tenants),
            "beats": Out(config.beats_width),
            "conforming": Out(config.tenants),
            "burst": Out(config.tenants),
            "promoted": Out(1),
        }
    )


def grant_class(grant: Grant) -> Value:
    """Class of the granted head, a :class:`mcos_hw.registers.GrantClass`; scavenged without one."""
    return Mux(
        (grant.tenants & grant.conforming).any(),
        GrantClass.CONFORMING,
        Mux((grant.tenants & grant.burst).any(), GrantClass.BURST, GrantClass.SCAVENGED),
    )


class Departure(Protocol):
    """The request that was granted in the clock before, whole, on its way to the memory port."""

    valid: Signal
    """A head was granted in the clock before."""

    request: data.View
    """The request as its port offered it. It means nothing unless ``valid`` is set."""


def departure_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Departure` as the queues drive it."""
    return wiring.Signature({"valid": Out(1), "request": Out(request_layout(config))})
