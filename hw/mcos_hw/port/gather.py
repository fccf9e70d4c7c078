"""What several channels tell a port in one clock, one after the other."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.request import StructuredStream, structured_stream
from mcos_hw.primitive.backlog import Backlog
from mcos_hw.primitive.turn import next_turn

__all__ = ["Gather"]


class Gather(wiring.Component):
    """Takes an item from each channel in every clock, and gives one in a clock.

    Channels finish fragments of one port in the same clock. None of them may wait, and the port
    answers one fragment in a clock. So items wait here, in a queue for each channel, and queues
    take turns. A port has no more fragments under way than a queue holds, so none is lost. From
    several channels an item leaves in the next clock at the earliest; from one, in the same clock.

    After reset nothing waits.

    Parameters
    ----------
    layout : data.StructLayout
        An item.
    depth : int
        Items of a channel that may wait; a power of two, at least 2.
    channels : int
        How many channels, at least 1.

    Members
    -------
    i : In(stream of an item, always ready), an array with one for each channel
        Items in.
    o : Out(stream of an item, always ready)
        An item; it is taken in this clock.
    """

    i: Sequence[StructuredStream]
    o: StructuredStream

    def __init__(self, layout: data.StructLayout, *, depth: int, channels: int) -> None:
        self.layout = layout
        self.depth = depth
        self.channels = channels
        item = structured_stream(layout, always_ready=True)
        super().__init__({"i": In(item).array(channels), "o": Out(item)})

    def elaborate(self, platform):
        m = Module()
        if self.channels == 1:
            (only,) = self.i
            m.d.comb += [self.o.valid.eq(only.valid), self.o.payload.eq(only.payload)]
            return m
        queues = [Backlog(self.layout, depth=self.depth) for _ in self.i]
        waits = Cat(queue.o.valid for queue in queues)
        last = Signal(range(self.channels))
        chosen = next_turn(m, last, waits, name="chosen")
        m.d.comb += self.o.valid.eq(waits.any())
        with m.If(waits.any()):
            m.d.sync += last.eq(chosen)
        with m.Switch(chosen):
            for c, queue in enumerate(queues):
                with m.Case(c):
                    m.d.comb += [self.o.payload.eq(queue.o.payload), queue.o.ready.eq(1)]
        for c, (each, queue) in enumerate(zip(self.i, queues, strict=True)):
            m.submodules[f"queue_{c}"] = queue
            m.d.comb += [queue.i.valid.eq(each.valid), queue.i.payload.eq(each.payload)]
        return m
