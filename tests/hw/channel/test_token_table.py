# amaranth: UnusedElaboratable=no
"""Buckets that are visited in turn, against buckets that are refilled in every clock."""

import random

import pytest
from amaranth.sim import Simulator

from mcos_hw.channel.token_table import TokenTable
from mcos_hw.config import COMPACT_INTERVALS, REFILL_CLOCKS, ChannelConfig

CLOCKS = 500
SEEN = REFILL_CLOCKS + 1
"""Clocks from the reading of a bucket to the first one in which classes see it."""


def config_of(interval):
    return ChannelConfig(tenants=4, lateness=0, grant_interval=interval)


class Driver:
    """Contracts of all tenants, and grants."""

    def __init__(self, ctx, table, rates, depths):
        self.ctx = ctx
        self.table = table
        self.rates = rates
        self.depths = depths
        self.grant(None)

    def grant(self, tenant, *, beats=1, conforming=True):
        """What this clock grants; contracts of the tenant that is read follow."""
        ctx, table = self.ctx, self.table
        tenants = len(self.rates)
        bit = 0 if tenant is None else 1 << tenant
        ctx.set(table.nominates, tenant is not None)
        ctx.set(table.nominee, bit or 1)
        ctx.set(table.grant.valid, tenant is not None)
        ctx.set(table.grant.tenants, bit)
        ctx.set(table.grant.beats, beats)
        ctx.set(table.grant.conforming, (1 << tenants) - 1 if conforming else 0)
        place = ctx.get(table.contract.tenant)
        for kind in ("committed", "peak"):
            ctx.set(table.contract.row[f"{kind}_rate"], self.rates[place])
            ctx.set(table.contract.row[f"{kind}_depth"], self.depths[place])

    async def enable(self):
        """All tenants, until their buckets are full."""
        table = self.table
        self.ctx.set(table.enabled, (1 << len(self.rates)) - 1)
        for _ in range(2 * table.config.token_lateness):
            self.grant(None)
            await self.ctx.tick()


def run(table, testbench):
    """Simulate a table."""
    simulator = Simulator(table)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("interval", [4, 7])
def test_what_a_grant_leaves_is_what_buckets_of_every_clock_have(interval):
    config = config_of(interval)
    unit = 1 << config.rate_fraction
    beat = config.beat_bytes * unit
    rng = random.Random(interval)
    rates = [rng.randrange(1, 8 * unit) for _ in range(4)]
    depths = [rng.choice((512, 600, 5_000)) for _ in range(4)]

    async def testbench(ctx):
        driver = Driver(ctx, table, rates, depths)
        await driver.enable()
        levels = [depth * unit for depth in depths]
        left = {}
        checked = last = 0
        for clock in range(CLOCKS):
            tenant = None
            if clock - last >= interval and rng.random() < 0.5:
                tenant, last = rng.randrange(4), clock
            beats = rng.randrange(1, 17)
            conforming = tenant is not None and levels[tenant] >= beats * beat
            driver.grant(tenant, beats=beats, conforming=conforming)
            seen = [ctx.get(table.tokens.committed[i]) for i in range(4)]
            whole = [ctx.get(table.tokens.committed_beats[i]) for i in range(4)]
            for i in range(4):
                assert seen[i] <= levels[i] <= depths[i] * unit
                assert whole[i] <= levels[i] // beat
            if clock - SEEN in left:
                granted, level = left[clock - SEEN]
                assert seen[granted] == level
                checked += 1
            if conforming:
                levels[tenant] -= beats * beat
                left[clock] = tenant, levels[tenant]
            for i in range(4):
                levels[i] = min(levels[i] + rates[i], depths[i] * unit)
            await ctx.tick()
        assert checked > 10

    table = TokenTable(config)
    run(table, testbench)


@pytest.mark.parametrize("interval", COMPACT_INTERVALS)
def test_tokens_are_seen_in_time(interval):
    """A rate of one unit a clock tells how old a level is, while grants get in its way."""
    config = config_of(interval)
    rng = random.Random(interval)
    odd = interval | 1

    async def testbench(ctx):
        driver = Driver(ctx, table, [1] * 4, [1 << 20] * 4)
        await driver.enable()
        for tenant in range(4):
            driver.grant(tenant, beats=16)
            await ctx.tick()
            driver.grant(None)
            await ctx.tick().repeat(interval)
        granted = [None] * 4
        begin = [None] * 4
        oldest = until = 0
        for clock in range(3 * CLOCKS):
            tenant = None
            if clock >= until:
                tenant = rng.choice((0, 0, 1, 2, 3))
                gaps = (interval, odd, odd, odd + 2, interval + rng.randrange(9))
                granted[tenant], until = clock, clock + rng.choice(gaps)
            driver.grant(tenant, conforming=False)
            for i in range(4):
                seen = ctx.get(table.tokens.committed[i])
                if granted[i] == clock - SEEN:
                    assert begin[i] in (None, seen - granted[i])
                    begin[i] = seen - granted[i]
                if begin[i] is not None:
                    oldest = max(oldest, clock - (seen - begin[i]))
            await ctx.tick()
        assert 0.6 * config.token_lateness < oldest <= config.token_lateness

    table = TokenTable(config)
    run(table, testbench)
