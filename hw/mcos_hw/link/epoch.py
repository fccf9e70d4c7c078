"""The epoch: the span of clocks over which counters count."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

__all__ = [
    "Epoch",
    "epoch_signature",
]


class Epoch(Protocol):
    """Which epoch runs, and when it ends."""

    number: Signal
    """Number of the running epoch, modulo ``2**32``; 1 after reset."""

    latch: Signal
    """This clock is the last one of its epoch: what it counts still belongs to it."""


def epoch_signature() -> wiring.Signature:
    """:class:`Epoch` as the timer drives it."""
    return wiring.Signature({"number": Out(32, init=1), "latch": Out(1)})
