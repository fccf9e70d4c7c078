"""The last step of a port: fragments land in front of a channel, with a place in their queue."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.credits import credit_layout
from mcos_hw.link.fragment import landing_signature
from mcos_hw.link.request import Op, StructuredStream, request_layout, structured_stream
from mcos_hw.port.hazard import HazardTable
from mcos_hw.primitive.skid import Skid

__all__ = ["Landing"]


class Landing(wiring.Component):
    """Lets fragments of a port into its queue in front of a channel, one per clock.

    A fragment lands if

    - no fragment of its order and direction that touches the same beats is outstanding, because
      memory may reorder what it has (see :class:`mcos_hw.port.hazard.HazardTable`);
    - its tenant holds fewer places in its queue of the channel than its credit here, so that what
      has landed never waits for room, and a tenant that is over its credit does not stand in
      front of another port's.

    A fragment that may not land holds those behind it in its direction, and only these. Where a
    read and a write may land in one clock, they take turns. What has landed leaves in order, in
    the next clock at the earliest.

    A tenant gives a place back when its command leaves for memory (``departed``). The credits of
    a tenant over all ports must not exceed its queue; software may change them at any time, and
    what is over a lowered one drains.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    number : int
        Which of its ports this is; the channel's request id carries it.

    Members
    -------
    reads, writes : In(stream of landing_layout)
        Fragments that want to land.
    credits : In(credit_layout)
        Places of each tenant.
    departed : In(1), departed_tenant : In(tenant_width)
        A command of this port leaves for memory in this clock, and whose it is.
    read_left, write_left : In(1), read_left_entry, write_left_entry : In(entry_width)
        Memory has finished a fragment.
    requests : Out(stream of request_layout)
        What has landed.
    """

    reads: StructuredStream
    writes: StructuredStream
    credits: data.View
    departed: Signal
    departed_tenant: Signal
    read_left: Signal
    read_left_entry: Signal
    write_left: Signal
    write_left_entry: Signal
    requests: StructuredStream

    def __init__(self, fabric: FabricConfig, number: int) -> None:
        self.fabric = fabric
        self.number = number
        self.port: PortConfig = fabric.ports[number]
        super().__init__(
            {
                "reads": In(landing_signature(fabric, self.port)),
                "writes": In(landing_signature(fabric, self.port)),
                "credits": In(credit_layout(fabric)),
                "departed": In(1),
                "departed_tenant": In(fabric.channel.tenant_width),
                "read_left": In(1),
                "read_left_entry": In(fabric.entry_width),
                "write_left": In(1),
                "write_left_entry": In(fabric.entry_width),
                "requests": Out(structured_stream(request_layout(fabric.channel))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, channel = self.fabric, self.fabric.channel
        m.submodules.read_hazard = read_hazard = HazardTable(fabric, self.port)
        m.submodules.write_hazard = write_hazard = HazardTable(fabric, self.port)
        m.submodules.queue = queue = Skid(request_layout(channel))
        connect(m, queue.o, flipped(self.requests))

        # Places held: one more when a fragment lands, one fewer when its command departs.
        lands = Signal()
        landed = queue.i.payload
        has_place = Signal(channel.tenants)
        for i in range(channel.tenants):
            held = Signal(range(channel.queue_depth + 1), name=f"held_{i}")
            comes = lands & (landed.tenant == i)
            goes = self.departed & (self.departed_tenant == i)
            m.d.sync += held.eq(held + comes - goes)
            m.d.comb += has_place[i].eq(held < self.credits[i])

        sides = ((self.reads, read_hazard), (self.writes, write_hazard))
        may = Signal(2)
        for op, (side, hazard) in enumerate(sides):
            m.d.comb += [
                hazard.landing.eq(side.payload),
                may[op].eq(
                    side.valid
                    & hazard.clear
                    & has_place.bit_select(side.payload.tenant, 1)
                    & queue.i.ready
                ),
            ]
        turn = Signal()
        op = Signal()
        m.d.comb += [
            op.eq(Mux(may.all(), turn, may[Op.WRITE])),
            lands.eq(may.any()),
            queue.i.valid.eq(lands),
            landed.op.eq(op),
        ]
        with m.If(may.all()):
            m.d.sync += turn.eq(~turn)
        read, write = self.reads.payload, self.writes.payload
        for name in ("tenant", "address", "beats", "offered"):
            m.d.comb += landed[name].eq(Mux(op, write[name], read[name]))
        m.d.comb += landed.id.eq(
            Cat(Mux(op, write.entry, read.entry), Const(self.number, fabric.port_width))
        )
        for each, (side, hazard) in enumerate(sides):
            m.d.comb += [side.ready.eq(lands & (op == each)), hazard.enter.eq(side.ready)]
        m.d.comb += [
            read_hazard.leave_valid.eq(self.read_left),
            read_hazard.leave_entry.eq(self.read_left_entry),
            write_hazard.leave_valid.eq(self.write_left),
            write_hazard.leave_entry.eq(self.write_left_entry),
        ]
        return m
