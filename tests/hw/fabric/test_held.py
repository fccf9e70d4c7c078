"""What a channel sees of tenants that the power governor closes."""

import dataclasses
from random import Random

import pytest
from amaranth.sim import Simulator

from mcos_hw.config import ChannelConfig
from mcos_hw.fabric.held import Held
from mcos_hw.link.contract import contract_readers

LINE = ChannelConfig(tenants=4, lateness=0)
COMPACT = dataclasses.replace(LINE, grant_interval=4)


def _expected(config, contract, closed):
    """The settings of a tenant that are in force."""
    held = dict(contract)
    if closed and "work_conserving" in held:
        held["work_conserving"] = 0
    if closed and "peak_rate" in held:
        held["peak_rate"] = contract["committed_rate"]
        held["peak_depth"] = config.l_max if contract["peak_depth"] else 0
    return held


def _random_row(random, shape):
    row = {name: random.getrandbits(width) for name, width in shape.members.items()}
    if "peak_depth" in row and random.random() < 0.2:
        row["peak_depth"] = 0
    return row


@pytest.mark.parametrize("config", [LINE, COMPACT], ids=["line rate", "compact"])
def test_a_closed_tenant_has_its_guarantee_and_all_else_stays(config):
    held = Held(config)
    random = Random(1)

    async def testbench(ctx):
        shape = held.image.tenants.shape().elem_shape
        for _ in range(30):
            closed = random.getrandbits(config.tenants)
            ctx.set(held.closed, closed)
            rows = [_random_row(random, shape) for _ in range(config.tenants)]
            for row, tenant in zip(rows, held.image.tenants, strict=True):
                ctx.set(tenant, row)
            ctx.set(held.image.generation, random.getrandbits(32))
            reads = {}
            for reader in contract_readers(config):
                asked, image = getattr(held.contracts, reader), getattr(held.image_reads, reader)
                tenant = random.randrange(config.tenants)
                ctx.set(asked.tenant, tenant)
                reads[reader] = tenant, _random_row(random, image.row.shape())
                ctx.set(image.row, reads[reader][1])
            await ctx.delay(1e-7)
            for i, (row, tenant) in enumerate(zip(rows, held.live.tenants, strict=True)):
                for name, value in _expected(config, row, closed >> i & 1).items():
                    assert ctx.get(tenant[name]) == value
            assert ctx.get(held.live.generation) == ctx.get(held.image.generation)
            assert ctx.get(held.live.channel) == ctx.get(held.image.channel)
            for reader, (tenant, row) in reads.items():
                assert ctx.get(getattr(held.image_reads, reader).tenant) == tenant
                seen = getattr(held.contracts, reader).row
                for name, value in _expected(config, row, closed >> tenant & 1).items():
                    assert ctx.get(seen[name]) == value

    simulator = Simulator(held)
    simulator.add_testbench(testbench)
    simulator.run()
