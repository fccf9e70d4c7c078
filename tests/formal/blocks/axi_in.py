"""The address channels: bursts leave as they came, with their first clock and their fault."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.bus.axi4 import BurstKind
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.link.burst import burst_layout
from mcos_hw.port.axi_in import AddressIn
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(beat_bytes=64, max_beats=8)
BLOCK = "mcos_hw.port.axi_in.AddressIn"
AXI_IN = "mcos_hw.port.axi_in"


class AddressHarness(Harness):
    """A queue of two places beside the block; faults from the address of the last transfer."""

    port = PortConfig()

    def elaborate(self, platform):
        m = Module()
        port = self.port
        fabric = FabricConfig(channel=self.config, ports=(port,))
        block = AddressIn(fabric, port)
        self.prove(m, block)
        asked, bursts = block.asked, block.bursts
        layout = burst_layout(fabric, port)

        # A requester keeps what it offers until it is taken; a reset ends that.
        waits = Signal()
        offer = Signal(asked.payload.shape())
        first = Signal.like(block.now)
        m.d.sync += [waits.eq(asked.valid & ~asked.ready), offer.eq(asked.payload)]
        with m.If(~waits):
            m.d.sync += first.eq(block.now)
        m.d.comb += Assume(
            implies(waits, asked.valid & (asked.payload.as_value() == offer.as_value()))
        )

        start, length, size = asked.payload.address[:12], asked.payload.length, asked.payload.size
        aligned = (start >> size) << size
        fault = Signal()
        with m.Switch(asked.payload.kind):
            with m.Case(BurstKind.FIXED):
                m.d.comb += fault.eq(length > 15)
            with m.Case(BurstKind.INCR):
                m.d.comb += fault.eq(aligned + (length << size) >= 4096)
            with m.Case(BurstKind.WRAP):
                powers = (length == 1) | (length == 3) | (length == 7) | (length == 15)
                m.d.comb += fault.eq((aligned != start) | ~powers)
            with m.Default():
                m.d.comb += fault.eq(1)

        # The two places: `places[0]` is shown.
        taken, left = asked.valid & asked.ready, bursts.valid & bursts.ready
        held = Signal(range(3))
        places = [Signal(layout, name=f"place_{i}") for i in range(2)]
        entry = Signal(layout)
        m.d.comb += [
            *(entry[name].eq(asked.payload[name]) for name in asked.payload.shape().members),
            entry["offered"].eq(Mux(waits, first, block.now)),
            entry["fault"].eq(fault | (size > port.size_limit)),
        ]
        m.d.sync += held.eq(held + taken - left)
        with m.If(left):
            m.d.sync += places[0].eq(places[1])
        with m.If(taken):
            with m.If(held - left == 0):
                m.d.sync += places[0].eq(entry)
            with m.Else():
                m.d.sync += places[1].eq(entry)

        spare = self.look("spare", layout)
        block_waits = self.look("waits", 1)
        since = self.look("since", block.now.shape())
        m.d.comb += [
            Assert(bursts.valid == (held != 0)),
            Assert(asked.ready == (held != 2)),
            Assert(implies(bursts.valid, bursts.payload.as_value() == Value.cast(places[0]))),
            self.invariant(
                held <= 2,
                implies(held == 2, Value.cast(spare) == Value.cast(places[1])),
                block_waits == waits,
                since == first,
            ),
        ]
        was_full = Signal()
        m.d.sync += was_full.eq((held == 2) & left & waits)
        m.d.comb += Cover(was_full & taken & left & ~entry["fault"])
        return m


PROPERTIES = (
    Property(
        name="axi_in.as_they_came",
        claim=(
            "Bursts leave in the order in which they came, with the clock of their first offer, "
            "and marked exactly if AXI has no such burst; two of them can wait."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=AddressHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(module=AXI_IN, text="length << burst.size", instead="length"),
        reach=6,
        slow=True,
    ),
)
