"""Whose burst it is: the IDs of a port, told apart by ranges."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.burst import burst_signature, tagged_burst_signature
from mcos_hw.link.request import StructuredStream
from mcos_hw.link.tenant_row import tenant_row_layout
from mcos_hw.primitive.select import pick, set_below

__all__ = ["TenantTable"]


class TenantTable(wiring.Component):
    """The rows that say which tenant a burst of a port is of.

    A burst gets the tenant of the lowest used row whose range of IDs holds its own. The rows belong
    to the registers: a requester chooses among the IDs that it may drive, and never its tag.

    A burst passes as it came, in the clock in which it is taken, one a clock in each direction;
    reads and writes do not wait for each other. What it is answered with is settled here, once and
    for all its parts; while it waits, it may change with the rows:

    - SLVERR if AXI has no such burst (``fault``), whoever sent it;
    - else DECERR if no row holds its ID, or its tenant is not enabled;
    - else OKAY: it goes to memory.

    A refused burst goes on, because its requester is owed an answer, but reaches no channel.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    port : PortConfig
        Sizes of the port.

    Members
    -------
    reads, writes : In(stream of burst_layout)
        Bursts as :class:`.axi_in.AddressIn` has checked them.
    tagged_reads, tagged_writes : Out(stream of tagged_burst_layout)
        The same with their tenant and their answer.
    rows : In(ArrayLayout(tenant_row_layout, table_rows))
        What the rows hold; counts for bursts that are taken in the same clock.
    enabled : In(tenants)
        Bit i: tenant i is enabled.
    unmapped, faulty : Out(2)
        Bit 0: a read was taken in the clock before and refused with DECERR, or with SLVERR. Bit 1:
        a write.
    """

    reads: StructuredStream
    writes: StructuredStream
    tagged_reads: StructuredStream
    tagged_writes: StructuredStream
    rows: data.View
    enabled: Signal
    unmapped: Signal
    faulty: Signal

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "reads": In(burst_signature(fabric, port)),
                "writes": In(burst_signature(fabric, port)),
                "tagged_reads": Out(tagged_burst_signature(fabric, port)),
                "tagged_writes": Out(tagged_burst_signature(fabric, port)),
                "rows": In(data.ArrayLayout(tenant_row_layout(fabric, port), port.table_rows)),
                "enabled": In(fabric.channel.tenants),
                "unmapped": Out(2),
                "faulty": Out(2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        rows = [self.rows[i] for i in range(self.port.table_rows)]

        # Looked up beside the comparison of IDs, not after it.
        served = Signal(len(rows))
        m.d.comb += served.eq(Cat(self.enabled.bit_select(row.tenant, 1) for row in rows))

        def tag(direction, bursts, tagged):
            burst = bursts.payload
            holds = Signal(len(rows), name=f"holds_{direction}")
            lowest = Signal(len(rows), name=f"lowest_{direction}")
            m.d.comb += [
                holds.eq(
                    Cat(row.used & (row.first <= burst.id) & (burst.id <= row.last) for row in rows)
                ),
                lowest.eq(holds & ~set_below(holds)),
                bursts.ready.eq(tagged.ready),
                tagged.valid.eq(bursts.valid),
                *(
                    tagged.payload[name].eq(burst[name])
                    for name in burst.shape().members
                    if name != "fault"
                ),
            ]
            refused = ~(lowest & served).any()
            taken = bursts.valid & bursts.ready
            m.d.comb += [
                tagged.payload.tenant.eq(pick(lowest, [row.tenant for row in rows])),
                tagged.payload.response.eq(
                    Mux(
                        burst.fault,
                        Response.SLVERR,
                        Mux(refused, Response.DECERR, Response.OKAY),
                    )
                ),
            ]
            m.d.sync += [
                self.faulty[direction].eq(taken & burst.fault),
                self.unmapped[direction].eq(taken & ~burst.fault & refused),
            ]

        tag(0, self.reads, self.tagged_reads)
        tag(1, self.writes, self.tagged_writes)
        return m
