"""Whether a write is let through."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.registers.guard import GUARD_WINDOWS

__all__ = [
    "GuardedWrite",
    "guarded_write_signature",
]


class GuardedWrite(Protocol):
    """A write of a register, and whether it is let through."""

    stb: Signal
    """The write happens in this clock, or is refused."""

    window: Signal
    """Through which address window; it is there with ``stb``."""

    takes_over: Signal
    """It goes to GUARD_TAKEOVER; it is there with ``stb``."""

    word: Signal
    """What is written; it is there with ``stb``."""

    allowed: Signal
    """Answer in the same clock: it happens."""


def guarded_write_signature() -> wiring.Signature:
    """:class:`GuardedWrite` as the writer drives it."""
    return wiring.Signature(
        {
            "stb": Out(1),
            "window": Out(range(GUARD_WINDOWS)),
            "takes_over": Out(1),
            "word": Out(32),
            "allowed": In(1),
        }
    )
