"""The write side of an AXI port."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.axi_beat import (
    write_beat_signature,
    write_response_layout,
    write_response_signature,
)
from mcos_hw.link.burst import attributes_layout
from mcos_hw.link.fragment import (
    channel_field,
    channel_number,
    fragment_signature,
    landing_layout,
    landing_signature,
)
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.link.packing import Packed
from mcos_hw.link.request import StructuredStream
from mcos_hw.link.transfer import (
    Acknowledged,
    Described,
    Fetch,
    acknowledged_signature,
    described_signature,
    fetch_signature,
)
from mcos_hw.port.gather import Gather
from mcos_hw.port.hazard import HazardTable
from mcos_hw.port.interleave import local_address
from mcos_hw.port.order import ResponseOrder
from mcos_hw.port.packer import Packer
from mcos_hw.port.write_bank import WriteBank
from mcos_hw.primitive.backlog import Backlog
from mcos_hw.primitive.free_list import FreeList
from mcos_hw.primitive.skid import Skid

__all__ = ["WriteSide"]


class WriteSide(wiring.Component):
    """Brings write fragments and their data together, lands them, and answers their bursts.

    A fragment takes a free number, its *entry*, and waits until W has brought its data into the
    bank of its channel. Then it lands, in the order of AW. So a landed fragment never waits for a
    requester: a slow writer holds up later writes of its own port, as AXI itself does, and nobody
    else. A fragment that may not land yet keeps later ones from landing, but their data still come
    in, until the bank of the next one is full or every entry is taken.

    The memory side fetches the data of landed fragments and acknowledges them, both in any order.
    A burst gets one answer, after its last fragment was acknowledged: the worst answer of its
    fragments, DECERR over SLVERR over OKAY. Answers of one order (low bits of the ID) come in the
    order of AW, those of different orders as they are ready. A refused burst does not land; it is
    answered in its turn, after its transfers of W were taken. WLAST is checked, see
    :class:`mcos_hw.port.packer.Packer`.

    A fragment, a transfer of W, a landing, a fetch, an acknowledgement and an answer pass in every
    clock, sustained. A fragment whose data are waiting lands three clocks after it was taken,
    or four behind others, unless an outstanding one that touches its beats keeps it back
    (:class:`mcos_hw.port.hazard.HazardTable`)::

        clock       0        1        2        3
        fragments  |taken   |        |        |
        packer     |        |step    |word    |         a fragment of one transfer
        landings   |        |        |        |offered
        order      |        |        |appended|         refused: also complete

    ``fragments.ready``, ``data.ready`` and the answers come from flip-flops. Requesters that do not
    take B hold up entries of this port alone: ``fetch``, ``described`` and ``acknowledged`` never
    wait. Reset forgets all that is under way.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the memory port.
    port : PortConfig
        Sizes of this port.

    Members
    -------
    fragments : In(stream of fragment_layout)
        Fragments of AW's bursts, in order.
    data : In(stream of write_beat_layout)
        W.
    landings : Out(stream of landing_layout)
        Fragments whose data are in the bank.
    tenant : Out(tenants)
        Whose the fragment is that is there, one bit set.
    waits : Out(1)
        A fragment is there, even if it may not land yet; known early in a clock.
    idle : Out(1)
        Nothing is under way here, but for an answer that waits at ``responses``.
    interleave : In(interleave_layout)
        How addresses are spread over several channels.
    fetch : In(Fetch), an array with one for each channel
        The memory port fetches data, from the clock after the landing on.
    described : In(Described), an array with one for each channel
        The memory port asks for the attributes of a landed fragment.
    acknowledged : In(Acknowledged), an array with one for each channel
        Memory has written a fragment, all of which was fetched.
    responses : Out(stream of write_response_layout)
        B.
    faulty : Out(1)
        A burst whose WLAST was early or missing has ended. High for one clock, once a burst.
    """

    fragments: StructuredStream
    data: StructuredStream
    landings: StructuredStream
    tenant: Signal
    waits: Signal
    idle: Signal
    interleave: data.View
    fetch: Sequence[Fetch]
    described: Sequence[Described]
    acknowledged: Sequence[Acknowledged]
    responses: StructuredStream
    faulty: Signal

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "fragments": In(fragment_signature(fabric, port)),
                "data": In(write_beat_signature(port)),
                "landings": Out(landing_signature(fabric, port)),
                "tenant": Out(fabric.channel.tenants),
                "waits": Out(1),
                "idle": Out(1),
                **({"interleave": In(interleave_layout(fabric))} if fabric.channels > 1 else {}),
                "fetch": In(fetch_signature(fabric)).array(fabric.channels),
                "described": In(described_signature(fabric)).array(fabric.channels),
                "acknowledged": In(acknowledged_signature(fabric)).array(fabric.channels),
                "responses": Out(write_response_signature(port)),
                "faulty": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, port, fragment = self.fabric, self.port, self.fragments.payload

        m.submodules.entries = entries = FreeList(port.writes)
        m.submodules.packer = packer = Packer(fabric, port)
        m.submodules.waiting = waiting = Backlog(landing_layout(fabric, port), depth=port.writes)
        wiring.connect(m, wiring.flipped(self.data), packer.data)
        m.d.comb += self.faulty.eq(packer.faulty)
        word_channel = channel_number(fabric, packer.words.payload)
        words, banks = packer.words, [WriteBank(fabric, port) for _ in range(fabric.channels)]
        for c, (bank, fetch) in enumerate(zip(banks, self.fetch, strict=True)):
            m.submodules[f"bank_{c}"] = bank
            wiring.connect(m, wiring.flipped(fetch), bank.fetch)
            m.d.comb += [
                bank.words.valid.eq(words.valid & (word_channel == c)),
                bank.words.payload.eq(words.payload),
            ]
        bank_ready = Cat(bank.words.ready for bank in banks)
        m.d.comb += words.ready.eq(bank_ready.bit_select(word_channel, 1))

        # A fragment goes to the packer, and to the backlog of those that wait for their data.
        refused = fragment.response != Response.OKAY
        taken = self.fragments.valid & self.fragments.ready
        piece, item = packer.pieces.payload, waiting.i.payload
        local = fragment.address
        if fabric.channels > 1:
            local = local_address(fabric, self.interleave, fragment.address)
        m.d.comb += [
            self.fragments.ready.eq(entries.take.valid & packer.pieces.ready),
            entries.take.ready.eq(self.fragments.valid & packer.pieces.ready),
            packer.pieces.valid.eq(self.fragments.valid & entries.take.valid),
            piece.entry.eq(entries.take.payload),
            piece.offset.eq(fragment.address),
            *(
                piece[name].eq(fragment[name])
                for name in ("id", *channel_field(fabric), "size", "transfers", "last", "response")
            ),
            waiting.i.valid.eq(taken & ~refused),
            item.entry.eq(entries.take.payload),
            item.address.eq(local & -fabric.beat_bytes),
            item.order.eq(fragment.id),
            *(
                item[name].eq(fragment[name])
                for name in ("tenant", *channel_field(fabric), "beats", "hazard", "offered")
            ),
        ]

        # Each channel may have written a fragment in this clock.
        layout = data.StructLayout({"entry": fabric.entry_width, "response": 2})
        m.submodules.gather = gather = Gather(layout, depth=port.writes, channels=fabric.channels)
        for each, told in zip(self.acknowledged, gather.i, strict=True):
            m.d.comb += [
                told.valid.eq(each.valid),
                told.payload.entry.eq(each.entry),
                told.payload.response.eq(each.response),
            ]
        acknowledged = gather.o

        # A fragment that waits for its data is compared with those that are outstanding meanwhile.
        m.submodules.hazard = hazard = HazardTable(fabric, port)
        wiring.connect(m, waiting.o, hazard.i)

        # Fragments land in the order in which they were packed, so a count says how many may.
        # Whether any may comes from a flip-flop; that one lands is known late and only selects.
        packed = Signal(range(port.writes + 1))
        packed_then = Signal.like(packed)
        complete = Signal()
        stored = packer.words.valid & packer.words.ready & packer.words.payload.last
        lands = self.landings.valid & self.landings.ready
        m.d.comb += [
            self.landings.payload.eq(hazard.o.payload),
            self.landings.valid.eq(hazard.o.valid & complete),
            hazard.o.ready.eq(self.landings.ready & complete),
            self.tenant.eq(hazard.tenant),
            self.waits.eq(hazard.waits),
            hazard.leave_valid.eq(acknowledged.valid),
            hazard.leave_entry.eq(acknowledged.payload.entry),
        ]
        m.d.comb += packed_then.eq(packed + stored)
        m.d.sync += [
            packed.eq(packed_then - lands),
            complete.eq(Mux(lands, packed_then > 1, packed_then != 0)),
        ]

        m.submodules.attributes = attributes = memory.Memory(
            shape=attributes_layout(), depth=port.writes, init=[]
        )
        write = attributes.write_port()
        m.d.comb += [
            write.addr.eq(entries.take.payload),
            write.data.eq(fragment.attributes),
            write.en.eq(taken),
        ]
        for described in self.described:
            read = attributes.read_port()
            m.d.comb += [
                read.addr.eq(described.entry),
                read.en.eq(described.stb),
                described.attributes.eq(read.data),
            ]

        m.submodules.order = order = ResponseOrder(entries=port.writes, orders=1 << port.order_bits)
        self._answer(m, packer.packed, acknowledged, order)
        # An entry is free when the order passes it: the next clock reads what is known of it.
        leaves = order.next.valid & order.next.ready
        m.d.sync += [
            entries.give.valid.eq(leaves),
            entries.give.number.eq(order.next.payload),
        ]
        under_way = Signal(range(port.writes + 1))
        m.d.sync += under_way.eq(under_way + taken - leaves)
        m.d.comb += self.idle.eq(~self.fragments.valid & (under_way == 0))
        return m

    def _answer(
        self, m: Module, packed: Packed, acknowledged: StructuredStream, order: ResponseOrder
    ) -> None:
        """From packed and acknowledged fragments to B.

        A fragment enters the order of responses when it is packed, not when it is taken. A refused
        one is complete then, so it never competes with an acknowledgement.
        """
        port, written_entry = self.port, acknowledged.payload.entry
        response = acknowledged.payload.response
        layout = data.StructLayout(
            {"id": port.id_width, "first": 1, "last": 1, "refused": 1, "response": 2}
        )
        m.submodules.ended = ended = memory.Memory(shape=layout, depth=port.writes, init=[])
        m.submodules.written = written = memory.Memory(shape=2, depth=port.writes, init=[])
        ended_write, ended_read = ended.write_port(), ended.read_port()
        written_write, written_read = written.write_port(), written.read_port()
        m.d.comb += [
            ended_write.addr.eq(packed.entry),
            *(ended_write.data[name].eq(getattr(packed, name)) for name in layout.members),
            ended_write.en.eq(packed.valid),
            written_write.addr.eq(written_entry),
            # No exclusive access is asked of memory, so EXOKAY is OKAY.
            written_write.data.eq(Mux(response[1], response, 0)),
            written_write.en.eq(acknowledged.valid),
            order.append_valid.eq(packed.valid),
            order.append_entry.eq(packed.entry),
            order.append_order.eq(packed.id[: port.order_bits]),
            order.append_complete.eq(packed.refused),
            order.complete_valid.eq(acknowledged.valid),
            order.complete_entry.eq(written_entry),
        ]

        # What is known of a fragment shows in the clock after it passed the order. It waits there
        # while B's spare place is taken, also if it has no answer: so what makes the order wait
        # comes from a flip-flop and not from a memory.
        m.submodules.answers = answers = Skid(write_response_layout(port))
        fragment = ended_read.data
        fragment_valid = Signal()
        moves = answers.i.ready
        wiring.connect(m, answers.o, wiring.flipped(self.responses))
        m.d.comb += [
            order.next.ready.eq(moves),
            ended_read.addr.eq(order.next.payload),
            ended_read.en.eq(moves),
            written_read.addr.eq(order.next.payload),
            written_read.en.eq(moves),
        ]
        with m.If(moves):
            m.d.sync += fragment_valid.eq(order.next.valid)

        # SLVERR is 2 and DECERR 3, so the worse of two answers is their OR. The worst of the
        # fragments so far is kept by order; the first fragment of a burst does not look at it, so
        # the memory needs no contents at reset.
        m.submodules.worst = worst = memory.Memory(
            shape=2, depth=max(2, 1 << port.order_bits), init=[]
        )
        worst_write, worst_read = worst.write_port(), worst.read_port(domain="comb")
        answer = Signal(2)
        m.d.comb += [
            worst_read.addr.eq(fragment.id[: port.order_bits]),
            worst_write.addr.eq(fragment.id[: port.order_bits]),
            answer.eq(
                fragment.response
                | Mux(fragment.refused, 0, written_read.data)
                | Mux(fragment.first, 0, worst_read.data)
            ),
            worst_write.data.eq(answer),
            worst_write.en.eq(fragment_valid & moves),
            answers.i.valid.eq(fragment_valid & fragment.last),
            answers.i.payload.id.eq(fragment.id),
            answers.i.payload.response.eq(answer),
        ]
