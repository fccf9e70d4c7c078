# amaranth: UnusedElaboratable=no
"""The tenant table against a list of rows."""

import random

import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.port.tenant_table import TenantTable
from tests.hw.channel.bench import boundary, simulation
from tests.hw.port.streams import Sink, Source

UNUSED = {"used": 0, "tenant": 0, "first": 0, "last": 0}
ALL = 0xFFFF
COUNT = 50
"""Bursts in each direction."""


def sizes(**port):
    return FabricConfig.around(ChannelConfig(), ports=(PortConfig(**{"id_width": 5} | port),))


FABRIC = sizes()


def row(tenant, first, last, *, used=1):
    return {"used": used, "tenant": tenant, "first": first, "last": last}


def item(rng, identifier, *, fault=0):
    return {
        "id": identifier,
        "address": rng.getrandbits(40),
        "length": rng.randrange(256),
        "size": rng.randrange(8),
        "kind": rng.randrange(4),
        "attributes": {"prot": rng.randrange(8), "cache": rng.randrange(16), "qos": 3},
        "offered": rng.getrandbits(16),
        "fault": fault,
    }


def answered(rows, enabled, burst):
    """The burst as it leaves the table; its tenant is None where that means nothing."""
    tenants = [
        each["tenant"]
        for each in rows
        if each["used"] and each["first"] <= burst["id"] <= each["last"]
    ]
    kept = {name: value for name, value in burst.items() if name != "fault"}
    if burst["fault"]:
        return kept | {"tenant": None, "response": Response.SLVERR}
    if not tenants or not enabled >> tenants[0] & 1:
        return kept | {"tenant": None, "response": Response.DECERR}
    return kept | {"tenant": tenants[0], "response": Response.OKAY}


def as_told(burst):
    return burst if burst["response"] == Response.OKAY else burst | {"tenant": None}


def write(bench, index, content):
    """Change a row; it counts in the same clock."""
    rows = bench.get("rows")
    rows[index] = content
    bench.set(rows=rows)


async def ask(bench, identifier, *, fault=0):
    """Tenant and response of a read with that ID, and both strobes in the clock after."""
    burst = item(random.Random(identifier), identifier, fault=fault)
    bench.set(**{"reads.payload": burst, "reads.valid": 1, "tagged_reads.ready": 1})
    assert bench.get("reads.ready")
    assert bench.get("tagged_reads.valid")
    tagged = as_told(bench.get("tagged_reads.payload"))
    await bench.tick()
    bench.set(**{"reads.valid": 0})
    assert not bench.get("tagged_reads.valid")
    strobes = bench.get("unmapped"), bench.get("faulty")
    await bench.tick()
    assert (bench.get("unmapped"), bench.get("faulty")) == (0, 0)
    return tagged["tenant"], tagged["response"], *strobes


def run(testbench, fabric=FABRIC):
    simulation(TenantTable, fabric, fabric.ports[0]).run(testbench)


def test_signature():
    assert boundary(TenantTable(FABRIC, FABRIC.ports[0])) == {
        "in": {"reads", "writes", "rows", "enabled"},
        "out": {"tagged_reads", "tagged_writes", "unmapped", "faulty"},
    }


@pytest.mark.parametrize(("offers", "takes"), [(1.0, 1.0), (0.8, 0.4), (0.4, 0.8)])
def test_bursts_get_the_tenant_of_the_lowest_row_that_holds_them(offers, takes):
    rng = random.Random(int(100 * takes))
    asked = [
        [item(rng, rng.randrange(32), fault=rng.random() < 0.1) for _ in range(COUNT)]
        for _ in range(2)
    ]

    async def testbench(bench):
        names = ("reads", "writes")
        sources = [
            Source(bench, name, items, rng=rng, chance=offers)
            for name, items in zip(names, asked, strict=True)
        ]
        sinks = [Sink(bench, f"tagged_{name}", rng=rng, chance=takes) for name in names]
        rows = [UNUSED] * FABRIC.ports[0].table_rows
        expected, responses = ([], []), set()
        strobes = [0, 0]
        for clock in range(3000):
            if all(len(sink.items) == COUNT for sink in sinks):
                break
            assert [bench.get("unmapped"), bench.get("faulty")] == strobes
            enabled = rng.getrandbits(16) | rng.getrandbits(16)
            first, last = rng.randrange(32), rng.randrange(32)
            change = row(rng.randrange(16), first, last, used=rng.random() < 0.7)
            index, writes = rng.randrange(len(rows)), rng.random() < 0.3
            if writes:
                rows[index] = change
            bench.set(enabled=enabled, rows=rows)
            for each in (*sources, *sinks):
                each.drive()
            strobes = [0, 0]
            for direction in range(2):
                burst = sources[direction].observe(clock)
                if burst is not None:
                    answer = answered(rows, enabled, burst)
                    expected[direction].append(answer)
                    responses.add(answer["response"])
                    strobes[0] |= (answer["response"] == Response.DECERR) << direction
                    strobes[1] |= (answer["response"] == Response.SLVERR) << direction
                # A burst that waits changes with the rows.
                sinks[direction].waits = None
                sinks[direction].observe(clock)
            await bench.tick()
        for direction in range(2):
            assert [as_told(got) for got in sinks[direction].items] == expected[direction]
            if takes == 1:
                assert sources[direction].taken == list(range(COUNT))
                assert sinks[direction].clocks == list(range(COUNT))
        assert responses == {Response.OKAY, Response.SLVERR, Response.DECERR}

    run(testbench)


def test_a_range_holds_its_ends_and_no_more():
    async def testbench(bench):
        bench.set(enabled=ALL)
        write(bench, 3, row(9, 6, 11))
        got = {identifier: (await ask(bench, identifier))[:2] for identifier in range(32)}
        assert got == {
            identifier: (9, Response.OKAY) if 6 <= identifier <= 11 else (None, Response.DECERR)
            for identifier in range(32)
        }
        # One ID alone, and a range that holds nothing.
        write(bench, 3, row(9, 31, 31))
        assert (await ask(bench, 31))[:2] == (9, Response.OKAY)
        write(bench, 3, row(9, 12, 11))
        assert (await ask(bench, 11))[:2] == (await ask(bench, 12))[:2] == (None, Response.DECERR)

    run(testbench)


def test_the_lowest_used_row_wins_even_if_its_tenant_is_disabled():
    async def testbench(bench):
        bench.set(enabled=ALL)
        for index in range(FABRIC.ports[0].table_rows):
            write(bench, index, row(index, 0, 31))
        assert (await ask(bench, 4))[:2] == (0, Response.OKAY)
        write(bench, 0, row(0, 0, 31, used=0))
        assert (await ask(bench, 4))[:2] == (1, Response.OKAY)
        write(bench, 1, row(1, 5, 31))
        assert (await ask(bench, 4))[:2] == (2, Response.OKAY)
        assert (await ask(bench, 5))[:2] == (1, Response.OKAY)
        bench.set(enabled=ALL & ~(1 << 2))
        assert await ask(bench, 4) == (None, Response.DECERR, 1, 0)

    run(testbench)


def test_a_fault_is_answered_and_counted_as_such_alone():
    async def testbench(bench):
        assert await ask(bench, 4, fault=1) == (None, Response.SLVERR, 0, 1)
        assert await ask(bench, 4) == (None, Response.DECERR, 1, 0)
        bench.set(enabled=ALL)
        write(bench, 0, row(3, 0, 31))
        assert await ask(bench, 4, fault=1) == (None, Response.SLVERR, 0, 1)
        assert await ask(bench, 4) == (3, Response.OKAY, 0, 0)

    run(testbench)


@pytest.mark.parametrize("table_rows", [1, 32])
def test_the_last_row_counts(table_rows):
    fabric = sizes(table_rows=table_rows, id_width=16)

    async def testbench(bench):
        bench.set(enabled=ALL)
        write(bench, table_rows - 1, row(15, 0x8000, 0xFFFF))
        assert (await ask(bench, 0x7FFF))[1] == Response.DECERR
        assert (await ask(bench, 0xFFFF))[:2] == (15, Response.OKAY)

    run(testbench, fabric)
