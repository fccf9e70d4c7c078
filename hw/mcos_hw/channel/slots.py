"""What is granted and not yet served, by transaction id."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.grant import Departure, Grant, departure_signature, grant_signature
from mcos_hw.link.request import StructuredStream, completion_signature
from mcos_hw.link.served import Served, served_signature, slot_entry_layout

__all__ = ["SlotTable"]


class SlotTable(wiring.Component):
    """Names every granted request by a slot number, its transaction id at the memory port.

    A grant reserves a slot. In the next clock its departure takes the slot, and the table remembers
    the request. Memory may complete slots in any order, one per clock, each from the clock after
    its departure on. What was remembered appears one clock after the completion, and the slot can
    be reserved again two clocks after that. All of this goes on side by side, once each per clock.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    grant : In(Grant)
        The grant of this clock reserves a slot; there is one only while a slot is available.
    open_then : Out(1)
        A slot can be reserved in the next clock.
    departure : In(Departure)
        The request that takes ``slot``, in the clock after its grant.
    slot : Out(slot_width)
        The slot that a departure of this clock takes.
    completion : In(stream of completion_layout, always ready)
        The slot that memory has served.
    served : Out(Served)
        The request of the completion of the clock before.
    """

    grant: Grant
    open_then: Signal
    departure: Departure
    slot: Signal
    completion: StructuredStream
    served: Served

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "grant": In(grant_signature(config)),
                "open_then": Out(1),
                "departure": In(departure_signature(config)),
                "slot": Out(config.slot_width),
                "completion": In(completion_signature(config)),
                "served": Out(served_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        take, completed = self.departure.valid, self.completion.payload.slot

        layout = slot_entry_layout(config)
        m.submodules.entries = entries = memory.Memory(shape=layout, depth=config.slots, init=[])
        write = entries.write_port()
        read = entries.read_port()
        completed_slot = Signal(config.slot_width)
        m.d.comb += [
            write.addr.eq(self.slot),
            *(write.data[name].eq(self.departure.request[name]) for name in layout.members),
            write.en.eq(take),
            read.addr.eq(completed),
            self.served.entry.eq(read.data),
        ]
        m.d.sync += [self.served.valid.eq(self.completion.valid), completed_slot.eq(completed)]

        # Slots never used since reset are counted up; freed ones wait in a ring. So the ring
        # needs no contents at reset.
        m.submodules.ring = ring = memory.Memory(
            shape=config.slot_width, depth=config.slots, init=[]
        )
        ring_write = ring.write_port()
        ring_read = ring.read_port()
        unused = Signal(config.slot_width)
        recycles = Signal()
        first = Signal(config.slot_width)
        first_then = Signal(config.slot_width)
        last = Signal(config.slot_width)
        m.d.comb += [
            self.slot.eq(Mux(recycles, ring_read.data, unused)),
            first_then.eq(first + (take & recycles)),
            ring_read.addr.eq(first_then),
            ring_write.addr.eq(last),
            ring_write.data.eq(completed_slot),
            ring_write.en.eq(self.served.valid),
        ]
        m.d.sync += [first.eq(first_then), last.eq(last + self.served.valid)]
        with m.If(take & ~recycles):
            m.d.sync += [unused.eq(unused + 1), recycles.eq(unused.all())]

        # What is reserved two clocks after it was written is taken when the ring shows it.
        free = Signal(range(config.slots + 1), init=config.slots)
        m.d.sync += free.eq(free + self.served.valid - self.grant.valid)
        m.d.comb += self.open_then.eq(free > self.grant.valid)
        return m
