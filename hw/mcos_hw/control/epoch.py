"""When epochs end."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.epoch import Epoch, epoch_signature

__all__ = ["EpochTimer"]


class EpochTimer(wiring.Component):
    """Ends epochs after their clocks, and numbers them.

    The first epoch begins with the first clock after reset. Whether a clock is the last one of its
    epoch is decided in the clock before it, from the length that is set there: it is the last one
    if the epoch is as long by then, or longer.

    Members
    -------
    length : In(32)
        Clocks of an epoch; 0 ends none.
    epoch : Out(Epoch)
        The running epoch.
    """

    length: Signal
    epoch: Epoch

    def __init__(self) -> None:
        super().__init__({"length": In(32), "epoch": Out(epoch_signature())})

    def elaborate(self, platform):
        m = Module()
        latch = self.epoch.latch
        # Stops beyond the longest epoch: after any time without epochs the next one ends at once.
        elapsed = Signal(33)
        # Number of the next epoch: all counters read the number, so that it changes too late for
        # an addition.
        upcoming = Signal(32, init=2)
        m.d.sync += [
            elapsed.eq(elapsed + ~elapsed[-1]),
            latch.eq((self.length != 0) & Mux(latch, self.length == 1, elapsed + 2 >= self.length)),
        ]
        with m.If(latch):
            m.d.sync += [
                elapsed.eq(0),
                self.epoch.number.eq(upcoming),
                upcoming.eq(upcoming + 1),
            ]
        return m
