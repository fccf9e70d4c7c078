"""The order of responses: kept within an order, none lost, none twice, none waits for ever."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.config import ChannelConfig
from mcos_hw.port.order import ResponseOrder
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


BLOCK = "mcos_hw.port.order.ResponseOrder"
ORDER = "mcos_hw.port.order"
LONGEST = 7
"""Clocks of a willing receiver after which the first entry of an order, complete, is passed: three
of the way of one that nothing was ready for, and one for each other entry, and one between."""


class OrderHarness(Harness):
    """Knows of every entry which ones are before it."""

    entries = 3
    orders = 2

    def elaborate(self, platform):
        m = Module()
        entries = self.entries
        block = ResponseOrder(entries, self.orders)
        self.prove(m, block)
        passes = block.next.valid & block.next.ready
        passed = block.next.payload

        live = Signal(entries)
        complete = Signal(entries)
        homes = [Signal.like(block.append_order, name=f"home_{e}") for e in range(entries)]
        before = [Signal(entries, name=f"before_{e}") for e in range(entries)]
        m.d.comb += [
            Assume(implies(block.append_valid, ~live.bit_select(block.append_entry, 1))),
            Assume(block.append_entry < entries),
            Assume(block.append_order < self.orders),
            Assume(
                implies(
                    block.complete_valid, (live & ~complete).bit_select(block.complete_entry, 1)
                )
            ),
        ]
        for e in range(entries):
            appended = block.append_valid & (block.append_entry == e)
            leaves = passes & (passed == e)
            for other in range(entries):
                with m.If(passes & (passed == other)):
                    m.d.sync += before[e][other].eq(0)
                with m.Elif(appended):
                    m.d.sync += before[e][other].eq(
                        live[other] & (homes[other] == block.append_order)
                    )
            with m.If(appended):
                m.d.sync += [
                    live[e].eq(1),
                    complete[e].eq(block.append_complete),
                    homes[e].eq(block.append_order),
                ]
            with m.If(block.complete_valid & (block.complete_entry == e)):
                m.d.sync += complete[e].eq(1)
            with m.If(leaves):
                m.d.sync += live[e].eq(0)
            offered = block.next.valid & (passed == e)
            m.d.comb += Assert(implies(offered, live[e] & complete[e] & (before[e] == 0)))

        self.claim(m, block, live & complete & Cat(ahead == 0 for ahead in before), passed, passes)

        waits = Signal()
        offered_before = Signal.like(passed)
        last = Signal.like(passed)
        in_a_row = Signal(2)
        m.d.sync += [
            waits.eq(block.next.valid & ~block.next.ready),
            offered_before.eq(passed),
            last.eq(passed),
            in_a_row.eq(Mux(passes, in_a_row + ~in_a_row.all(), 0)),
        ]
        m.d.comb += [
            Assert(implies(waits, block.next.valid & (passed == offered_before))),
            Cover((in_a_row == 1) & passes),
        ]
        return m

    def claim(self, m, block, passable, passed, passes):
        """Any entry that may be passed is passed soon, as far as the receiver takes any."""
        entry = self.any_constant(m, range(self.entries), name="any_entry")
        waited = Signal(range(LONGEST + 2))
        with m.If(~passable.bit_select(entry, 1) | (passes & (passed == entry))):
            m.d.sync += waited.eq(0)
        with m.Elif(block.next.ready):
            m.d.sync += waited.eq(waited + 1)
        m.d.comb += Assert(waited <= LONGEST)


class SingleHarness(OrderHarness):
    """Two entries of one order."""

    entries = 2
    orders = 1


PROPERTIES = (
    Property(
        name="response_order.two",
        claim="What is offered is complete and the first of its order; what may be is, soon.",
        block=BLOCK,
        config=ChannelConfig(),
        harness=SingleHarness,
        method=Method.BOUNDED,
        depth=10,
        bug=Bug(
            module=ORDER,
            text="| (looked & (looked_entry == self.complete_entry))",
            instead="| (~looked & (looked_entry == self.complete_entry))",
        ),
        reach=8,
        slow=True,
    ),
    Property(
        name="response_order.orders_apart",
        claim="The same for three entries of two orders.",
        block=BLOCK,
        config=ChannelConfig(),
        harness=OrderHarness,
        method=Method.BOUNDED,
        depth=10,
        bug=Bug(
            module=ORDER,
            text="& ~(empties & (home_read.data.order == appended_order))",
            instead="& ~empties",
        ),
        reach=10,
        slow=True,
    ),
)
