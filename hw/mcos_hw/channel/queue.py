"""Per-tenant request queues: what decides in registers, what is carried in memory."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import Arrival, arrival_signature, entry_layout
from mcos_hw.link.grant import Departure, Grant, departure_signature, grant_signature
from mcos_hw.link.queue import (
    QueueView,
    becomes_head,
    becomes_second,
    place_fields,
    queue_view_signature,
)
from mcos_hw.link.request import request_layout
from mcos_hw.primitive.select import number, pick

__all__ = ["RequestQueues"]


class RequestQueues(wiring.Component):
    """One FIFO a tenant.

    ``taken`` announces a request, ``arrival.stored`` writes it into memory, and with
    ``arrival.entry`` it enters its queue, at most one per clock. ``grant`` takes a head away, at
    most one per clock. The order within a tenant is kept; nothing orders one tenant against
    another. A full queue takes nothing and holds up nobody else.

    What a choice needs of the first two requests of each queue is in registers. What a command
    needs of a head is in one memory for all tenants, read in the clock of the grant. The mark is
    the one field of an entering request that the arbiter asks to see again: it is in a small memory
    of each tenant, which shows the request at place ``ahead`` at all times. A row of the memories
    is given away with ``taken``, and free again in the clock after the grant.

    It decides neither who may send (the channel takes only for queues that are not ``full``) nor
    who is granted.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    mark : str
        Field of an entering request that is its mark.
    ahead : int
        Place of the request whose mark is shown: 0 the head, 1 the second, 2 the third request.

    Members
    -------
    taken : In(tenants)
        The bit of the tenant whose request is taken in this clock, or none. Its queue must not be
        full.
    tails : Out(ArrayLayout(range(queue_depth), tenants))
        Row for the next request of each tenant.
    arrival : In(Arrival)
        Requests on their way, stored not later than they enter, and in the order of ``taken``.
    grant : In(Grant)
        The head that leaves in this clock. It must be present.
    view : Out(QueueView)
        First requests of each queue.
    marks : Out(ArrayLayout(mark width, tenants))
        Mark of the request at place ``ahead`` of each queue, if there is one.
    full : Out(tenants)
        Bit i: the queue of tenant i takes nothing.
    counts : Out(ArrayLayout(range(queue_depth + 1), tenants))
        Requests of each tenant that were taken and have not left.
    departure : Out(Departure)
        The request that was granted in the clock before.
    """

    taken: Signal
    tails: data.View
    arrival: Arrival
    grant: Grant
    view: QueueView
    marks: data.View
    full: Signal
    counts: data.View
    departure: Departure

    def __init__(self, config: ChannelConfig, *, mark: str, ahead: int) -> None:
        self.config = config
        self.mark = mark
        self.mark_width = entry_layout(config)[mark].width
        self.ahead = ahead
        super().__init__(
            {
                "taken": In(config.tenants),
                "tails": Out(data.ArrayLayout(range(config.queue_depth), config.tenants)),
                "arrival": In(arrival_signature(config)),
                "grant": In(grant_signature(config)),
                "view": Out(queue_view_signature(config)),
                "marks": Out(data.ArrayLayout(self.mark_width, config.tenants)),
                "full": Out(config.tenants),
                "counts": Out(data.ArrayLayout(config.queue_depth.bit_length(), config.tenants)),
                "departure": Out(departure_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        depth = config.queue_depth
        stored, entry, pop = self.arrival.stored, self.arrival.entry, self.grant.tenants

        m.submodules.requests = requests = memory.Memory(
            shape=request_layout(config), depth=config.tenants * depth, init=[]
        )
        write = requests.write_port()
        read = requests.read_port()
        first_rows = [Signal(range(depth), name=f"first_row_{i}") for i in range(config.tenants)]
        m.d.comb += [
            write.en.eq(stored.valid),
            write.addr.eq(Cat(stored.row, stored.request.tenant)),
            write.data.eq(stored.request),
            read.addr.eq(Cat(pick(pop, first_rows), number(pop))),
            read.en.eq(1),
            self.departure.request.eq(read.data),
        ]
        m.d.sync += self.departure.valid.eq(self.grant.valid)

        for i in range(config.tenants):
            m.submodules[f"marks_{i}"] = marks = memory.Memory(
                shape=self.mark_width, depth=depth, init=[]
            )
            m.submodules[f"places_{i}"] = places = memory.Memory(
                shape=data.StructLayout(place_fields(config)), depth=depth, init=[]
            )
            mark_write, mark_read = marks.write_port(), marks.read_port(domain="comb")
            place_write, place_read = places.write_port(), places.read_port(domain="comb")
            enters, leaves = entry.tenants[i], pop[i]
            rows = {
                place: Signal(range(depth), name=f"row_{place}_{i}", init=place % depth)
                for place in {2, self.ahead} - {0}
            } | {0: first_rows[i]}
            for row in rows.values():
                with m.If(leaves):
                    m.d.sync += row.eq(row + 1)
            m.d.comb += [
                mark_write.addr.eq(entry.row),
                mark_write.data.eq(entry[self.mark]),
                mark_write.en.eq(enters),
                mark_read.addr.eq(rows[self.ahead]),
                self.marks[i].eq(mark_read.data),
                place_write.addr.eq(entry.row),
                place_write.en.eq(enters),
                place_read.addr.eq(rows[2]),
            ]

            head, following, third = self.view.heads[i], self.view.nexts[i], self.view.thirds[i]
            waiting = Signal(range(depth + 1), name=f"waiting_{i}")
            waiting_then = Signal.like(waiting, name=f"waiting_then_{i}")
            m.d.comb += waiting_then.eq(waiting + enters - leaves)
            m.d.sync += [
                waiting.eq(waiting_then),
                head.present.eq(waiting_then != 0),
                following.present.eq(waiting_then > 1),
                third.eq(waiting_then > 2),
            ]
            is_head = becomes_head(enters, leaves, head.present, following.present)
            is_second = becomes_second(enters, leaves, head.present, following.present, third)
            for name in place_fields(config):
                entering = entry[name]
                m.d.comb += place_write.data[name].eq(entering)
                with m.If(leaves):
                    m.d.sync += [
                        head[name].eq(following[name]),
                        following[name].eq(place_read.data[name]),
                    ]
                with m.If(is_head):
                    m.d.sync += head[name].eq(entering)
                with m.If(is_second):
                    m.d.sync += following[name].eq(entering)

            count = self.counts[i]
            count_then = Signal.like(count, name=f"count_then_{i}")
            m.d.comb += count_then.eq(count + self.taken[i] - leaves)
            m.d.sync += [count.eq(count_then), self.full[i].eq(count_then == depth)]
            with m.If(self.taken[i]):
                m.d.sync += self.tails[i].eq(self.tails[i] + 1)
        return m
