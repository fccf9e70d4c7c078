"""A queue in a memory, with its head in flip-flops."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.request import StructuredStream, structured_stream

__all__ = ["Backlog"]


class Backlog(wiring.Component):
    """Keeps items in order, the first in flip-flops and the others in a memory.

    An item that comes to an empty backlog is offered in the next clock. One item enters and one
    leaves in every clock, sustained. When the first item leaves and the one behind it entered in
    the clock before, a clock or two pass until that one is offered; the items that enter meanwhile
    make up for it.

    The backlog never waits: its owner knows that no more than ``depth`` items are in it. Reset
    empties it; the memory needs no contents then.

    Parameters
    ----------
    layout : data.StructLayout
        An item.
    depth : int
        How many items it holds, at least 2; a power of two.

    Members
    -------
    i : In(stream of an item, always ready)
        An item that enters.
    o : Out(stream of an item)
        The oldest item.

    Raises
    ------
    TypeError
        If ``depth`` is not an integer.
    ValueError
        If ``depth`` is less than 2 or not a power of two.
    """

    i: StructuredStream
    o: StructuredStream

    def __init__(self, layout: data.StructLayout, *, depth: int) -> None:
        if not isinstance(depth, int) or isinstance(depth, bool):
            raise TypeError(f"depth must be an integer, not {depth!r}")
        if depth < 2 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two, at least 2, not {depth!r}")
        self.layout = layout
        self.depth = depth
        super().__init__(
            {
                "i": In(structured_stream(layout, always_ready=True)),
                "o": Out(structured_stream(layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.ring = ring = memory.Memory(shape=self.layout, depth=self.depth, init=[])
        write, read = ring.write_port(), ring.read_port()
        # Items in the memory. It shows the first of them, if ``shown`` is set.
        held = Signal(range(self.depth + 1))
        first = Signal(range(self.depth))
        second = Signal(range(self.depth))
        last = Signal(range(self.depth))
        shown = Signal()

        head = Signal(self.layout)
        head_valid = Signal()
        moves = Signal()
        passes = Signal()
        stored = Signal()
        left = Signal()
        m.d.comb += [
            self.o.payload.eq(head),
            self.o.valid.eq(head_valid),
            moves.eq(~head_valid | self.o.ready),
            passes.eq(moves & (held == 0)),
            left.eq(moves & shown),
            stored.eq(self.i.valid & ~passes),
            second.eq(first + 1),
            write.addr.eq(last),
            write.data.eq(self.i.payload),
            write.en.eq(stored),
            # Whether an item leaves is known late: what may be shown next does not wait for it.
            read.addr.eq(Mux(shown, second, first)),
            read.en.eq(~shown | left),
        ]
        m.d.sync += [
            last.eq(last + stored),
            held.eq(held + stored - left),
            # An item that is written in this clock is not read in it.
            shown.eq(Mux(left, held > 1, held != 0)),
        ]
        with m.If(left):
            m.d.sync += first.eq(second)
        with m.If(moves):
            m.d.sync += [
                head.eq(Mux(shown, read.data, self.i.payload)),
                head_valid.eq(shown | (self.i.valid & passes)),
            ]
        return m
