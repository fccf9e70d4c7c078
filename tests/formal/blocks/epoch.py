"""The epoch timer: an epoch has as many clocks as its length says, whatever that is."""

from amaranth import *
from amaranth.hdl import Assert, Cover

from mcos_hw.config import ChannelConfig
from mcos_hw.control.epoch import EpochTimer
from tests.formal.property import Harness, Method, Property
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()

_FOREVER = 1 << 40
"""Clocks at which the count beside the block stops: more than any length."""


class TimerHarness(Harness):
    """Counts the clocks of the running epoch beside the block; its length changes in any clock."""

    def elaborate(self, platform):
        m = Module()
        timer = EpochTimer()
        self.prove(m, timer)
        elapsed = self.look("elapsed", 33)
        upcoming = self.look("upcoming", 32)
        latch = timer.epoch.latch

        # Clocks of the running epoch, this one and then the next one included.
        clocks = Signal(range(_FOREVER + 1), init=1)
        clocks_then = Signal.like(clocks)
        ends = Signal()
        number = Signal(32, init=1)
        m.d.comb += clocks_then.eq(Mux(latch, 1, clocks + (clocks != _FOREVER)))
        m.d.sync += [
            clocks.eq(clocks_then),
            ends.eq((timer.length != 0) & (clocks_then >= timer.length)),
            number.eq(number + latch),
        ]
        m.d.comb += [
            self.invariant(
                (clocks != 0) & (clocks <= _FOREVER),
                elapsed == Mux(clocks > 1 << 32, 1 << 32, clocks - 1),
                upcoming == (number + 1)[:32],
            ),
            Assert(latch == ends),
            Assert(timer.epoch.number == number),
            Cover(latch & (clocks == 5)),
        ]
        return m


PROPERTIES = (
    Property(
        name="epoch.length",
        claim=(
            "An epoch ends with the clock in which it is as long as its length said in the clock "
            "before, for every length and after any time; each counts one."
        ),
        block="mcos_hw.control.epoch.EpochTimer",
        config=CONFIG,
        harness=TimerHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.control.epoch",
            text="elapsed + 2 >= self.length",
            instead="elapsed[:3] + 2 >= self.length",
        ),
        reach=14,
    ),
)
