"""How a grant of each head would be covered by tokens."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import ChannelConfig

__all__ = [
    "NO_CLASS",
    "Classes",
    "classes_signature",
]


NO_CLASS = 3
"""Class code of a request that no bucket covers and that may not scavenge, or of no request."""


class Classes(Protocol):
    """Class codes of requests: a :class:`mcos_hw.registers.GrantClass`, or :data:`NO_CLASS`.

    - ``CONFORMING``: the committed bucket of the tenant covers the request;
    - ``BURST``: only the peak bucket does;
    - ``SCAVENGED``: neither does, but the tenant may use idle slots (``work_conserving``);
    - :data:`NO_CLASS`: neither does, and it may not: the request waits for tokens.

    The least code goes first.
    """

    codes: data.View
    """Code of each head. Of an empty queue: code of the request that enters it, or may do so."""

    next_code: Signal
    """Code of the request behind the head that is granted in this clock, once that head is charged.

    It means nothing in a clock without a grant, or if no request is behind the head.
    """

    serviceable: Signal
    """Bit i: tenant i has a head, and its code is a class: it may be granted."""

    held: Signal
    """Bit i: tenant i has a head, and its code is :data:`NO_CLASS`: it waits for tokens."""


def classes_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Classes` as the comparison with the tokens drives it."""
    return wiring.Signature(
        {
            "codes": Out(data.ArrayLayout(2, config.tenants)),
            "next_code": Out(2),
            "serviceable": Out(config.tenants),
            "held": Out(config.tenants),
        }
    )
