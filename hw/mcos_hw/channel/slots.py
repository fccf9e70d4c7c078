"""What is granted and not yet served: slots, and the bytes they hold."""

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

    A slot is free again in the clock after its completion is looked up. A completion must name a
    slot in use; memory may complete slots in any order, one per clock. The entry appears one
    clock after ``complete``. Allocation and completion go on side by side, one each per clock.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    available : Out(1)
        A slot is free.
    slot : Out(slot_width)
        The slot that ``allocate`` would take.
    allocate : In(1)
        Take the slot for ``entry``; only while ``available``.
    entry : In(slot_entry_layout)
        What to remember.
    complete : In(1)
        Memory has served ``complete_slot``.
    complete_slot : In(slot_width)
        Which slot.
    served : Out(1)
        ``served_entry`` belongs to the completion of the clock before.
    served_entry : Out(slot_entry_layout)
        What was remembered.
    in_flight : Out(credit_width)
        Bytes granted and not yet served.
    """

    available: Signal
    slot: Signal
    allocate: Signal
    entry: data.View
    complete: Signal
    complete_slot: Signal
    served: Signal
    served_entry: data.View
    in_flight: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        entry = slot_entry_layout(config)
        super().__init__(
            {
                "available": Out(1),
                "slot": Out(config.slot_width),
                "allocate": In(1),
                "entry": In(entry),
                "complete": In(1),
                "complete_slot": In(config.slot_width),
                "served": Out(1),
                "served_entry": Out(entry),
                "in_flight": Out(config.credit_width),
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
            write.en.eq(self.allocate),
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
        ring_read = ring.read_port(domain="comb")
        unused = Signal(range(config.slots + 1), init=config.slots)
        freed = Signal(range(config.slots + 1))
        first = Signal(config.slot_width)
        last = Signal(config.slot_width)
        from_ring = Signal()
        m.d.comb += [
            from_ring.eq(unused == 0),
            self.available.eq(~from_ring | (freed != 0)),
            self.slot.eq(Mux(from_ring, ring_read.data, config.slots - unused)),
            ring_read.addr.eq(first),
            ring_write.addr.eq(last),
            ring_write.data.eq(completed_slot),
            ring_write.en.eq(self.served),
        ]
        with m.If(self.allocate & ~from_ring):
            m.d.sync += unused.eq(unused - 1)
        with m.If(self.allocate & from_ring):
            m.d.sync += first.eq(first + 1)
        with m.If(self.served):
            m.d.sync += last.eq(last + 1)
        m.d.sync += freed.eq(freed + self.served - (self.allocate & from_ring))

        granted = Mux(self.allocate, self.entry.beats * config.beat_bytes, 0)
        returned = Mux(self.served, self.served_entry.beats * config.beat_bytes, 0)
        m.d.sync += self.in_flight.eq(self.in_flight + granted - returned)
        return m
