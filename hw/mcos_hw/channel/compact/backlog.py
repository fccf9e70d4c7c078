"""A backlog of events in one memory."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.request import StructuredStream, structured_stream

__all__ = ["EventBacklog"]


class EventBacklog(wiring.Component):
    """Keeps items in order in a memory, for somebody who is in no hurry.

    An item is offered in the third clock after it enters, or as soon as the one before it has left.
    One enters and one leaves in every clock, sustained. The backlog never waits: its owner knows
    that no more than ``depth`` items are in the memory.
    :class:`mcos_hw.primitive.backlog.Backlog` offers an item in the next clock, for more gates.

    Parameters
    ----------
    layout : data.StructLayout
        An item.
    depth : int
        How many items it holds; a power of two.

    Members
    -------
    i : In(stream of an item, always ready)
        An item that enters.
    o : Out(stream of an item)
        The oldest item.
    """

    i: StructuredStream
    o: StructuredStream

    def __init__(self, layout: data.StructLayout, *, depth: int) -> None:
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
        m.submodules.items = items = memory.Memory(
            shape=self.layout,
            depth=self.depth,
            init=[],
            # What is read while it is written does not count as read.
            attrs={"no_rw_check": 1},
        )
        write, read = items.write_port(), items.read_port(domain="comb")
        # A memory's output is late in its clock: it goes to a register first.
        found, head = Signal(self.layout), Signal(self.layout)
        found_valid, head_valid = Signal(), Signal()
        waits = Signal()
        fetches = Signal()
        moves = Signal()
        m.d.comb += [
            self.o.payload.eq(head),
            self.o.valid.eq(head_valid),
            write.data.eq(self.i.payload),
            write.en.eq(self.i.valid),
            waits.eq(write.addr != read.addr),
            moves.eq(~head_valid | self.o.ready),
            fetches.eq(~found_valid | moves),
        ]
        m.d.sync += write.addr.eq(write.addr + self.i.valid)
        with m.If(fetches):
            m.d.sync += [
                found.eq(read.data),
                found_valid.eq(waits),
                read.addr.eq(read.addr + waits),
            ]
        with m.If(moves):
            m.d.sync += [head.eq(found), head_valid.eq(found_valid)]
        return m
