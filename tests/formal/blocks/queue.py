"""The request queues: order within a tenant, nothing lost or doubled, and counts that are right."""

import dataclasses

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.arbiter.base import Arbiter
from mcos_hw.channel.arbiter.baselines import FcfsArbiter
from mcos_hw.channel.arbiter.wf2q.wfq import WfqArbiter
from mcos_hw.channel.queue import RequestQueues
from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import request_layout
from tests.formal.property import Harness, Method, Property, at_most_one, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
SMALL = ChannelConfig(tenants=4, queue_depth=4)
BLOCK = "mcos_hw.channel.queue.RequestQueues"
QUEUE = "mcos_hw.channel.queue"
VIEW = "mcos_hw.link.queue"


class QueueHarness(Harness):
    """The queue of any one tenant, requests on their way to it as the intake brings them.

    The others do what they like, as long as at most one head leaves per clock. Heads may leave in
    any clock in which they are present.
    """

    arbiter: type[Arbiter] = WfqArbiter
    """Whose marks the queues keep."""

    def begin(self, m: Module) -> RequestQueues:
        """Add the queues, and count what is taken, on its way and waiting."""
        config = self.config
        queues = RequestQueues(config, mark=self.arbiter.mark, ahead=self.arbiter.mark_ahead)
        self.inside = self.prove(m, queues)
        self.tenant = self.any_constant(m, config.tenant_width, name="any_tenant")
        self.taken = queues.taken.bit_select(self.tenant, 1)
        self.pop = queues.grant.tenants.bit_select(self.tenant, 1)
        self.head = queues.view.heads[self.tenant]
        self.next = queues.view.nexts[self.tenant]
        self.third = queues.view.thirds.bit_select(self.tenant, 1)
        self.first_row = self.look_each("first_row_{}", range(config.queue_depth))
        waiting = self.look_each("waiting_{}", range(config.queue_depth + 1))

        # Clock by clock after it is taken: whether a request is there, and its row.
        tail = queues.tails[self.tenant]
        self.stored_at = int(config.lateness > 0)
        steps = range(2 * self.stored_at)
        self.way = [self.taken] + [Signal(name=f"way_{i}") for i in steps]
        rows = [tail] + [Signal.like(self.first_row, name=f"way_row_{i}") for i in steps]
        for i in steps:
            m.d.sync += [self.way[i + 1].eq(self.way[i]), rows[i + 1].eq(rows[i])]
        stored, entry = queues.arrival.stored, queues.arrival.entry
        is_stored = stored.valid & (stored.request.tenant == self.tenant)
        enters = entry.tenants.bit_select(self.tenant, 1)
        full = queues.full.bit_select(self.tenant, 1)
        m.d.comb += [
            Assume(at_most_one(queues.grant.tenants)),
            Assume(~self.pop | self.head.present),
            Assume(~self.taken | ~full),
            Assume(is_stored == self.way[self.stored_at]),
            Assume(~is_stored | (stored.row == rows[self.stored_at])),
            Assume(enters == self.way[-1]),
            Assume(~enters | (entry.row == rows[-1])),
        ]

        self.outstanding = Signal(range(config.queue_depth + 1))
        self.waiting = Signal(range(config.queue_depth + 1))
        on_way = sum(self.way[1:], Const(0))
        m.d.sync += self.outstanding.eq(self.outstanding + self.taken - self.pop)
        m.d.comb += [
            self.waiting.eq(self.outstanding - on_way),
            self.invariant(
                self.outstanding <= config.queue_depth,
                on_way <= self.outstanding,
                waiting == self.waiting,
                (tail - self.first_row - self.outstanding)[: len(tail)] == 0,
                *(
                    implies(
                        self.way[i],
                        (tail - rows[i] - sum(self.way[1:i], Const(1)))[: len(tail)] == 0,
                    )
                    for i in range(1, len(self.way))
                ),
            ),
            Assert(queues.counts[self.tenant] == self.outstanding),
            Assert(full == (self.outstanding == config.queue_depth)),
            Assert(self.head.present == (self.waiting > 0)),
            Assert(self.next.present == (self.waiting > 1)),
            Assert(self.third == (self.waiting > 2)),
        ]
        return queues

    def look_each(self, name: str, shape) -> Value:
        """The tenant's one of the signals of that name, which has the tenant's number in it."""
        tenants = range(self.config.tenants)
        return Array(self.look(name.format(i), shape) for i in tenants)[self.tenant]

    def read_each(self, m: Module, name: str, row: Value) -> Value:
        """What the tenant's memory of that name has in a row."""
        ports = [
            self.inside.submodules[f"{name}_{i}"].read_port(domain="comb")
            for i in range(self.config.tenants)
        ]
        m.d.comb += [port.addr.eq(row) for port in ports]
        return Array(Value.cast(port.data) for port in ports)[self.tenant]


class CountHarness(QueueHarness):
    """Counts, until the queue is full and a head leaves as another request comes."""

    def elaborate(self, platform):
        m = Module()
        queues = self.begin(m)
        was_full = Signal()
        m.d.sync += was_full.eq(queues.full.bit_select(self.tenant, 1))
        m.d.comb += Cover(was_full & self.taken & self.pop)
        return m


class OrderHarness(QueueHarness):
    """Follows any one request of the tenant: as many heads leave before it as were there first.

    ``place`` is how many of them are left. If that holds for any request, none is lost, doubled or
    overtaken.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        queues = self.begin(m)
        request = self.any_constant(m, request_layout(config), name="any_request")
        outside = self.any_constant(m, 1, name="any_outside")
        mark = self.any_constant(m, queues.mark_width, name="any_mark")
        chosen = self.any_value(1, name="chosen")

        entry = queues.arrival.entry
        follows = Signal()
        followed = Signal()
        way = [follows] + [Signal(name=f"followed_{i}") for i in range(len(self.way) - 1)]
        place = Signal(range(config.queue_depth))
        row = Signal(range(config.queue_depth))
        queued = Signal()
        leaves = Signal()
        left = Signal()
        m.d.comb += [
            follows.eq(self.taken & chosen & ~followed),
            leaves.eq(queued & self.pop & (place == 0)),
        ]
        m.d.sync += [
            followed.eq(followed | follows),
            queued.eq((queued | way[-1]) & ~leaves),
            left.eq(leaves),
        ]
        for i in range(len(way) - 1):
            m.d.sync += way[i + 1].eq(way[i])
        with m.If(follows):
            m.d.sync += [place.eq(self.outstanding - self.pop), row.eq(queues.tails[self.tenant])]
        with m.Elif(self.pop):
            m.d.sync += place.eq(place - 1)
        is_stored = way[self.stored_at]
        m.d.comb += [
            Assume(request.tenant == self.tenant),
            Assume(~is_stored | (queues.arrival.stored.request.as_value() == request.as_value())),
            Assume(
                ~way[-1]
                | (
                    (entry.beats == request.beats)
                    & (entry.outside == outside)
                    & (entry[queues.mark] == mark)
                )
            ),
        ]

        third_row = self.look_each("row_2_{}", range(config.queue_depth))
        coming = Cat(way[1:]).any()
        shown = Cat(request.beats, outside)

        def place_of(head):
            return Cat(head.beats, head.outside)

        requests = self.inside.submodules.requests.read_port(domain="comb")
        m.d.comb += requests.addr.eq(Cat(row, self.tenant))
        m.d.comb += [
            self.invariant(
                implies(queued | coming, followed & (row == (self.first_row + place)[: len(row)])),
                implies(queued, ~coming & (place < self.waiting)),
                *(
                    implies(
                        way[i],
                        self.way[i]
                        & (place == self.outstanding - 1 - sum(self.way[1:i], Const(0))),
                    )
                    for i in range(1, len(way))
                ),
                Cat(way[1:]) != 0b11,
                (third_row - self.first_row - 2)[: len(row)] == 0,
                implies(
                    queued | Cat(way[2:]).any(), requests.data.as_value() == request.as_value()
                ),
                implies(
                    queued,
                    (self.read_each(m, "places", row) == shown)
                    & (self.read_each(m, "marks", row) == mark),
                ),
            ),
            Assert(implies(queued & (place == 0), place_of(self.head) == shown)),
            Assert(implies(queued & (place == 1), place_of(self.next) == shown)),
            Assert(implies(queued & (place == queues.ahead), queues.marks[self.tenant] == mark)),
            # Nothing leaves in its place before it is there.
            Assert(implies(coming & (place == 0), ~self.head.present)),
            Assert(implies(left, queues.departure.request.as_value() == request.as_value())),
        ]
        waited = Signal()
        m.d.sync += waited.eq(waited | (follows & (self.outstanding == 3) & self.pop))
        m.d.comb += Cover(left & waited)
        return m


class MarkHarness(OrderHarness):
    """The same with the marks of FCFS."""

    arbiter = FcfsArbiter


PROPERTIES = (
    Property(
        name="queue.counts",
        claim=(
            "Counts are what was taken and has not left, a queue is full exactly at its depth, "
            "and heads, seconds and thirds are present exactly where so many have entered."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=CountHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(module=QUEUE, text="count_then == depth", instead="count_then == 1"),
        reach_config=SMALL,
        reach=8,
    ),
    Property(
        name="queue.in_order",
        claim=(
            "The n-th request that a tenant's queue takes leaves with its n-th pop, whole, shown "
            "with its own beats, mark and colour before, whatever the others do."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=OrderHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=VIEW,
            text="entry & (~heads | (leaves & ~seconds))",
            instead="entry & ~heads",
        ),
        reach_config=SMALL,
        reach=10,
        slow=True,
    ),
    Property(
        name="queue.in_order_at_once",
        claim="The same where a request enters its queue in the clock in which it is taken.",
        block=BLOCK,
        config=dataclasses.replace(CONFIG, lateness=0),
        harness=OrderHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=VIEW,
            text="leaves & seconds & ~thirds",
            instead="leaves & seconds",
        ),
        reach_config=SMALL,
        reach=10,
        slow=True,
    ),
    Property(
        name="queue.in_order_of_offers",
        claim="The same with the marks that FCFS orders heads by.",
        block=BLOCK,
        config=CONFIG,
        harness=MarkHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=QUEUE,
            text="mark_read.addr.eq(rows[self.ahead])",
            instead="mark_read.addr.eq(rows[2])",
        ),
        reach_config=SMALL,
        reach=10,
        slow=True,
    ),
)
