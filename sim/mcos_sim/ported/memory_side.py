"""What stands behind an AXI memory port and asks a model of the memory when to answer."""

from amaranth import *
from amaranth.lib import data, fifo, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4 import AxiInterface
from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import FabricConfig
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.link.request import (
    Op,
    StructuredStream,
    command_layout,
    command_signature,
    completion_signature,
)
from mcos_hw.port.axi_out import memory_signature
from mcos_sim.ported.interleave import address_of
from mcos_sim.ported.pattern import beat_data

__all__ = ["MemorySide"]


class MemorySide(wiring.Component):
    """Offers the bursts of a memory port as commands, and turns completions into data and answers.

    It takes every address in its clock, so commands stand in the order in which they came; as many
    as there are slots wait for the model. It takes every beat of write data in its clock and
    compares it with :func:`mcos_sim.ported.pattern.beat_data`. A completed read returns its beats,
    one a clock; a completed write is answered when its data are here, with SLVERR if they were
    wrong, or if a strobe or WLAST was.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    s_axi : In(memory_signature)
        The memory port; AxQOS carries the tag.
    channel : In(channel_width)
        Number of its channel, which its addresses do not have; only with several.
    interleave : In(interleave_layout)
        How addresses are spread over channels; only with several.
    command : Out(stream of command_layout)
        To the model.
    completion : In(stream of completion_layout, always ready)
        From the model.
    """

    s_axi: AxiInterface
    channel: Signal
    interleave: data.View
    command: StructuredStream
    completion: StructuredStream

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        super().__init__(
            {
                "s_axi": In(memory_signature(fabric)),
                **(
                    {
                        "channel": In(fabric.channel_width),
                        "interleave": In(interleave_layout(fabric)),
                    }
                    if fabric.channels > 1
                    else {}
                ),
                "command": Out(command_signature(fabric.channel)),
                "completion": In(completion_signature(fabric.channel)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, channel, bus = self.fabric, self.fabric.channel, self.s_axi
        layout = command_layout(channel)
        m.submodules.commands = commands = fifo.SyncFIFO(width=layout.size, depth=channel.slots)
        # What a slot holds, for its answer.
        m.submodules.held = held = memory.Memory(shape=layout, depth=channel.slots, init=[])
        write = held.write_port()
        come = data.View(layout, Signal(layout, name="come"))
        comes = Signal()
        m.d.comb += [
            bus.arready.eq(1),
            bus.awready.eq(1),
            bus.wready.eq(1),
            come.op.eq(bus.awvalid),
            come.slot.eq(Mux(bus.awvalid, bus.awid, bus.arid)),
            come.tenant.eq(Mux(bus.awvalid, bus.awqos, bus.arqos)),
            come.address.eq(Mux(bus.awvalid, bus.awaddr, bus.araddr)),
            come.beats.eq(Mux(bus.awvalid, bus.awlen, bus.arlen) + 1),
            commands.w_data.eq(come),
            comes.eq(bus.awvalid | bus.arvalid),
            write.addr.eq(come.slot),
            write.data.eq(come),
            write.en.eq(comes),
            # With an empty queue the model sees an address in its clock.
            self.command.valid.eq(commands.r_rdy | comes),
            Value.cast(self.command.payload).eq(Mux(commands.r_rdy, commands.r_data, come)),
            commands.r_en.eq(self.command.ready),
            commands.w_en.eq(comes & (commands.r_rdy | ~self.command.ready)),
        ]

        # Write data, in the order of their addresses.
        m.submodules.writes = writes = fifo.SyncFIFO(width=layout.size, depth=channel.slots)
        # A slot's data are here when it was filled once more often than answered.
        bits = {}
        for name in ("filled", "answered", "spoilt"):
            bits[name] = memory.Memory(shape=1, depth=channel.slots, init=[])
            m.submodules[name] = bits[name]
        filled, answered, spoilt = (bits[name].write_port() for name in bits)

        def bit(name: str, address: Value) -> Value:
            port = bits[name].read_port(domain="comb")
            m.d.comb += port.addr.eq(address)
            return port.data

        writing = data.View(layout, writes.r_data)
        beat = Signal(channel.beats_width)
        bad_before = Signal()
        expected = beat_data(
            self._beat_address(writing.address, beat),
            beat_bytes=fabric.beat_bytes,
            op=Op.WRITE,
        )
        last = beat == writing.beats - 1
        # Data wait for the address that the queue shows a clock later.
        m.submodules.data = beats = fifo.SyncFIFO(
            width=len(bus.wdata) + len(bus.wstrb) + 1, depth=4 * channel.max_beats
        )
        strobe_at = len(bus.wdata)
        data_now = beats.r_data[:strobe_at]
        strobe_now = beats.r_data[strobe_at:-1]
        last_now = beats.r_data[-1]
        checks = Signal()
        bad = Signal()
        m.d.comb += [
            writes.w_data.eq(come),
            writes.w_en.eq(bus.awvalid),
            beats.w_data.eq(Cat(bus.wdata, bus.wstrb, bus.wlast)),
            beats.w_en.eq(bus.wvalid),
            checks.eq(beats.r_rdy & writes.r_rdy),
            beats.r_en.eq(checks),
            bad.eq((data_now != expected) | ~strobe_now.all() | (last_now != last)),
            writes.r_en.eq(checks & last),
        ]
        with m.If(checks):
            m.d.sync += [
                beat.eq(Mux(last, 0, beat + 1)),
                bad_before.eq(~last & (bad_before | bad)),
            ]

        # Answers.
        slot = self.completion.payload.slot
        found = held.read_port(domain="comb")
        m.submodules.reads = reads = fifo.SyncFIFO(width=layout.size, depth=channel.slots)
        m.submodules.answers = answers = fifo.SyncFIFO(
            width=channel.slot_width, depth=channel.slots
        )
        reading = data.View(layout, reads.r_data)
        returned = Signal(channel.beats_width)
        ends = returned == reading.beats - 1
        m.d.comb += [
            found.addr.eq(slot),
            reads.w_data.eq(found.data),
            reads.w_en.eq(self.completion.valid & (found.data.op == Op.READ)),
            answers.w_data.eq(slot),
            answers.w_en.eq(self.completion.valid & (found.data.op == Op.WRITE)),
            bus.rvalid.eq(reads.r_rdy),
            bus.rid.eq(reading.slot),
            bus.rlast.eq(ends),
            bus.rdata.eq(
                beat_data(
                    self._beat_address(reading.address, returned),
                    beat_bytes=fabric.beat_bytes,
                    op=Op.READ,
                )
            ),
            reads.r_en.eq(bus.rready & ends),
            bus.bvalid.eq(
                answers.r_rdy & (bit("filled", answers.r_data) != bit("answered", answers.r_data))
            ),
            bus.bid.eq(answers.r_data),
            bus.bresp.eq(Mux(bit("spoilt", answers.r_data), Response.SLVERR, Response.OKAY)),
            answers.r_en.eq(bus.bvalid & bus.bready),
        ]
        with m.If(bus.rvalid & bus.rready):
            m.d.sync += returned.eq(Mux(ends, 0, returned + 1))
        m.d.comb += [
            answered.addr.eq(answers.r_data),
            answered.data.eq(~bit("answered", answers.r_data)),
            answered.en.eq(bus.bvalid & bus.bready),
            filled.addr.eq(writing.slot),
            filled.data.eq(~bit("filled", writing.slot)),
            filled.en.eq(checks & last),
            spoilt.addr.eq(writing.slot),
            spoilt.data.eq(bad_before | bad),
            spoilt.en.eq(checks & last),
        ]
        return m

    def _beat_address(self, address: Value, beat: Value) -> Value:
        """The address at which a manager asked for a beat."""
        width = self.fabric.channel.address_width
        local = (address + beat * self.fabric.beat_bytes)[:width]
        if self.fabric.channels == 1:
            return local
        return address_of(self.fabric, self.interleave, self.channel, local)
