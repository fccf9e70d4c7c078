"""A manager in front of an AXI port that asks what a channel's requesters ask."""

from amaranth import *
from amaranth.lib import data, fifo, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4 import AxiInterface, BurstKind
from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import FabricConfig
from mcos_hw.link.request import (
    Op,
    Request,
    StructuredStream,
    request_signature,
    response_layout,
    structured_stream,
)
from mcos_hw.port.axi_port import port_signature
from mcos_hw.primitive.skid import Skid
from mcos_sim.ported.pattern import beat_data
from mcos_sim.ported.sizes import ID_WIDTH

__all__ = [
    "Requester",
]


_PENDING_WRITES = 4


class Requester(wiring.Component):
    """Turns each request into a burst with data, and each answer into a response.

    A request becomes an INCR burst of whole beats, a clock after it was taken. Its AXI ID is
    ``{tag, number}``, the next number of its tenant and direction, so that each burst has an order
    of its own. A tenant waits while its next number is busy. With one channel all tenants of the
    port wait while an address waits for its AxREADY, as AXI has one channel for all of them. With
    several every tenant asks at each port: addresses that wait have a queue for each direction,
    with room for all numbers, so that reads do not wait for writes. AxQOS carries the tag to the
    memory side, AxUSER the clock of the request's first offer to the port.

    Write data are :func:`mcos_sim.ported.pattern.beat_data`, sent a beat a clock in the order of
    the addresses; read data are compared with it. A response whose data were wrong, or that
    is no OKAY, names an id that its requester is not waiting for: what was asked for, inverted.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes; the port is as wide as a memory beat.
    number : int
        Which of its ports this is.

    Members
    -------
    request : In(Request)
        Requests; ``ready`` has a bit for each tenant.
    responses : Out(stream of response_layout)
        Answers.
    m_axi : Out(Axi4Signature)
        The port.
    """

    request: Request
    responses: StructuredStream
    m_axi: AxiInterface

    def __init__(self, fabric: FabricConfig, number: int) -> None:
        port = fabric.ports[number]
        if port.data_bytes != fabric.beat_bytes or port.id_width != ID_WIDTH:
            raise ValueError(
                f"port {number} must have {fabric.beat_bytes} data bytes and {ID_WIDTH} id bits, "
                f"not {port.data_bytes} and {port.id_width}"
            )
        self.fabric = fabric
        super().__init__(
            {
                "request": In(request_signature(fabric.channel)),
                "responses": Out(structured_stream(response_layout(fabric.channel))),
                "m_axi": Out(port_signature(fabric, port)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, channel, bus = self.fabric, self.fabric.channel, self.m_axi
        request, tenants = self.request.payload, channel.tenants
        tag_width = channel.tenant_width
        number_width = ID_WIDTH - tag_width

        asked_layout = data.StructLayout(
            {
                "id": ID_WIDTH,
                "tenant": channel.tenant_width,
                "address": channel.address_width,
                "beats": channel.beats_width,
                "offered": channel.stamp_width,
            }
        )
        # What is remembered of each burst under way.
        known_layout = data.StructLayout({"id": channel.id_width, "address": channel.address_width})
        taken = Signal()
        m.d.comb += taken.eq(self.request.valid & self.request.ready.bit_select(request.tenant, 1))

        # Numbers go round; the next one of a tenant is busy while its asks and answers differ.
        asks, answers, numbers, free = {}, {}, {}, {}
        for op in Op:
            name = op.name.lower()
            asks[op] = memory.Memory(shape=1, depth=1 << ID_WIDTH, init=[])
            answers[op] = memory.Memory(shape=1, depth=1 << ID_WIDTH, init=[])
            m.submodules[f"{name}_asks"], m.submodules[f"{name}_answers"] = asks[op], answers[op]
            numbers[op] = Array(
                Signal(number_width, name=f"{name}_number_{i}") for i in range(tenants)
            )
            free[op] = Signal(tenants, name=f"{name}_free")
            for i in range(tenants):
                pair = [each[op].read_port(domain="comb") for each in (asks, answers)]
                m.d.comb += [
                    *(each.addr.eq(Cat(numbers[op][i], Const(i, tag_width))) for each in pair),
                    free[op][i].eq(pair[0].data == pair[1].data),
                ]
        number = Signal(number_width)
        axi_id = Signal(ID_WIDTH)
        m.d.comb += [
            number.eq(
                Mux(
                    request.op,
                    numbers[Op.WRITE][request.tenant],
                    numbers[Op.READ][request.tenant],
                )
            ),
            axi_id.eq(Cat(number, request.tenant)),
        ]

        # Addresses.
        buffers, tables = {}, {}
        room = Const(1)
        m.submodules.to_write = to_write = fifo.SyncFIFO(
            width=asked_layout.size, depth=_PENDING_WRITES
        )
        for op, prefix in ((Op.READ, "ar"), (Op.WRITE, "aw")):
            buffers[op] = buffer = Skid(asked_layout)
            tables[op] = table = memory.Memory(shape=known_layout, depth=1 << ID_WIDTH, init=[])
            m.submodules[f"{prefix}_buffer"] = buffer
            m.submodules[f"{prefix}_table"] = table
            write = table.write_port()
            mine = taken & (request.op == op)
            asked = data.View(asked_layout, Signal(asked_layout, name=f"{prefix}_asked"))
            goes = buffer.i.ready & (to_write.w_rdy if op is Op.WRITE else 1)
            if fabric.channels == 1:
                room &= goes
                m.d.comb += [buffer.i.valid.eq(mine), buffer.i.payload.eq(asked)]
            else:
                waiting = fifo.SyncFIFO(width=asked_layout.size, depth=1 << ID_WIDTH)
                m.submodules[f"{prefix}_waiting"] = waiting
                m.d.comb += [
                    waiting.w_data.eq(asked),
                    waiting.w_en.eq(mine & (waiting.r_rdy | ~goes)),
                    waiting.r_en.eq(goes),
                    buffer.i.valid.eq((waiting.r_rdy | mine) & goes),
                    # With an empty queue an address is no later.
                    Value.cast(buffer.i.payload).eq(
                        Mux(waiting.r_rdy, waiting.r_data, Value.cast(asked))
                    ),
                ]
            m.d.comb += [
                asked.id.eq(axi_id),
                asked.tenant.eq(request.tenant),
                asked.address.eq(request.address),
                asked.beats.eq(request.beats),
                asked.offered.eq(request.offered),
                write.addr.eq(axi_id),
                write.data.id.eq(request.id),
                write.data.address.eq(request.address),
                write.en.eq(mine),
                getattr(bus, f"{prefix}valid").eq(buffer.o.valid),
                buffer.o.ready.eq(getattr(bus, f"{prefix}ready")),
                getattr(bus, f"{prefix}id").eq(buffer.o.payload.id),
                getattr(bus, f"{prefix}addr").eq(buffer.o.payload.address),
                getattr(bus, f"{prefix}len").eq(buffer.o.payload.beats - 1),
                getattr(bus, f"{prefix}size").eq(fabric.beat_bytes.bit_length() - 1),
                getattr(bus, f"{prefix}burst").eq(BurstKind.INCR),
                getattr(bus, f"{prefix}qos").eq(buffer.o.payload.tenant),
                getattr(bus, f"{prefix}user").eq(buffer.o.payload.offered),
            ]
            turn = asks[op].write_port()
            m.d.comb += [turn.addr.eq(axi_id), turn.data.eq(~_at(m, asks[op], axi_id))]
            m.d.comb += turn.en.eq(mine)
            with m.If(mine):
                m.d.sync += numbers[op][request.tenant].eq(number + 1)

        # Write data follow their addresses.
        writing = data.View(asked_layout, to_write.r_data)
        sent = Signal(channel.beats_width)
        address = Signal(channel.address_width)
        last = Signal()
        m.d.comb += [
            to_write.w_en.eq(buffers[Op.WRITE].i.valid),
            to_write.w_data.eq(buffers[Op.WRITE].i.payload),
            address.eq(writing.address + sent * fabric.beat_bytes),
            last.eq(sent == writing.beats - 1),
            bus.wvalid.eq(to_write.r_rdy),
            bus.wdata.eq(beat_data(address, beat_bytes=fabric.beat_bytes, op=Op.WRITE)),
            bus.wstrb.eq(-1),
            bus.wlast.eq(last),
            to_write.r_en.eq(bus.wvalid & bus.wready & last),
        ]
        with m.If(bus.wvalid & bus.wready):
            m.d.sync += sent.eq(Mux(last, 0, sent + 1))
        m.d.comb += self.request.ready.eq(
            Mux(
                room,
                free[Op.READ] & free[Op.WRITE],
                0,
            )
        )

        # Answers: a queue for each direction, as both may come in one clock.
        response = response_layout(channel)
        queues = {}
        ends = {}
        wrong = {}
        for op, prefix in ((Op.READ, "r"), (Op.WRITE, "b")):
            queue = fifo.SyncFIFO(width=response.size, depth=1 << ID_WIDTH)
            m.submodules[f"{prefix}_queue"] = queues[op] = queue
            known = tables[op].read_port(domain="comb")
            answer = data.View(response, Signal(response, name=f"{prefix}_answer"))
            ends[op], wrong[op] = Signal(name=f"{prefix}_ends"), Signal(name=f"{prefix}_wrong")
            identifier = getattr(bus, f"{prefix}id")
            tenant = identifier[number_width:]
            turn = answers[op].write_port()
            m.d.comb += [
                known.addr.eq(identifier),
                answer.tenant.eq(tenant),
                answer.id.eq(known.data.id ^ wrong[op].replicate(channel.id_width)),
                queue.w_data.eq(answer),
                queue.w_en.eq(ends[op]),
                getattr(bus, f"{prefix}ready").eq(1),
                turn.addr.eq(identifier),
                turn.data.eq(~_at(m, answers[op], identifier)),
                turn.en.eq(ends[op]),
            ]
            if op is Op.READ:
                got = Signal(channel.beats_width)
                failed = Signal()
                expected = beat_data(
                    (known.data.address + got * fabric.beat_bytes)[: channel.address_width],
                    beat_bytes=fabric.beat_bytes,
                    op=Op.READ,
                )
                bad = (bus.rdata != expected) | (bus.rresp != Response.OKAY)
                m.d.comb += [
                    ends[op].eq(bus.rvalid & bus.rlast),
                    wrong[op].eq(failed | bad),
                ]
                with m.If(bus.rvalid):
                    m.d.sync += [
                        got.eq(Mux(bus.rlast, 0, got + 1)),
                        failed.eq(~bus.rlast & (failed | bad)),
                    ]
            else:
                m.d.comb += [ends[op].eq(bus.bvalid), wrong[op].eq(bus.bresp != Response.OKAY)]
        read, write = queues[Op.READ], queues[Op.WRITE]
        m.d.comb += [
            self.responses.valid.eq(read.r_rdy | write.r_rdy),
            Value.cast(self.responses.payload).eq(Mux(read.r_rdy, read.r_data, write.r_data)),
            read.r_en.eq(self.responses.ready),
            write.r_en.eq(self.responses.ready & ~read.r_rdy),
        ]
        return m


def _at(m: Module, bits: memory.Memory, address: Value) -> Value:
    """The bit at an address, in this clock."""
    port = bits.read_port(domain="comb")
    m.d.comb += port.addr.eq(address)
    return port.data
