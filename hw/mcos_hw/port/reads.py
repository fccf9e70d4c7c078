"""The read side of a port: fragments to memory, and their data back to the requester."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.axi_beat import read_beat_signature
from mcos_hw.link.burst import attributes_layout
from mcos_hw.link.fragment import (
    channel_field,
    channel_number,
    fragment_signature,
    landing_signature,
)
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.link.request import StructuredStream
from mcos_hw.link.transfer import Described, Returned, described_signature, returned_signature
from mcos_hw.port.gather import Gather
from mcos_hw.port.hazard import HazardTable
from mcos_hw.port.interleave import local_address
from mcos_hw.port.order import ResponseOrder
from mcos_hw.port.return_bank import ReturnBank
from mcos_hw.port.unpack import Unpacker, unpacked_layout
from mcos_hw.primitive.free_list import FreeList

__all__ = ["ReadSide"]


class ReadSide(wiring.Component):
    """Sends read fragments on, and answers them with what memory returns.

    Each channel has a return bank. A fragment is taken when an entry is free and the bank of its
    channel has room for all its beats. It is
    offered to ``landings`` in the next clock, or as soon as no outstanding one of its order that
    touches its beats keeps it back (:class:`mcos_hw.port.hazard.HazardTable`). So whatever was
    sent has its room, and ``returned`` is taken in every clock, even if the requester never takes
    R: that holds up its own port and nothing else. A fragment that was refused takes an entry and
    no room, never lands, and is answered with zeros in its turn.

    Fragments of one order are answered as they came, those of different orders as their last beats
    return. Fragments of different orders take turns; the transfers of one fragment leave together.
    R ends with ``last`` at the end of the last fragment of a burst.

    One fragment may pass, one beat return and one transfer leave in every clock, sustained, but
    fragments pass in every other clock only while the bank has no room for the longest. A transfer
    wider than a memory beat takes a clock for each of its beats. R becomes valid five
    clocks after the last beat of a fragment returned, if nothing else is to be answered::

        clock           0     1     2     3     4     5
        returned       last
        order                      next
        bank                       find  read  data
        entry's row                look  row
        unpacker                               step
        R                                           valid

    With several channels it is a clock more, as they may complete fragments in the same clock
    (:class:`mcos_hw.port.gather.Gather`).

    ``beats`` leaves from registers, and nothing that enters reaches ``beats`` or ``attributes`` in
    the same clock. An entry can be taken again four clocks after the last beat of its fragment was
    read. After reset nothing is under way.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    port : PortConfig
        Sizes of the port.

    Members
    -------
    fragments : In(stream of fragment_layout)
        Fragments, those of one ID in the order in which they must be answered.
    landings : Out(stream of landing_layout)
        Those that go to memory. What is offered stays until it is taken.
    tenant : Out(tenants)
        Whose the fragment is that is there, one bit set.
    waits : Out(1)
        A fragment is there, even if it may not land yet; known early in a clock.
    idle : Out(1)
        Nothing is under way here, but for what waits at ``beats``.
    interleave : In(interleave_layout)
        How addresses are spread over several channels.
    returned : In(Returned), an array with one for each channel
        A beat from memory, for a fragment that landed in an earlier clock. Beats of a fragment come
        in order, those of different fragments in any order.
    described : In(Described), an array with one for each channel
        Attributes of a fragment that landed in an earlier clock and has not been answered.
    beats : Out(stream of read_beat_layout)
        R.
    """

    fragments: StructuredStream
    landings: StructuredStream
    tenant: Signal
    waits: Signal
    idle: Signal
    interleave: data.View
    returned: Sequence[Returned]
    described: Sequence[Described]
    beats: StructuredStream

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "fragments": In(fragment_signature(fabric, port)),
                "landings": Out(landing_signature(fabric, port)),
                "tenant": Out(fabric.channel.tenants),
                "waits": Out(1),
                "idle": Out(1),
                **({"interleave": In(interleave_layout(fabric))} if fabric.channels > 1 else {}),
                "returned": In(returned_signature(fabric)).array(fabric.channels),
                "described": In(described_signature(fabric)).array(fabric.channels),
                "beats": Out(read_beat_signature(port)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, port = self.fabric, self.port
        m.submodules.hazard = hazard = HazardTable(fabric, port)
        fragment, landing = self.fragments.payload, hazard.i.payload
        entry_shape = range(port.reads)

        m.submodules.entries = entries = FreeList(port.reads)
        banks = [ReturnBank(fabric, port) for _ in range(fabric.channels)]
        m.submodules.order = order = ResponseOrder(port.reads, 1 << port.order_bits)
        m.submodules.unpacker = unpacker = Unpacker(fabric, port)

        # A fragment passes: it takes an entry, and goes on to land unless it was refused.
        refused = Signal()
        passes = Signal()
        has_room = Signal()
        channel = channel_number(fabric, fragment)
        local = fragment.address
        if fabric.channels > 1:
            local = local_address(fabric, self.interleave, fragment.address)
        entry = entries.take.payload
        m.d.comb += [
            refused.eq(fragment.response != 0),
            has_room.eq(Cat(bank.room for bank in banks).bit_select(channel, 1)),
            hazard.i.valid.eq(self.fragments.valid & ~refused & entries.take.valid & has_room),
            landing.tenant.eq(fragment.tenant),
            landing.beats.eq(fragment.beats),
            landing.address.eq(local & ~(fabric.beat_bytes - 1)),
            *(landing[name].eq(channel) for name in channel_field(fabric)),
            landing.hazard.eq(fragment.hazard),
            landing.entry.eq(entry),
            landing.order.eq(fragment.id),
            landing.offered.eq(fragment.offered),
            self.fragments.ready.eq(entries.take.valid & (refused | (has_room & hazard.i.ready))),
            passes.eq(self.fragments.valid & self.fragments.ready),
            entries.take.ready.eq(passes),
            order.append_valid.eq(passes),
            order.append_entry.eq(entry),
            order.append_order.eq(fragment.id[: port.order_bits]),
            order.append_complete.eq(refused),
        ]
        for c, bank in enumerate(banks):
            m.submodules[f"bank_{c}"] = bank
            m.d.comb += [
                bank.beats.eq(fragment.beats),
                bank.reserve.eq(passes & ~refused & (channel == c)),
                bank.waits.eq(self.fragments.valid & ~self.fragments.ready),
            ]

        # What its answer needs is kept: a row for the unpacker; its beats apart, in a table that is
        # read in the same clock, because they decide at once what is found next; its attributes
        # apart, for the memory port.
        m.submodules.rows = rows = memory.Memory(
            shape=unpacked_layout(fabric, port), depth=port.reads, init=[]
        )
        length = data.StructLayout(
            {
                "more": range(fabric.channel.max_beats),
                "single": 1,
                "refused": 1,
                **channel_field(fabric),
            }
        )
        m.submodules.lengths = lengths = memory.Memory(shape=length, depth=port.reads, init=[])
        m.submodules.attributes = attributes = memory.Memory(
            shape=attributes_layout(), depth=port.reads, init=[]
        )
        row_write, row_read = rows.write_port(), rows.read_port()
        length_write, length_read = lengths.write_port(), lengths.read_port(domain="comb")
        attributes_write = attributes.write_port()
        m.d.comb += [
            row_write.en.eq(passes),
            row_write.addr.eq(entry),
            row_write.data.id.eq(fragment.id),
            row_write.data.first.eq(fragment.address),
            row_write.data.size.eq(fragment.size),
            row_write.data.more.eq(fragment.transfers - 1),
            row_write.data.last.eq(fragment.last),
            row_write.data.response.eq(fragment.response),
            length_write.en.eq(passes),
            length_write.addr.eq(entry),
            length_write.data.more.eq(fragment.beats - 1),
            length_write.data.single.eq(refused | (fragment.beats == 1)),
            length_write.data.refused.eq(refused),
            *(length_write.data[name].eq(channel) for name in channel_field(fabric)),
            attributes_write.en.eq(passes),
            attributes_write.addr.eq(entry),
            attributes_write.data.eq(fragment.attributes),
        ]
        for described in self.described:
            attributes_read = attributes.read_port()
            m.d.comb += [
                attributes_read.en.eq(described.stb),
                attributes_read.addr.eq(described.entry),
                described.attributes.eq(attributes_read.data),
            ]

        # Each channel may complete a fragment in this clock. A bank bounds how many.
        units = port.read_units // fabric.channels
        m.submodules.completed = completed = Gather(
            data.StructLayout({"entry": fabric.entry_width}),
            depth=min(port.reads, units),
            channels=fabric.channels,
        )
        wiring.connect(m, hazard.o, wiring.flipped(self.landings))
        for returned, bank, each in zip(self.returned, banks, completed.i, strict=True):
            wiring.connect(m, bank.returned, wiring.flipped(returned))
            m.d.comb += [
                each.valid.eq(returned.valid & returned.last),
                each.payload.entry.eq(returned.entry),
            ]
        m.d.comb += [
            self.tenant.eq(hazard.tenant),
            self.waits.eq(hazard.waits),
            hazard.leave_valid.eq(order.complete_valid),
            hazard.leave_entry.eq(order.complete_entry),
            order.complete_valid.eq(completed.o.valid),
            order.complete_entry.eq(completed.o.payload.entry),
        ]

        # Its turn comes. An entry that cannot be read at once waits beside the order, so that what
        # the order looks up next does not depend on RREADY in the same clock.
        waits = Signal()
        waiting = Signal(entry_shape)
        turn = Signal(entry_shape)
        starts = Signal()
        m.d.comb += [
            order.next.ready.eq(~waits),
            turn.eq(Mux(waits, waiting, order.next.payload)),
        ]
        with m.If(~waits):
            m.d.sync += waiting.eq(order.next.payload)
        m.d.sync += waits.eq((waits | order.next.valid) & ~starts)

        # Its beats are found one after the other, each a clock before it is read.
        finds = Signal()
        found = Signal()
        found_entry = Signal(entry_shape)
        found_beat = Signal(range(fabric.channel.max_beats))
        found_beats = Signal(range(fabric.channel.max_beats))
        found_first = Signal()
        found_last = Signal()
        found_refused = Signal()
        found_channel = Signal.like(channel)
        word_channel = Signal.like(channel)
        bank_entry = Signal(entry_shape)
        bank_beat = Signal(range(fabric.channel.max_beats))
        takes = Signal()
        moves = Signal()
        word_valid = Signal()
        word_free = Signal()
        m.d.comb += [
            finds.eq(~found | moves),
            starts.eq(finds & (~found | found_last)),
            row_read.en.eq(starts),
            row_read.addr.eq(turn),
            length_read.addr.eq(turn),
            bank_entry.eq(found_entry),
            bank_beat.eq(found_beat + 1),
        ]
        with m.If(~found | found_last):
            m.d.comb += [bank_entry.eq(turn), bank_beat.eq(0)]
        for c, bank in enumerate(banks):
            m.d.comb += [
                bank.find.eq(finds),
                bank.entry.eq(bank_entry),
                bank.beat.eq(bank_beat),
                bank.read.eq(takes & (found_channel == c)),
            ]
        with m.If(finds):
            m.d.sync += [
                found.eq(~starts | waits | order.next.valid),
                found_entry.eq(bank_entry),
                found_beat.eq(bank_beat),
                found_first.eq(starts),
                found_last.eq(bank_beat == found_beats),
            ]
        with m.If(starts):
            m.d.sync += [
                found_beats.eq(length_read.data.more),
                found_last.eq(length_read.data.single),
                found_refused.eq(length_read.data.refused),
                found_channel.eq(channel_number(fabric, length_read.data)),
            ]

        # The unpacker takes the row with the first beat, and each beat in the clock after.
        m.d.comb += [
            word_free.eq(~word_valid | unpacker.words.ready),
            moves.eq(
                found & (found_refused | word_free) & (~found_first | unpacker.fragments.ready)
            ),
            takes.eq(moves & ~found_refused),
            unpacker.fragments.valid.eq(found & found_first & (found_refused | word_free)),
            unpacker.fragments.payload.eq(row_read.data),
            unpacker.words.valid.eq(word_valid),
        ]
        with m.Switch(word_channel):
            for c, bank in enumerate(banks):
                with m.Case(c):
                    m.d.comb += [
                        unpacker.words.payload.data.eq(bank.data),
                        unpacker.words.payload.response.eq(bank.response),
                    ]
        with m.If(word_free):
            m.d.sync += [word_valid.eq(takes), word_channel.eq(found_channel)]
        wiring.connect(m, unpacker.beats, wiring.flipped(self.beats))

        leaves = moves & found_last
        m.d.sync += [
            entries.give.valid.eq(leaves),
            entries.give.number.eq(found_entry),
        ]
        under_way = Signal(range(port.reads + 1))
        m.d.sync += under_way.eq(under_way + passes - leaves)
        m.d.comb += self.idle.eq(~self.fragments.valid & (under_way == 0))
        return m
