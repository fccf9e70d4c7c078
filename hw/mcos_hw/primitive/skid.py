"""A register stage of a stream that cuts paths in both directions."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.request import StructuredStream, structured_stream

__all__ = ["Skid"]


class Skid(wiring.Component):
    """A stage whose outputs, ``i.ready`` among them, all come from flip-flops.

    An item is offered one clock after it was taken. One passes in every clock, sustained. ``i``
    hears one clock late that ``o`` waits; the item that it gives meanwhile goes to a spare place,
    so two are taken before it waits. Reset empties both places.

    Parameters
    ----------
    layout : data.StructLayout
        An item.

    Members
    -------
    i : In(stream of an item)
        Items in.
    o : Out(stream of an item)
        The same in the same order.
    """

    i: StructuredStream
    o: StructuredStream

    def __init__(self, layout: data.StructLayout) -> None:
        self.layout = layout
        super().__init__({"i": In(structured_stream(layout)), "o": Out(structured_stream(layout))})

    def elaborate(self, platform):
        m = Module()
        offered, spare = Signal(self.layout), Signal(self.layout)
        offered_valid, spare_valid = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~spare_valid),
            self.o.payload.eq(offered),
            self.o.valid.eq(offered_valid),
        ]
        with m.If(~spare_valid):
            m.d.sync += spare.eq(self.i.payload)
        with m.If(~offered_valid | self.o.ready):
            m.d.sync += [
                offered.eq(Mux(spare_valid, spare, self.i.payload)),
                offered_valid.eq(spare_valid | self.i.valid),
                spare_valid.eq(0),
            ]
        with m.Elif(self.i.valid):
            m.d.sync += spare_valid.eq(1)
        return m
