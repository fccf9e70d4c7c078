"""A place for two items of a stream, so that neither side waits combinationally for the other."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.request import StructuredStream, structured_stream

__all__ = ["ElasticBuffer"]


class ElasticBuffer(wiring.Component):
    """Holds up to two items of a stream, in order.

    An item leaves in the clock after it came at the earliest. One item passes per clock,
    sustained. ``i.ready``, ``o.valid`` and ``o.payload`` come from flip-flops. It is empty after
    reset.

    Parameters
    ----------
    layout : data.Layout
        An item.

    Members
    -------
    i : In(stream)
        Items in.
    o : Out(stream)
        Items out.
    """

    i: StructuredStream
    o: StructuredStream

    def __init__(self, layout: data.Layout) -> None:
        self.layout = layout
        super().__init__({"i": In(structured_stream(layout)), "o": Out(structured_stream(layout))})

    def elaborate(self, platform):
        m = Module()
        first = Signal(self.layout.size)
        second = Signal(self.layout.size)
        first_valid = Signal()
        second_valid = Signal()
        m.d.comb += [
            self.i.ready.eq(~second_valid),
            self.o.valid.eq(first_valid),
            Value.cast(self.o.payload).eq(first),
        ]
        moves = Signal()
        comes = Signal()
        m.d.comb += [moves.eq(~first_valid | self.o.ready), comes.eq(self.i.valid & ~second_valid)]
        with m.If(moves):
            m.d.sync += [
                first.eq(Mux(second_valid, second, Value.cast(self.i.payload))),
                first_valid.eq(second_valid | comes),
                second_valid.eq(0),
            ]
        with m.Elif(comes):
            m.d.sync += [second.eq(Value.cast(self.i.payload)), second_valid.eq(1)]
        return m
