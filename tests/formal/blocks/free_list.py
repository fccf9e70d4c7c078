"""The free list: no number in use is handed out, and none is lost."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.free_list import FreeList
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


BLOCK = "mcos_hw.primitive.free_list.FreeList"
FREE_LIST = "mcos_hw.primitive.free_list"


class FreeListHarness(Harness):
    """Follows any one number, and counts all.

    A number is fresh, offered, used or in the ring. What is said of the ring is said of any one
    place in it.
    """

    def elaborate(self, platform):
        m = Module()
        depth = 4 if self.explores else 16
        block = FreeList(depth)
        inside = self.prove(m, block)
        take, give = block.take, block.give
        number = self.any_constant(m, range(depth), name="any_number")
        place = self.any_constant(m, range(depth), name="any_place")

        first = self.look("first", range(depth))
        last = self.look("last", range(depth))
        ringed = self.look("ringed", range(depth + 1))
        shown = self.look("shown", 1)
        unused = self.look("unused", range(depth))
        recycles = self.look("recycles", 1)
        ring_data = self.look("read__data", range(depth))

        def ring(index):
            port = inside.submodules.ring.read_port(domain="comb")
            m.d.comb += port.addr.eq(index)
            return port.data

        # What the surroundings do.
        takes = take.valid & take.ready
        in_use = Signal(range(depth + 1))
        used = Signal()
        written = Signal()
        waits = Signal()
        before = Signal(range(depth))
        m.d.sync += [
            in_use.eq(in_use + takes - give.valid),
            written.eq(give.valid),
            waits.eq(take.valid & ~take.ready),
            before.eq(take.payload),
        ]
        given = give.valid & (give.number == number)
        with m.If(takes & (take.payload == number)):
            m.d.sync += used.eq(1)
        with m.Elif(given):
            m.d.sync += used.eq(0)
        m.d.comb += [Assume(~give.valid | (in_use != 0)), Assume(~given | used)]

        # Where numbers are.
        fresh = Signal(range(depth + 1))
        is_fresh = ~recycles & (number >= unused)
        offered = take.valid & (take.payload == number)
        home = Signal(range(depth))
        m.d.comb += fresh.eq(Mux(recycles, 0, depth - unused))
        with m.If(given):
            m.d.sync += home.eq(last)

        def in_place(index, content):
            """If the number is in the ring at ``index``, it is nowhere else."""
            distance = (index - first)[: len(first)]
            there = (distance < ringed) & (content == number)
            return implies(there, ~used & ~offered & ~is_fresh & (home == index))

        self.instance(m, in_place(first, ring(first)))
        m.d.comb += [
            self.invariant(
                (last - first)[: len(first)] == ringed[: len(first)],
                take.valid | recycles,
                Mux(recycles, unused == 0, unused != 0),
                shown == (ringed != written),
                ringed >= written,
                implies(shown, ring_data == ring(first)),
                in_place(place, ring(place)),
                implies(used, ~is_fresh),
                implies(offered, ~is_fresh),
            ),
            Assert(implies(offered, ~used)),
            Assert(fresh + ringed + take.valid + in_use == depth),
            Assert(implies(waits, take.valid & (take.payload == before))),
        ]

        came_back = Signal()
        with m.If(given):
            m.d.sync += came_back.eq(1)
        m.d.comb += Cover(came_back & takes & (take.payload == number) & (in_use == 2))
        return m


PROPERTIES = (
    Property(
        name="free_list.handed_out_once",
        claim="A number in use is never handed out, and numbers are neither lost nor made.",
        block=BLOCK,
        config=ChannelConfig(),
        harness=FreeListHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(module=FREE_LIST, text="ringed > 1", instead="ringed != 0"),
        reach=9,
        skip=4,
        slow=True,
    ),
    Property(
        name="free_list.ring_keeps_numbers",
        claim="What is given back is what is handed out again.",
        block=BLOCK,
        config=ChannelConfig(),
        harness=FreeListHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=FREE_LIST,
            text="last.eq(last + give.valid)",
            instead="last.eq(last + (give.valid & ~from_ring))",
        ),
        reach=10,
        skip=4,
        slow=True,
    ),
)
