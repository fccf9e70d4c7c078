"""The memory port of a channel: commands and data as AXI4 or AXI3."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, fifo, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4 import Axi3Signature, Axi4Signature, AxiInterface, BurstKind
from mcos_hw.config import FabricConfig, MemoryProtocol
from mcos_hw.link.request import (
    Op,
    StructuredStream,
    command_layout,
    command_signature,
    completion_signature,
)
from mcos_hw.link.transfer import (
    FETCH_CLOCKS,
    Acknowledged,
    Described,
    Fetch,
    Returned,
    acknowledged_signature,
    described_signature,
    fetch_signature,
    returned_signature,
)

__all__ = [
    "WRITES_UNDER_WAY",
    "AxiOut",
    "memory_signature",
]


WRITES_UNDER_WAY = 8
"""Write commands whose data can wait for the memory port to take those before them."""

_OUTPUT_DEPTH = FETCH_CLOCKS + 2
"""Beats of write data that are fetched ahead: those on their way, and two to send from."""


def memory_signature(fabric: FabricConfig) -> wiring.Signature:
    """The memory port: its ID is the slot, its data bus a beat wide."""
    widths = {
        "address_width": fabric.channel.address_width,
        "data_width": 8 * fabric.beat_bytes,
        "id_width": fabric.channel.slot_width,
    }
    if fabric.memory_protocol is MemoryProtocol.AXI3:
        return Axi3Signature(**widths)
    return Axi4Signature(**widths)


class AxiOut(wiring.Component):
    """Sends granted commands to an AXI memory controller, and its answers to the ports.

    A command becomes an INCR burst of whole beats whose ID is the command's slot, so memory may
    answer in any order and interleave reads. AxPROT, AxCACHE and AxQOS are the requester's; AxLOCK
    is 0, as exclusive accesses are not carried on.

    The address of a command stands at the memory port in the clock after the command was taken. Its
    data are fetched from the bank of the port that it came from, a beat a clock, in the order of
    the addresses; nobody else's port is asked. A read waits for a write before it only if memory
    takes no write address, or not the data of ``WRITES_UNDER_WAY`` writes.

    R is taken always, so that no port can stop another one's. B waits for a clock if a read ends
    in the same clock, as the channel learns of one completion per clock::

        clock        0        1        2
        R            last
        returned              last
        completion            slot

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    command : In(stream of command_layout)
        Granted commands.
    command_id : In(id_width)
        Port and entry of the command: ``Cat(entry, port)``.
    completion : Out(stream of completion_layout, always ready)
        The slot that memory has finished.
    departed : Out(number of ports)
        Bit p: the command of this clock, if it is taken, came from port p.
    fetch, read_described, write_described, returned, acknowledged
        To each port, see :mod:`mcos_hw.link.transfer`; arrays with one for each.
    m_axi : Out(memory_signature)
        The memory port.
    """

    command: StructuredStream
    command_id: Signal
    completion: StructuredStream
    departed: Signal
    fetch: Sequence[Fetch]
    read_described: Sequence[Described]
    write_described: Sequence[Described]
    returned: Sequence[Returned]
    acknowledged: Sequence[Acknowledged]
    m_axi: AxiInterface

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        ports = len(fabric.ports)
        super().__init__(
            {
                "command": In(command_signature(fabric.channel)),
                "command_id": In(fabric.channel.id_width),
                "completion": Out(completion_signature(fabric.channel)),
                "departed": Out(ports),
                "fetch": Out(fetch_signature(fabric)).array(ports),
                "read_described": Out(described_signature(fabric)).array(ports),
                "write_described": Out(described_signature(fabric)).array(ports),
                "returned": Out(returned_signature(fabric)).array(ports),
                "acknowledged": Out(acknowledged_signature(fabric)).array(ports),
                "m_axi": Out(memory_signature(fabric)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._elaborate_addresses(m)
        self._elaborate_data(m)
        self._elaborate_answers(m)
        return m

    def _origin_layout(self) -> data.StructLayout:
        return data.StructLayout(
            {"entry": self.fabric.entry_width, "port": max(self.fabric.port_width, 1)}
        )

    def _elaborate_addresses(self, m: Module) -> None:
        """One command of each direction waits for memory to take its address."""
        fabric, channel, bus = self.fabric, self.fabric.channel, self.m_axi
        origin = data.View(self._origin_layout(), Signal(self._origin_layout(), name="origin"))
        command = self.command.payload
        is_write = command.op == Op.WRITE
        m.d.comb += [
            origin.entry.eq(self.command_id[: fabric.entry_width]),
            origin.port.eq(self.command_id[fabric.entry_width :][: fabric.port_width]),
        ]
        # Which fragment a slot's answers are of.
        m.submodules.origins = self._origins = memory.Memory(
            shape=self._origin_layout(), depth=channel.slots, init=[]
        )
        write_port = self._origins.write_port()
        taken = Signal()
        m.d.comb += [
            taken.eq(self.command.valid & self.command.ready),
            write_port.addr.eq(command.slot),
            write_port.data.eq(origin),
            write_port.en.eq(taken),
            self.departed.eq(Mux(taken, 1 << origin.port, 0)),
        ]

        # The writes whose addresses are sent or about to be; their data follow in order.
        layout = data.StructLayout(
            {
                "slot": channel.slot_width,
                "beats": channel.beats_width,
                **self._origin_layout().members,
            }
        )
        m.submodules.writes = self._writes = fifo.SyncFIFO(
            width=layout.size, depth=WRITES_UNDER_WAY
        )
        queued = data.View(layout, Signal(layout, name="queued"))
        m.d.comb += [
            queued.slot.eq(command.slot),
            queued.beats.eq(command.beats),
            queued.entry.eq(origin.entry),
            queued.port.eq(origin.port),
            self._writes.w_data.eq(queued),
            self._writes.w_en.eq(taken & is_write),
        ]
        self._write_layout = layout

        opened = []
        for op, prefix, describe in (
            (Op.READ, "ar", self.read_described),
            (Op.WRITE, "aw", self.write_described),
        ):
            waiting = data.View(
                command_layout(channel), Signal(command_layout(channel), name=f"{prefix}_command")
            )
            port = Signal(max(fabric.port_width, 1), name=f"{prefix}_port")
            valid = Signal(name=f"{prefix}_waits")

            def pin(name: str, prefix: str = prefix) -> Value:
                return getattr(bus, prefix + name)

            free = ~valid | pin("ready")
            opened.append(free & self._writes.w_rdy if op is Op.WRITE else free)
            mine = taken & (command.op == op)
            with m.If(mine):
                m.d.sync += [waiting.eq(command), port.eq(origin.port), valid.eq(1)]
            with m.Elif(pin("ready")):
                m.d.sync += valid.eq(0)
            for k, each in enumerate(describe):
                m.d.comb += [each.stb.eq(mine & (origin.port == k)), each.entry.eq(origin.entry)]
            attributes = Array(each.attributes.as_value() for each in describe)[port]
            described = data.View(describe[0].attributes.shape(), attributes)
            m.d.comb += [
                pin("valid").eq(valid),
                pin("id").eq(waiting.slot),
                pin("addr").eq(waiting.address),
                pin("len").eq(waiting.beats - 1),
                pin("size").eq(fabric.beat_bytes.bit_length() - 1),
                pin("burst").eq(BurstKind.INCR),
                pin("cache").eq(described.cache),
                pin("prot").eq(described.prot),
            ]
            if fabric.memory_protocol is MemoryProtocol.AXI4:
                m.d.comb += pin("qos").eq(described.qos)
        m.d.comb += self.command.ready.eq(Mux(is_write, opened[Op.WRITE], opened[Op.READ]))

    def _elaborate_data(self, m: Module) -> None:
        """Fetches the beats of the writes in order, and sends them."""
        fabric, channel, bus = self.fabric, self.fabric.channel, self.m_axi
        writes = self._writes
        write = data.View(self._write_layout, writes.r_data)
        fetched = Signal(channel.beats_width)
        room = Signal(range(_OUTPUT_DEPTH + 1), init=_OUTPUT_DEPTH)
        fetches = Signal()
        last = Signal()
        m.d.comb += [
            fetches.eq(writes.r_rdy & (room != 0)),
            last.eq(fetched == write.beats - 1),
            writes.r_en.eq(fetches & last),
        ]
        with m.If(fetches):
            m.d.sync += fetched.eq(Mux(last, 0, fetched + 1))
        for k, each in enumerate(self.fetch):
            m.d.comb += [
                each.stb.eq(fetches & (write.port == k)),
                each.entry.eq(write.entry),
                each.last.eq(last),
            ]

        # What belongs to a beat goes with it while it is fetched.
        tag_layout = data.StructLayout(
            {"valid": 1, "last": 1, "port": len(write.port), "slot": channel.slot_width}
        )
        tags = [
            data.View(tag_layout, Signal(tag_layout, name=f"fetching_{k}"))
            for k in range(FETCH_CLOCKS)
        ]
        m.d.sync += [
            tags[0].valid.eq(fetches),
            tags[0].last.eq(last),
            tags[0].port.eq(write.port),
            tags[0].slot.eq(write.slot),
            *(tags[k].eq(tags[k - 1]) for k in range(1, FETCH_CLOCKS)),
        ]
        beat_layout = data.StructLayout(
            {
                "data": 8 * fabric.beat_bytes,
                "strobe": fabric.beat_bytes,
                "last": 1,
                "slot": channel.slot_width,
            }
        )
        m.submodules.beats = beats = fifo.SyncFIFO(width=beat_layout.size, depth=_OUTPUT_DEPTH)
        beat = data.View(beat_layout, Signal(beat_layout, name="beat"))
        arrives = tags[-1]
        m.d.comb += [
            beat.data.eq(Array(each.data for each in self.fetch)[arrives.port]),
            beat.strobe.eq(Array(each.strobe for each in self.fetch)[arrives.port]),
            beat.last.eq(arrives.last),
            beat.slot.eq(arrives.slot),
            beats.w_data.eq(beat),
            beats.w_en.eq(arrives.valid),
        ]
        sent = Signal()
        out = data.View(beat_layout, beats.r_data)
        m.d.comb += [
            sent.eq(beats.r_rdy & bus.wready),
            beats.r_en.eq(sent),
            bus.wvalid.eq(beats.r_rdy),
            bus.wdata.eq(out.data),
            bus.wstrb.eq(out.strobe),
            bus.wlast.eq(out.last),
        ]
        if fabric.memory_protocol is MemoryProtocol.AXI3:
            m.d.comb += bus.wid.eq(out.slot)
        m.d.sync += room.eq(room + sent - fetches)

    def _elaborate_answers(self, m: Module) -> None:
        """Registers an answer, finds whose it is, and passes it on in the next clock."""
        bus = self.m_axi
        read_origin = self._origins.read_port()
        write_origin = self._origins.read_port()
        m.d.comb += bus.rready.eq(1)

        beat_valid = Signal()
        beat_last = Signal()
        beat_slot = Signal.like(bus.rid)
        beat_data = Signal.like(bus.rdata)
        beat_response = Signal.like(bus.rresp)
        m.d.sync += [
            beat_valid.eq(bus.rvalid),
            beat_last.eq(bus.rlast),
            beat_slot.eq(bus.rid),
            beat_data.eq(bus.rdata),
            beat_response.eq(bus.rresp),
        ]
        m.d.comb += read_origin.addr.eq(bus.rid)
        for k, each in enumerate(self.returned):
            m.d.comb += [
                each.valid.eq(beat_valid & (read_origin.data.port == k)),
                each.entry.eq(read_origin.data.entry),
                each.data.eq(beat_data),
                each.response.eq(beat_response),
                each.last.eq(beat_last),
            ]

        written_valid = Signal()
        written_slot = Signal.like(bus.bid)
        written_response = Signal.like(bus.bresp)
        read_ends = Signal()
        leaves = Signal()
        m.d.comb += [
            read_ends.eq(beat_valid & beat_last),
            leaves.eq(written_valid & ~read_ends),
            bus.bready.eq(~written_valid | leaves),
            write_origin.addr.eq(bus.bid),
            write_origin.en.eq(bus.bready),
            self.completion.valid.eq(read_ends | written_valid),
            self.completion.payload.slot.eq(Mux(read_ends, beat_slot, written_slot)),
        ]
        with m.If(bus.bready):
            m.d.sync += [
                written_valid.eq(bus.bvalid),
                written_slot.eq(bus.bid),
                written_response.eq(bus.bresp),
            ]
        for k, each in enumerate(self.acknowledged):
            m.d.comb += [
                each.valid.eq(leaves & (write_origin.data.port == k)),
                each.entry.eq(write_origin.data.entry),
                each.response.eq(written_response),
            ]
