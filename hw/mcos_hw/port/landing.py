"""The last step of a port: fragments land in front of a channel, with a place in their queue."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.credits import credit_layout
from mcos_hw.link.fragment import landing_signature
from mcos_hw.link.request import Op, StructuredStream, request_layout, structured_stream
from mcos_hw.primitive.backlog import Backlog
from mcos_hw.primitive.skid import Skid

__all__ = ["Landing"]


class Landing(wiring.Component):
    """Lets fragments of a port into its queue in front of one channel, one per clock.

    A fragment lands if its tenant holds fewer places in its queue of the channel than its credit
    here. So what has landed never waits for room, and a tenant that is over its credit does not
    stand in front of another port's.

    A fragment that may not land holds those behind it in its direction, and only these. Where reads
    and writes may land, they take turns; one that may again, after it could not, lands a clock
    later if the other direction is there. What has landed leaves in order, in
    the next clock at the earliest.

    A tenant gives a place back when its command leaves for memory (``departed``), and may land in
    the next clock. The credits of a tenant over all ports must not exceed its queue; software may
    change them at any time, and what is over a lowered one drains. A credit counts from the clock
    after it changed. Without a credit a tenant still has one place: its bursts may have passed the
    tenant table before it was taken off the port, and would hold up the port for ever.

    Whether an outstanding fragment keeps one back, :class:`mcos_hw.port.hazard.HazardTable` has
    settled before.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    number : int
        Which of its ports this is; the channel's request id carries it.

    Members
    -------
    reads, writes : In(stream of landing_layout)
        Fragments that want to land. What is offered stays until it is taken.
    read_tenant, write_tenant : In(tenants)
        Whose each of them is, one bit set.
    read_waits, write_waits : In(1)
        A fragment is there, even if it may not land yet; known early in a clock.
    credits : In(credit_layout)
        Places of each tenant.
    departed : In(1), departed_tenant : In(tenant_width)
        A command of this port leaves for memory in this clock, and whose it is.
    requests : Out(stream of request_layout)
        What has landed.
    places : Out(tenants)
        Bit t: a fragment of tenant t would land in this clock if it had its turn.
    """

    reads: StructuredStream
    writes: StructuredStream
    read_tenant: Signal
    write_tenant: Signal
    read_waits: Signal
    write_waits: Signal
    credits: data.View
    departed: Signal
    departed_tenant: Signal
    requests: StructuredStream
    places: Signal

    def __init__(self, fabric: FabricConfig, number: int) -> None:
        self.fabric = fabric
        self.number = number
        self.port: PortConfig = fabric.ports[number]
        channel = fabric.channel
        super().__init__(
            {
                "reads": In(landing_signature(fabric, self.port)),
                "writes": In(landing_signature(fabric, self.port)),
                "read_tenant": In(channel.tenants),
                "write_tenant": In(channel.tenants),
                "read_waits": In(1),
                "write_waits": In(1),
                "credits": In(credit_layout(fabric)),
                "departed": In(1),
                "departed_tenant": In(channel.tenant_width),
                "requests": Out(structured_stream(request_layout(channel))),
                "places": Out(channel.tenants),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, channel = self.fabric, self.fabric.channel
        landed, has_room = self._queue(m)

        # Whose turn it is does not depend on what is known late, whether a fragment is kept back or
        # its tenant has no place. A direction that could not land in the clock before lets the
        # other one go first.
        sides = (self.reads, self.writes)
        waits = Cat(self.read_waits, self.write_waits)
        tenants = (self.read_tenant, self.write_tenant)
        may = Signal(2)
        asks = Signal(2)
        first = Signal(2)
        turn = Signal()
        op = Signal()
        lands = Signal()
        m.d.comb += [
            first.eq(Mux(asks.any(), asks, waits)),
            op.eq(Mux(first[Op.READ] == first[Op.WRITE], turn, first[Op.WRITE])),
            lands.eq(may.bit_select(op, 1)),
        ]
        with m.If(lands):
            m.d.sync += turn.eq(~op)

        # Places held: one more when a fragment lands, one fewer when its command departs. A landing
        # is known late and counted in the clock after it, but seen at once in whether its tenant
        # has another place.
        has_place = Signal(channel.tenants)
        for i in range(channel.tenants):
            came = Signal(name=f"came_{i}")
            held = Signal(range(channel.queue_depth + 1), name=f"held_{i}")
            held_then = Signal.like(held, name=f"held_then_{i}")
            comes = lands & Mux(op, self.write_tenant[i], self.read_tenant[i])
            goes = self.departed & (self.departed_tenant == i)
            m.d.comb += held_then.eq(held + came - goes)
            m.d.sync += [
                came.eq(comes),
                held.eq(held_then),
                has_place[i].eq(
                    Mux(
                        comes,
                        held_then + 1 < self.credits[i],
                        (held_then == 0) | (held_then < self.credits[i]),
                    )
                ),
            ]

        m.d.comb += self.places.eq(Mux(has_room, has_place, 0))
        for each, side in enumerate(sides):
            stuck = Signal(name=f"stuck_{each}")
            m.d.comb += [
                may[each].eq(side.valid & (has_place & tenants[each]).any() & has_room),
                asks[each].eq(waits[each] & ~stuck),
                side.ready.eq(may[each] & (op == each)),
            ]
            m.d.sync += stuck.eq(waits[each] & ~may[each])
        request = landed.payload
        m.d.comb += [landed.valid.eq(lands), request.op.eq(op)]
        read, write = self.reads.payload, self.writes.payload
        for name in ("tenant", "address", "beats", "offered"):
            m.d.comb += request[name].eq(Mux(op, write[name], read[name]))
        m.d.comb += request.id.eq(
            Cat(Mux(op, write.entry, read.entry), Const(self.number, fabric.port_width))
        )
        return m

    def _queue(self, m: Module) -> tuple[StructuredStream, Value]:
        """What has landed waits for its turn: where it enters, and whether there is room.

        In front of one of several channels a port waits longer for the others' turns, and meanwhile
        lands in front of other channels. So the queue is deep there.
        """
        layout = request_layout(self.fabric.channel)
        if self.fabric.channels == 1:
            m.submodules.queue = queue = Skid(layout)
            connect(m, queue.o, flipped(self.requests))
            return queue.i, queue.i.ready
        depth = self.port.landing
        m.submodules.queue = queue = Backlog(layout, depth=depth)
        connect(m, queue.o, flipped(self.requests))
        waiting = Signal(range(depth + 1))
        has_room = Signal(init=1)
        waiting_then = Signal.like(waiting)
        leaves = queue.o.valid & queue.o.ready
        m.d.comb += waiting_then.eq(waiting + queue.i.valid - leaves)
        m.d.sync += [waiting.eq(waiting_then), has_room.eq(waiting_then < depth)]
        return queue.i, has_room
