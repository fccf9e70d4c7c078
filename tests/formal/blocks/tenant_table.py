"""The tenant table: a burst gets the tag of the lowest row that holds it, or an error."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.link.tenant_row import tenant_row_layout
from mcos_hw.port.tenant_table import TenantTable
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(beat_bytes=64, max_beats=8)
FEW = ChannelConfig(beat_bytes=64, max_beats=8, tenants=4)
BLOCK = "mcos_hw.port.tenant_table.TenantTable"
TABLE = "mcos_hw.port.tenant_table"


class TableHarness(Harness):
    """Searches the rows from the last to the first, so that the first that holds an ID stays."""

    port = PortConfig(table_rows=4, id_width=3)

    def elaborate(self, platform):
        m = Module()
        port = self.port
        fabric = FabricConfig(channel=self.config, ports=(port,))
        table = TenantTable(fabric, port)
        self.prove(m, table)

        row_number = self.any_constant(m, range(port.table_rows), name="any_row")
        row = Signal(tenant_row_layout(fabric, port))
        m.d.comb += [Assume(row_number < port.table_rows), row.eq(table.rows[row_number])]

        for direction, (bursts, tagged) in enumerate(
            ((table.reads, table.tagged_reads), (table.writes, table.tagged_writes))
        ):
            burst, shown = bursts.payload, tagged.payload
            found, tenant = Const(0), Const(0, self.config.tenant_width)
            for each in reversed([table.rows[i] for i in range(port.table_rows)]):
                holds = each.used & ~(burst.id < each.first) & ~(burst.id > each.last)
                found, tenant = holds | found, Mux(holds, each.tenant, tenant)
            enabled = Array(table.enabled)[tenant]

            taken, left = bursts.valid & bursts.ready, tagged.valid & tagged.ready
            served = ~burst.fault & found & enabled
            unmapped = Signal(name=f"unmapped_{direction}")
            faulty = Signal(name=f"faulty_{direction}")
            m.d.sync += [
                faulty.eq(taken & burst.fault),
                unmapped.eq(taken & ~burst.fault & ~(found & enabled)),
            ]
            same = [
                shown[name] == burst[name]
                for name in shown.shape().members
                if name in burst.shape().members
            ]
            refusal = Mux(burst.fault, Response.SLVERR, Response.DECERR)
            m.d.comb += [
                Assert(tagged.valid == bursts.valid),
                Assert(bursts.ready == tagged.ready),
                Assert(Cat(same).all()),
                Assert(shown.response == Mux(served, Response.OKAY, refusal)),
                Assert(implies(served, shown.tenant == tenant)),
                Assert(table.unmapped[direction] == unmapped),
                Assert(table.faulty[direction] == faulty),
            ]
            both = Signal(name=f"both_{direction}")
            m.d.comb += [
                both.eq(table.rows[0].used & (row_number != 0) & row.used & found & enabled),
                Cover(both & left & (shown.response == Response.OKAY)),
            ]
        return m


class LargeHarness(TableHarness):
    """With as many rows as a table can have, and IDs as wide."""

    port = PortConfig(table_rows=32, id_width=16)


PROPERTIES = (
    Property(
        name="tenant_table.lowest_row",
        claim=(
            "A burst gets the tenant of the lowest used row that holds its ID, and goes to memory "
            "if that is enabled and AXI has such a burst; else it gets its error and is counted."
        ),
        block=BLOCK,
        config=FEW,
        harness=TableHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=TABLE,
            text="lowest.eq(holds & ~set_below(holds))",
            instead="lowest.eq(holds)",
        ),
        reach=5,
    ),
    Property(
        name="tenant_table.lowest_row_of_32",
        claim="The same in a table of 32 rows for IDs of 16 bits.",
        block=BLOCK,
        config=CONFIG,
        harness=LargeHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=TABLE,
            text="served.eq(Cat(self.enabled.bit_select(row.tenant, 1) for row in rows))",
            instead="served.eq(-1)",
        ),
        reach=5,
        slow=True,
    ),
)
