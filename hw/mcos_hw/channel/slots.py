"""What is granted and not yet served, by transaction id."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig

__all__ = [
    "SlotTable",
    "slot_entry_layout",
]


def slot_entry_layout(config: ChannelConfig) -> data.StructLayout:
    """What is remembered of a granted request until memory has served it."""
    return data.StructLayout(
        {
            "tenant": config.tenant_width,
            "id": config.id_width,
            "beats": config.beats_width,
            "offered": config.stamp_width,
        }
    )


class SlotTable(wiring.Component):
    """Names every granted request by a slot number, its transaction id at the memory port.

    A grant reserves a slot; in the next clock it takes it for its entry. Memory may complete slots
    in any order, one per clock, each from the clock after it was taken on. The entry appears one
    clock after ``complete``; the slot can be reserved again two clocks after that. All of this
    goes on side by side, once each per clock.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    reserve : In(1)
        A grant is made in this clock; only while a slot is available.
    available_then : Out(1)
        A slot can be reserved in the next clock.
    take : In(1)
        Take ``slot`` for ``entry``: in the clock after ``reserve``.
    entry : In(slot_entry_layout)
        What to remember.
    slot : Out(slot_width)
        The slot that ``take`` takes.
    complete : In(1)
        Memory has served ``complete_slot``.
    complete_slot : In(slot_width)
        Which slot.
    served : Out(1)
        ``served_entry`` belongs to the completion of the clock before.
    served_entry : Out(slot_entry_layout)
        What was remembered.
    """

    reserve: Signal
    available_then: Signal
    take: Signal
    entry: data.View
    slot: Signal
    complete: Signal
    complete_slot: Signal
    served: Signal
    served_entry: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        entry = slot_entry_layout(config)
        super().__init__(
            {
                "reserve": In(1),
                "available_then": Out(1),
                "take": In(1),
                "entry": In(entry),
                "slot": Out(config.slot_width),
                "complete": In(1),
                "complete_slot": In(config.slot_width),
                "served": Out(1),
                "served_entry": Out(entry),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config

        m.submodules.entries = entries = memory.Memory(
            shape=slot_entry_layout(config), depth=config.slots, init=[]
        )
        write = entries.write_port()
        read = entries.read_port()
        completed_slot = Signal(config.slot_width)
        m.d.comb += [
            write.addr.eq(self.slot),
            write.data.eq(self.entry),
            write.en.eq(self.take),
            read.addr.eq(self.complete_slot),
            self.served_entry.eq(read.data),
        ]
        m.d.sync += [self.served.eq(self.complete), completed_slot.eq(self.complete_slot)]

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
            first_then.eq(first + (self.take & recycles)),
            ring_read.addr.eq(first_then),
            ring_write.addr.eq(last),
            ring_write.data.eq(completed_slot),
            ring_write.en.eq(self.served),
        ]
        m.d.sync += [first.eq(first_then), last.eq(last + self.served)]
        with m.If(self.take & ~recycles):
            m.d.sync += [unused.eq(unused + 1), recycles.eq(unused.all())]

        # What is reserved two clocks after it was written is taken when the ring shows it.
        free = Signal(range(config.slots + 1), init=config.slots)
        m.d.sync += free.eq(free + self.served - self.reserve)
        m.d.comb += self.available_then.eq(free > self.reserve)
        return m
