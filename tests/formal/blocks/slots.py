"""The slot table: no slot is handed out twice, none is lost, entries come back as they were."""

import dataclasses

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.slots import SlotTable
from mcos_hw.config import ChannelConfig
from mcos_hw.link.served import slot_entry_layout
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
BLOCK = "mcos_hw.channel.slots.SlotTable"
SLOTS = "mcos_hw.channel.slots"


class SlotHarness(Harness):
    """Follows any one slot, and counts all.

    A slot is fresh, used, leaving (completed in the clock before) or in the ring. What is said of
    the ring is said of any one place in it.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        table = SlotTable(config)
        inside = self.prove(m, table)
        slot = self.any_constant(m, config.slot_width, name="any_slot")
        place = self.any_constant(m, config.slot_width, name="any_place")

        unused = self.look("unused", config.slot_width)
        recycles = self.look("recycles", 1)
        first = self.look("first", config.slot_width)
        last = self.look("last", config.slot_width)
        free = self.look("free", range(config.slots + 1))
        completed_slot = self.look("completed_slot", config.slot_width)
        shown = self.look("ring_read__data", config.slot_width)

        def read(memory, address):
            port = memory.read_port(domain="comb")
            m.d.comb += port.addr.eq(address)
            return port.data

        # What the surroundings do.
        opened = Signal()
        reserved = Signal()
        in_use = Signal(range(config.slots + 1))
        m.d.sync += [
            opened.eq(table.open_then),
            reserved.eq(table.grant.valid),
            in_use.eq(in_use + table.departure.valid - table.completion.valid),
        ]
        used = Signal()
        request = table.departure.request
        entry = Signal(slot_entry_layout(config))
        taken = table.departure.valid & (table.slot == slot)
        completed = table.completion.valid & (table.completion.payload.slot == slot)
        with m.If(taken):
            m.d.sync += used.eq(1)
            m.d.sync += [
                entry[name].eq(request[name]) for name in slot_entry_layout(config).members
            ]
        with m.Elif(completed):
            m.d.sync += used.eq(0)
        m.d.comb += [
            Assume(opened | ~table.grant.valid),
            Assume(table.departure.valid == reserved),
            Assume(~table.completion.valid | (in_use != 0)),
            Assume(~completed | used),
        ]

        # Where slots are.
        fresh = Signal(range(config.slots + 1))
        ringed = Signal(range(config.slots + 1))
        written = Signal()
        home = Signal(config.slot_width)
        leaving = table.served.valid & (completed_slot == slot)
        is_fresh = ~recycles & (slot >= unused)
        m.d.comb += fresh.eq(Mux(recycles, 0, config.slots - unused))
        m.d.sync += [
            ringed.eq(ringed + table.served.valid - (table.departure.valid & recycles)),
            written.eq(table.served.valid),
        ]
        with m.If(leaving):
            m.d.sync += home.eq(last)

        def in_place(index, content):
            """If the slot is in the ring at ``index``, it is nowhere else."""
            distance = (index - first)[: config.slot_width]
            there = (distance < ringed) & (content == slot)
            return implies(there, ~used & ~leaving & ~is_fresh & (home == index))

        self.instance(m, in_place(first, read(inside.submodules.ring, first)))
        m.d.comb += [
            self.invariant(
                (last - first)[: config.slot_width] == ringed[: config.slot_width],
                free + reserved == ringed + fresh,
                implies(opened, free > written),
                implies(reserved & recycles, ringed > written),
                implies(ringed > written, shown == read(inside.submodules.ring, first)),
                in_place(place, read(inside.submodules.ring, place)),
                implies(used, ~leaving & ~is_fresh),
                implies(leaving, ~is_fresh),
                implies(used, read(inside.submodules.entries, slot) == entry),
            ),
            Assert(implies(taken & (~recycles | (first == place)), ~used & ~leaving)),
            Assert(ringed + fresh + in_use + table.served.valid == config.slots),
            Assert(implies(leaving, table.served.entry == entry)),
        ]
        self.reach(m, leaving, taken & recycles, in_use)
        return m

    def reach(self, m: Module, leaving: Value, again: Value, in_use: Signal) -> None:
        """A slot comes back while another one is in use."""
        m.d.comb += Cover(leaving & (in_use == 2))


class RingHarness(SlotHarness):
    """The same, until slots are handed out again."""

    def reach(self, m, leaving, again, in_use):
        came_back = Signal()
        with m.If(leaving):
            m.d.sync += came_back.eq(1)
        m.d.comb += Cover(came_back & again)


PROPERTIES = (
    Property(
        name="slots.handed_out_once",
        claim="A slot in use is never handed out, and slots are neither lost nor made.",
        block=BLOCK,
        config=CONFIG,
        harness=SlotHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=SLOTS,
            text="unused.eq(unused + 1)",
            instead="unused.eq(unused + ~self.completion.valid)",
        ),
        reach=7,
    ),
    Property(
        name="slots.entry_comes_back",
        claim="The entry of a completed slot is what was put there.",
        block=BLOCK,
        config=CONFIG,
        harness=SlotHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=SLOTS,
            text="write.addr.eq(self.slot)",
            instead="write.addr.eq(self.slot ^ 1)",
        ),
        reach=7,
    ),
    Property(
        name="slots.ring_of_16",
        claim="With few slots, so that they come round: none in use is handed out, none is lost.",
        block=BLOCK,
        config=dataclasses.replace(CONFIG, slots=16),
        harness=RingHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=SLOTS,
            text="ring_write.en.eq(self.served.valid)",
            instead="ring_write.en.eq(0)",
        ),
        reach=24,
        skip=18,
    ),
)
