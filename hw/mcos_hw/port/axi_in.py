"""The address channels of an AXI port: bursts are taken, stamped and checked."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4 import BurstKind
from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.burst import address_signature, burst_layout, burst_signature
from mcos_hw.link.request import StructuredStream

__all__ = [
    "PAGE_WIDTH",
    "AddressIn",
    "byte_mask",
]


PAGE_WIDTH = 12
"""Bits of a byte's place in a page of 4 KB, which no AXI burst leaves."""


def byte_mask(port: PortConfig, size: Value) -> Value:
    """Bits of an address within a transfer of 2**``size`` bytes, set."""
    return Cat(size > k for k in range(port.size_limit))


class AddressIn(wiring.Component):
    """AR or AW of an AXI port.

    Bursts leave in the order in which they came, one a clock, each a clock after it was taken or
    later. There is room for two: ``asked.ready`` comes from a flip-flop, as AXI wants no path from
    an input to an output, and no clock is lost when ``bursts`` waits. After a reset it is empty.

    ``offered`` is the clock in which the burst was first shown, even if it could not be taken then:
    latency begins for the requester there, and FCFS orders by it. With ``port.stamped`` it is what
    the requester says.

    A burst has ``fault`` set if AXI has no such burst (IHI 0022, "Transaction structure"):

    - burst code 3;
    - a transfer wider than the bus;
    - WRAP of other than 2, 4, 8 or 16 transfers, or not aligned to its transfer;
    - FIXED of more than 16 transfers;
    - INCR that leaves its page of 4 KB.

    Parts behind this one do no arithmetic on such a burst. Exclusive accesses are served as others
    are, so AxLOCK is not looked at. Whose burst it is, :class:`.tenant_table.TenantTable` says.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    port : PortConfig
        Sizes of the port.

    Members
    -------
    asked : In(stream of address_layout)
        The AXI channel.
    now : In(stamp_width)
        The clock.
    bursts : Out(stream of burst_layout)
        Bursts, stamped and checked.
    """

    asked: StructuredStream
    now: Signal
    bursts: StructuredStream

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "asked": In(address_signature(fabric, port)),
                "now": In(fabric.channel.stamp_width),
                "bursts": Out(burst_signature(fabric, port)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        asked, bursts = self.asked, self.bursts
        layout = burst_layout(self.fabric, self.port)

        waits = Signal()
        since = Signal.like(self.now)
        m.d.sync += waits.eq(asked.valid & ~asked.ready)
        with m.If(~waits):
            m.d.sync += since.eq(self.now)

        taken = Signal(layout)
        m.d.comb += [
            *(
                taken[name].eq(asked.payload[name])
                for name in asked.payload.shape().members
                if name != "stamp"
            ),
            taken["offered"].eq(
                asked.payload.stamp if self.port.stamped else Mux(waits, since, self.now)
            ),
            taken["fault"].eq(self._fault(asked.payload)),
        ]

        # The spare place is filled only when the burst before it could not leave.
        spare = Signal(layout)
        room = Signal(init=1)
        leaves = ~bursts.valid | bursts.ready
        m.d.comb += asked.ready.eq(room)
        with m.If(leaves):
            m.d.sync += [bursts.valid.eq(asked.valid | ~room), room.eq(1)]
            with m.If(room):
                m.d.sync += bursts.payload.eq(taken)
            with m.Else():
                m.d.sync += bursts.payload.eq(spare)
        with m.Elif(asked.valid):
            m.d.sync += room.eq(0)
        with m.If(room):
            m.d.sync += spare.eq(taken)
        return m

    def _fault(self, burst) -> Value:
        """Whether AXI has no such burst."""
        start = burst.address[:PAGE_WIDTH]
        length, lanes = burst.length, byte_mask(self.port, burst.size)
        # In its last transfer; a transfer itself is aligned, and so in one page.
        end = start + (length << burst.size)
        unaligned = (start & lanes).any()
        odd = ~Cat(length == transfers - 1 for transfers in (2, 4, 8, 16)).any()
        return (burst.size > self.port.size_limit) | Array(
            {
                BurstKind.FIXED: length[4:].any(),
                BurstKind.INCR: end[PAGE_WIDTH:].any(),
                BurstKind.WRAP: odd | unaligned,
            }.get(kind, Const(1))
            for kind in range(4)
        )[burst.kind]
