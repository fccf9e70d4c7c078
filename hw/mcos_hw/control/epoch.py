"""When epochs end."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["EpochTimer"]


class EpochTimer(wiring.Component):
    """Ends epochs after their clocks, and numbers them.

    The first epoch begins with the first clock after reset. Whether a clock is the last one of its
    epoch is decided in the clock before, by the length that it has there: if the epoch is as long
    by then, or longer.

    Members
    -------
    length : In(32)
        Clocks of an epoch; 0 ends none.
    latch : Out(1)
        This clock is the last one of its epoch.
    number : Out(32)
        Number of the running epoch, from 1 on, modulo ``2**32``.
    """

    length: Signal
    latch: Signal
    number: Signal

    def __init__(self) -> None:
        super().__init__({"length": In(32), "latch": Out(1), "number": Out(32, init=1)})

    def elaborate(self, platform):
        m = Module()
        # Stops beyond the longest epoch: after any time without epochs the next one ends at once.
        elapsed = Signal(33)
        m.d.sync += [
            elapsed.eq(elapsed + ~elapsed[-1]),
            self.latch.eq(
                (self.length != 0) & Mux(self.latch, self.length == 1, elapsed + 2 >= self.length)
            ),
        ]
        with m.If(self.latch):
            m.d.sync += [elapsed.eq(0), self.number.eq(self.number + 1)]
        return m
