# amaranth: UnusedElaboratable=no
"""Rows, credits and counts of ports, as software sets and reads them."""

import pytest

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.fabric.port_registers import PortRegisters
from mcos_hw.registers import PortError, fabric_map
from mcos_hw.registers.ports import PORT_ERROR_KINDS, table_rows
from tests.hw.channel.bench import simulate

TENANTS = 4
DEPTH = 8
PORTS = (
    PortConfig(data_bytes=16, id_width=4, order_width=2, table_rows=4),
    PortConfig(data_bytes=64, id_width=16, table_rows=2),
    PortConfig(inner=True, table_rows=1),
)
FABRIC = FabricConfig.around(
    ChannelConfig(tenants=TENANTS, queue_depth=DEPTH, stamp_width=16), ports=PORTS
)
REGISTERS = fabric_map(FABRIC)
ROWS = table_rows(FABRIC)


class Software:
    """What writes and reads become behind the register bank."""

    def __init__(self, bench):
        self.bench = bench

    async def write(self, name, **fields):
        self.bench.set(**{name: {"stb": 1, **fields}})
        await self.bench.tick()
        self.bench.set(**{name: {"stb": 0}})

    async def read(self, name, index):
        self.bench.set(**{name: {"index": index}})
        await self.bench.tick()
        return self.bench.get(f"{name}.data")

    def credits(self):
        component, get = self.bench.component, self.bench.context.get
        return [[get(each[tenant]) for tenant in range(TENANTS)] for each in component.credits]


def run(script, fabric=FABRIC):
    async def testbench(bench):
        await script(Software(bench))

    simulate(PortRegisters(fabric), testbench)


def test_sizes_of_ports():
    async def script(software):
        pack = REGISTERS["PORT_SIZES"].pack
        assert [await software.read("port_sizes", k) for k in range(4)] == [
            pack(data_bytes=16, id_width=4, order_bits=2),
            pack(data_bytes=64, id_width=16, order_bits=6),
            # An engine has orders, and neither IDs nor lanes.
            pack(data_bytes=0, id_width=0, order_bits=PORTS[2].order_bits),
            0,
        ]

    run(script)


def test_a_row_is_written_with_the_ids_before_it_and_read_back():
    async def script(software):
        bench = software.bench
        await software.write("port_ids", first=3, last=9)
        for port, row, tenant in ((0, 3, 2), (1, 0, 1)):
            await software.write("port_row", used=1, tenant=tenant, row=row, port=port)
            wanted = {"used": 1, "tenant": tenant, "first": 3, "last": 9}
            assert bench.get(f"rows_{port}")[row] == wanted
            now = REGISTERS["PORT_ROW_NOW"].pack(used=1, tenant=tenant)
            assert await software.read("port_row_now", ROWS * port + row) == now
            ids = REGISTERS["PORT_IDS_NOW"].pack(first=3, last=9)
            assert await software.read("port_ids_now", ROWS * port + row) == ids
        used = [[each["used"] for each in bench.get(f"rows_{k}")] for k in range(3)]
        assert used == [[0, 0, 0, 1], [1, 0], [0]]
        for place in (0, ROWS - 1 - 1, ROWS + 1, ROWS + 2, 2 * ROWS):
            assert await software.read("port_row_now", place) == 0

    run(script)


@pytest.mark.parametrize(("port", "row"), [(3, 0), (255, 0), (0, 4), (1, 2), (1, 255), (2, 1)])
def test_a_row_that_is_not_there_is_not_written(port, row):
    async def script(software):
        await software.write("port_row", used=1, tenant=1, row=row, port=port)
        rows = [each for k in range(3) for each in software.bench.get(f"rows_{k}")]
        assert not any(each["used"] for each in rows)

    run(script)


def test_queues_are_divided_over_the_ports_until_software_says_otherwise():
    """Eight places over three ports: what is left over goes to the first."""

    async def script(software):
        assert software.credits() == [[4] * TENANTS, [2] * TENANTS, [2] * TENANTS]
        await software.write("port_places", places=DEPTH, tenant=2, port=1)
        assert software.credits()[1] == [2, 2, DEPTH, 2]
        await software.write("port_places", places=0, tenant=3, port=2)
        assert software.credits() == [[4] * TENANTS, [2, 2, DEPTH, 2], [2, 2, 2, 0]]
        assert await software.read("port_places_now", TENANTS + 2) == DEPTH
        assert await software.read("port_places_now", 2 * TENANTS + 3) == 0
        before = software.credits()
        for port, tenant in ((3, 0), (0, TENANTS), (255, 255)):
            await software.write("port_places", places=1, tenant=tenant, port=port)
        assert software.credits() == before

    run(script)


def test_errors_are_counted_by_port_and_kind():
    async def script(software):
        bench = software.bench
        counts = {(0, PortError.UNMAPPED_READ): 3, (1, PortError.WRONG_LAST): 2}
        for step in range(3):
            for k in range(3):
                bits = sum(
                    1 << kind
                    for (port, kind), count in counts.items()
                    if port == k and step < count
                )
                bench.context.set(bench.component.errors[k], bits)
            await bench.tick()
        for k in range(3):
            bench.context.set(bench.component.errors[k], 0)
        for k in range(3):
            for kind in PortError:
                count = await software.read("port_errors", PORT_ERROR_KINDS * k + kind)
                assert count == counts.get((k, kind), 0)

    run(script)


def test_reset_empties_what_software_set():
    async def script(software):
        await software.write("port_places", places=7, tenant=0, port=0)
        await software.write("port_row", used=1, tenant=1, row=0, port=0)
        await software.bench.reset()
        assert software.credits()[0] == [4] * TENANTS
        assert not any(each["used"] for each in software.bench.get("rows_0"))

    run(script)
