"""Numbers that are handed out and given back in any order."""

from typing import Protocol

from amaranth import *
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = [
    "FreeList",
    "Given",
]


class Given(Protocol):
    """A number that is given back. It must be in use."""

    valid: Signal
    """There is one in this clock."""

    number: Signal
    """Which one."""


class FreeList(wiring.Component):
    """Hands out each of the numbers 0 to ``depth - 1`` once until it is given back.

    One number may be taken and one given back in every clock, sustained. A number is offered from
    a register, so that it may enter any logic in the clock in which it is taken; it stays until it
    is taken. A number that is given back may be any one in use, and is offered again three clocks
    later at the earliest.

    Numbers never used since reset are counted up, and only those given back wait in a memory. So
    the memory needs no contents at reset and may be a block RAM. After reset every number is free;
    0 is offered at once.

    Parameters
    ----------
    depth : int
        How many numbers there are, at least 4; a power of two.

    Members
    -------
    take : Out(stream of a number)
        A number that is not in use. It is in use from the clock in which it is taken.
    give : In(Given)
        A number that is not in use any more. It must be in use: taken in an earlier clock, and not
        given back since.

    Raises
    ------
    TypeError
        If ``depth`` is not an integer.
    ValueError
        If ``depth`` is less than 4 or not a power of two.
    """

    take: stream.Interface
    give: Given

    def __init__(self, depth: int) -> None:
        if not isinstance(depth, int) or isinstance(depth, bool):
            raise TypeError(f"depth must be an integer, not {depth!r}")
        if depth < 4 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two, at least 4, not {depth!r}")
        self.depth = depth
        width = (depth - 1).bit_length()
        super().__init__(
            {
                "take": Out(stream.Signature(unsigned(width))),
                "give": In(wiring.Signature({"valid": Out(1), "number": Out(width)})),
            }
        )

    def elaborate(self, platform):
        m = Module()
        depth, take, give = self.depth, self.take, self.give

        m.submodules.ring = ring = memory.Memory(shape=range(depth), depth=depth, init=[])
        write, read = ring.write_port(), ring.read_port()
        # The memory shows the number at ``first``, if ``shown`` is set.
        first = Signal(range(depth))
        last = Signal(range(depth))
        ringed = Signal(range(depth + 1))
        shown = Signal()
        unused = Signal(range(depth), init=1)
        recycles = Signal()

        valid = Signal(init=1)
        number = Signal(range(depth))
        moves = Signal()
        from_ring = Signal()
        second = Signal(range(depth))
        m.d.comb += [
            take.valid.eq(valid),
            take.payload.eq(number),
            moves.eq(~valid | take.ready),
            from_ring.eq(moves & recycles & shown),
            second.eq(first + 1),
            write.addr.eq(last),
            write.data.eq(give.number),
            write.en.eq(give.valid),
            # Whether a number is taken is known late: what may be shown next does not wait for it.
            read.addr.eq(Mux(shown, second, first)),
            read.en.eq(~shown | from_ring),
        ]
        m.d.sync += [
            last.eq(last + give.valid),
            ringed.eq(ringed + give.valid - from_ring),
            # What is written in this clock is not read in it.
            shown.eq(Mux(from_ring, ringed > 1, ringed != 0)),
        ]
        with m.If(from_ring):
            m.d.sync += first.eq(second)
        with m.If(moves):
            m.d.sync += [
                valid.eq(~recycles | shown),
                number.eq(Mux(recycles, read.data, unused)),
            ]
            with m.If(~recycles):
                m.d.sync += [unused.eq(unused + 1), recycles.eq(unused.all())]
        return m
