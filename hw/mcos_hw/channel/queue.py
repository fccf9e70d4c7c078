"""Per-tenant request queues: what decides in registers, what is carried in memory."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.intake import entry_layout, stored_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import request_layout
from mcos_hw.primitive.select import number, pick

__all__ = [
    "RequestQueues",
    "becomes_head",
    "becomes_second",
    "place_layout",
]


def place_layout(config: ChannelConfig) -> data.StructLayout:
    """One of the first places of a queue: its request, if one is ``present``."""
    return data.StructLayout({"present": 1, **_place_fields(config)})


def _place_fields(config: ChannelConfig) -> dict[str, int]:
    """What of a request is where the choice is made: ``outside`` its tenant's colours."""
    return {"beats": config.beats_width, "outside": 1}


def becomes_head(entry: Value, leaves: Value, heads: Value, seconds: Value) -> Value:
    """Whether an entering request is the first of its queue once a head that leaves has left.

    Bit by bit, for one queue or for all: whose queue it enters, whose head leaves, and which have a
    first, second and third request.
    """
    return entry & (~heads | (leaves & ~seconds))


def becomes_second(
    entry: Value, leaves: Value, heads: Value, seconds: Value, thirds: Value
) -> Value:
    """Whether it is the second; see :func:`becomes_head`."""
    return entry & ((leaves & seconds & ~thirds) | (~leaves & heads & ~seconds))


class RequestQueues(wiring.Component):
    """One FIFO a tenant.

    A request is announced by ``taken``, stored, and enters with ``entry``, at most one per clock;
    a head leaves with ``pop``, at most one per clock. Order within a tenant is kept; nothing orders
    one tenant against another. A full queue takes nothing and holds up nobody else.

    What a choice needs of the first two requests of each queue is in registers. What a command
    needs of a head is in one memory for all tenants, read in the clock of the pop. The mark, a
    number by which the arbiter orders, is in a small memory of each tenant that shows the request
    at place ``ahead`` at all times. A place of the memories is given away with ``taken`` and free
    again after ``pop``.

    It decides neither who may send (the channel takes only for queues that are not ``full``) nor
    who is granted.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    mark_width : int
        Bits of a mark.
    ahead : int
        Whose mark is shown: 0 the head's, 1 the next one's, 2 the third one's.

    Members
    -------
    taken : In(tenants)
        The queue whose request is taken in this clock; only one that is not full.
    tails : Out
        Row for the next request of each tenant.
    stored : In(stored_layout)
        What a command will need, not later than ``entry`` of that request.
    entry : In(entry_layout)
        The request is in its queue from the next clock on; in the order of ``taken``.
    entry_mark : In(mark_width)
        Its mark.
    pop : In(tenants)
        The queue whose head leaves in this clock; only while it is present.
    heads, nexts : Out(ArrayLayout(place_layout, tenants))
        First and second request of each queue.
    third : Out(tenants)
        Which queues have a third one.
    marks : Out
        Mark of the request at place ``ahead``, where there is one.
    full : Out(tenants)
        Which queues take nothing.
    counts : Out(ArrayLayout, tenants)
        Requests of each tenant that were taken and have not left.
    left : Out(request_layout)
        The request whose head left in the clock before.
    """

    taken: Signal
    tails: data.View
    stored: data.View
    entry: data.View
    entry_mark: Signal
    pop: Signal
    heads: data.View
    nexts: data.View
    third: Signal
    marks: data.View
    full: Signal
    counts: data.View
    left: data.View

    def __init__(self, config: ChannelConfig, *, mark_width: int, ahead: int) -> None:
        self.config = config
        self.mark_width = mark_width
        self.ahead = ahead
        places = data.ArrayLayout(place_layout(config), config.tenants)
        super().__init__(
            {
                "taken": In(config.tenants),
                "tails": Out(data.ArrayLayout(range(config.queue_depth), config.tenants)),
                "stored": In(stored_layout(config)),
                "entry": In(entry_layout(config)),
                "entry_mark": In(mark_width),
                "pop": In(config.tenants),
                "heads": Out(places),
                "nexts": Out(places),
                "third": Out(config.tenants),
                "marks": Out(data.ArrayLayout(mark_width, config.tenants)),
                "full": Out(config.tenants),
                "counts": Out(data.ArrayLayout(config.queue_depth.bit_length(), config.tenants)),
                "left": Out(request_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        depth = config.queue_depth

        m.submodules.requests = requests = memory.Memory(
            shape=request_layout(config), depth=config.tenants * depth, init=[]
        )
        write = requests.write_port()
        read = requests.read_port()
        first_rows = [Signal(range(depth), name=f"first_row_{i}") for i in range(config.tenants)]
        m.d.comb += [
            write.en.eq(self.stored.valid),
            write.addr.eq(Cat(self.stored.row, self.stored.request.tenant)),
            write.data.eq(self.stored.request),
            read.addr.eq(Cat(pick(self.pop, first_rows), number(self.pop))),
            read.en.eq(1),
            self.left.eq(read.data),
        ]

        for i in range(config.tenants):
            m.submodules[f"marks_{i}"] = marks = memory.Memory(
                shape=self.mark_width, depth=depth, init=[]
            )
            m.submodules[f"places_{i}"] = places = memory.Memory(
                shape=data.StructLayout(_place_fields(config)), depth=depth, init=[]
            )
            mark_write, mark_read = marks.write_port(), marks.read_port(domain="comb")
            place_write, place_read = places.write_port(), places.read_port(domain="comb")
            enters, leaves = self.entry.tenants[i], self.pop[i]
            rows = {
                place: Signal(range(depth), name=f"row_{place}_{i}", init=place % depth)
                for place in {2, self.ahead} - {0}
            } | {0: first_rows[i]}
            for row in rows.values():
                with m.If(leaves):
                    m.d.sync += row.eq(row + 1)
            m.d.comb += [
                mark_write.addr.eq(self.entry.row),
                mark_write.data.eq(self.entry_mark),
                mark_write.en.eq(enters),
                mark_read.addr.eq(rows[self.ahead]),
                self.marks[i].eq(mark_read.data),
                place_write.addr.eq(self.entry.row),
                place_write.en.eq(enters),
                place_read.addr.eq(rows[2]),
            ]

            head, following, third = self.heads[i], self.nexts[i], self.third[i]
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
            for name in _place_fields(config):
                entering = self.entry[name]
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
