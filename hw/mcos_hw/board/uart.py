"""Bytes over an asynchronous serial line: eight bits, no parity, one stop bit."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = [
    "UartReceiver",
    "UartTransmitter",
]


_BITS = 8

_LEAST_CLOCKS = 4
"""Clocks of a bit under which the middle of a bit is not found."""


def _require_clocks(bit_clocks: int) -> None:
    if not isinstance(bit_clocks, int):
        raise TypeError(f"bit_clocks must be an integer, not {bit_clocks!r}")
    if bit_clocks < _LEAST_CLOCKS:
        raise ValueError(f"bit_clocks must be at least {_LEAST_CLOCKS}, not {bit_clocks!r}")


class UartReceiver(wiring.Component):
    """Makes bytes from a line. A byte whose stop bit is missing is dropped, and the next one begins
    when the line has been high.

    It samples the middle of each bit, counted from the falling edge of the start bit, so both ends
    may differ by 4 % in their rates. A byte is offered for one clock.

    Parameters
    ----------
    bit_clocks : int
        Clocks of a bit, at least 4.

    Members
    -------
    line : In(1)
        The pin, high when idle, of any clock.
    o : Out(stream of 8 bits, always ready)
        The bytes.
    idle : Out(1)
        No byte is under way.
    """

    o: stream.Interface
    line: Signal
    idle: Signal

    def __init__(self, *, bit_clocks: int) -> None:
        _require_clocks(bit_clocks)
        self.bit_clocks = bit_clocks
        super().__init__(
            {
                "line": In(1, init=1),
                "o": Out(stream.Signature(unsigned(_BITS), always_ready=True)),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.line, line, init=1)
        before = Signal()
        timer = Signal(range(self.bit_clocks + self.bit_clocks // 2))
        left = Signal(range(_BITS + 2))
        bits = Signal(_BITS)
        m.d.comb += [self.idle.eq(left == 0), self.o.payload.eq(bits)]
        m.d.sync += [self.o.valid.eq(0), before.eq(line)]
        with m.If(self.idle), m.If(before & ~line):
            # The first sample is the middle of the lowest bit, after the start bit.
            m.d.sync += [
                left.eq(_BITS + 1),
                timer.eq(self.bit_clocks + self.bit_clocks // 2 - 1),
            ]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [left.eq(left - 1), timer.eq(self.bit_clocks - 1)]
            with m.If(left == 1):
                m.d.sync += self.o.valid.eq(line)
            with m.Else():
                m.d.sync += bits.eq(Cat(bits[1:], line))
        return m


class UartTransmitter(wiring.Component):
    """Sends bytes over a line, one in ``10 * bit_clocks`` clocks.

    Parameters
    ----------
    bit_clocks : int
        Clocks of a bit, at least 4.

    Members
    -------
    i : In(stream of 8 bits)
        The bytes.
    line : Out(1)
        The pin, high when idle.
    """

    i: stream.Interface
    line: Signal

    def __init__(self, *, bit_clocks: int) -> None:
        _require_clocks(bit_clocks)
        self.bit_clocks = bit_clocks
        super().__init__({"i": In(stream.Signature(unsigned(_BITS))), "line": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        timer = Signal(range(self.bit_clocks))
        left = Signal(range(_BITS + 3))
        bits = Signal(_BITS + 1, init=-1)
        m.d.comb += [self.i.ready.eq(left == 0), self.line.eq(bits[0])]
        with m.If(self.i.ready), m.If(self.i.valid):
            m.d.sync += [
                bits.eq(Cat(C(0, 1), self.i.payload)),
                left.eq(_BITS + 2),
                timer.eq(self.bit_clocks - 1),
            ]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [
                bits.eq(Cat(bits[1:], C(1, 1))),
                left.eq(left - 1),
                timer.eq(self.bit_clocks - 1),
            ]
        return m
