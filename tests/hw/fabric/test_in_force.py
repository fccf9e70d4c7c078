"""What a channel sees of rates that the coordinator lends, at line rate and compact."""

import dataclasses
from random import Random

import pytest
from amaranth.sim import Simulator

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.fabric.contract_copy import ContractCopy
from mcos_hw.fabric.in_force import InForce
from mcos_hw.link.contract import contract_readers

LINE = ChannelConfig(tenants=4, lateness=0)
COMPACT = dataclasses.replace(LINE, grant_interval=4)
CHANNEL = 1
"""Of four."""


class Sets:
    """The rates of the channel: those in force, and those of the next set."""

    def __init__(self, config, random):
        self.config, self.random = config, random
        self.present = self.following = [0] * config.tenants
        self.holds = False

    def expected(self, contract, tenant):
        """The settings of a tenant that are in force."""
        seen = dict(contract)
        if self.holds and "committed_rate" in seen:
            seen["committed_rate"] = self.present[tenant]
            seen["peak_rate"] = max(self.present[tenant], contract["peak_rate"])
        return seen

    def row(self, shape):
        """Any settings of a tenant."""
        return {name: self.random.getrandbits(width) for name, width in shape.members.items()}


def simulate(component, body):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(body)
    simulator.run()


@pytest.mark.parametrize("config", [LINE, COMPACT], ids=["line rate", "compact"])
def test_a_set_is_in_force_as_a_whole_and_all_else_stays(config):
    """Whole sets are written, in any order and some rates twice, while another one is in force."""
    fabric = FabricConfig.around(config, channels=4)
    config = fabric.channel
    block = InForce(fabric, CHANNEL)
    random = Random(7)
    sets = Sets(config, random)

    async def testbench(ctx):
        live = block.image.tenants.shape().elem_shape
        image = [sets.row(live) for _ in range(config.tenants)]
        for row, tenant in zip(image, block.image.tenants, strict=True):
            ctx.set(tenant, row)
        write = block.lent.write
        shown = 0
        for _ in range(25):
            following = [random.getrandbits(config.rate_width) for _ in range(config.tenants)]
            rates = [(c, i) for c in range(4) for i in range(config.tenants)]
            random.shuffle(rates)
            early = [(CHANNEL, random.randrange(config.tenants))]
            writes = [None, *early, *rates, None]
            for place, pair in enumerate(writes):
                last = place == len(writes) - 1
                sets.holds = random.random() < 0.8
                ctx.set(block.lent.holds, sets.holds)
                ctx.set(block.lent.apply, last)
                ctx.set(write.valid, pair is not None)
                if pair is not None:
                    c, i = pair
                    of_set = c == CHANNEL and place > len(early)
                    rate = following[i] if of_set else random.getrandbits(config.rate_width)
                    ctx.set(write, {"valid": 1, "channel": c, "tenant": i, "rate": rate})
                reads = {}
                for reader in contract_readers(config):
                    asked, given = (
                        getattr(block.contracts, reader),
                        getattr(block.image_reads, reader),
                    )
                    tenant = random.randrange(config.tenants)
                    ctx.set(asked.tenant, tenant)
                    reads[reader] = tenant, sets.row(given.row.shape())
                    ctx.set(given.row, reads[reader][1])
                await ctx.delay(1e-8)
                for i, (row, tenant) in enumerate(zip(image, block.live.tenants, strict=True)):
                    for name, value in sets.expected(row, i).items():
                        assert ctx.get(tenant[name]) == value
                for reader, (tenant, row) in reads.items():
                    assert ctx.get(getattr(block.image_reads, reader).tenant) == tenant
                    seen = getattr(block.contracts, reader).row
                    for name, value in sets.expected(row, tenant).items():
                        assert ctx.get(seen[name]) == value
                        shown += sets.holds and name == "committed_rate"
                await ctx.tick()
            sets.present = following
        assert shown or not config.compact

    simulate(block, testbench)


def test_the_copy_has_what_the_buckets_were_read_with_last():
    copy = ContractCopy(COMPACT)
    random = Random(8)

    async def testbench(ctx):
        row = copy.row.shape()
        known = [None] * COMPACT.tenants
        for _ in range(200):
            tenant, asked = (random.randrange(COMPACT.tenants) for _ in range(2))
            given = {name: random.getrandbits(width) for name, width in row.members.items()}
            ctx.set(copy.tenant, tenant)
            ctx.set(copy.row, given)
            ctx.set(copy.contract.tenant, asked)
            await ctx.delay(1e-8)
            if known[asked] is not None:
                for name in ("committed_rate", "committed_depth"):
                    assert ctx.get(copy.contract.row[name]) == known[asked][name]
            await ctx.tick()
            known[tenant] = given

    simulate(copy, testbench)
