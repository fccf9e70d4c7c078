"""A register in copies that synthesis leaves apart."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Replicated"]


class Replicated(wiring.Component):
    """A register that is kept several times, so that each copy drives a part of its fan-out.

    Every copy takes ``value`` at the clock edge and is 0 after reset. So all copies are equal in
    every clock, and a reader may take any of them. The clock domain has to have a synchronous
    reset.

    Synthesis would make one register of equal ones and undo this. Yosys merges two flip-flops if
    their inputs, reset and reset value are the same, and reads ``keep`` on a cell, where Amaranth
    writes it on the wire. So no two copies are built alike::

        copy   stores    reset
        0      value     by the flip-flop
        1      ~value    by the flip-flop
        2      value     by a gate before the flip-flop
        3      ~value    by a gate before the flip-flop

    Vivado sees through that, and honours the attribute ``keep`` of each register.

    Parameters
    ----------
    width : int
        Bits of the register.
    copies : int
        How many copies there are, 1 to 4.

    Members
    -------
    value : In(width)
        What the copies hold from the next clock on.
    copies : Out(ArrayLayout(width, copies))
        The copies.

    Raises
    ------
    ValueError
        If ``copies`` is not in 1..4.
    """

    value: Signal
    copies: data.View

    def __init__(self, *, width: int, copies: int) -> None:
        if not 1 <= copies <= 4:
            raise ValueError(f"copies must be in 1..4, not {copies!r}")
        self.width = width
        super().__init__({"value": In(width), "copies": Out(data.ArrayLayout(width, copies))})

    def elaborate(self, platform):
        m = Module()
        ones = (1 << self.width) - 1
        running = Mux(ResetSignal(), 0, Const(ones, self.width))
        for k in range(len(self.copies)):
            inverted, gated = k & 1, k & 2
            value = self.value & running if gated else self.value
            kept = Signal(
                self.width,
                name=f"copy_{k}",
                init=ones if inverted else 0,
                reset_less=bool(gated),
                attrs={"keep": 1},
            )
            m.d.sync += kept.eq(~value if inverted else value)
            m.d.comb += self.copies[k].eq(~kept if inverted else kept)
        return m
