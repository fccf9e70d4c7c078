"""The power governor against its model, and the order, time and bounds of what it closes."""

import dataclasses
from random import Random

import pytest
from amaranth.sim import Simulator

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.control.power import CLOSING_CLOCKS, PowerGovernor, debt_width, step_width
from mcos_sim.power.model import PowerModel

CHANNEL = ChannelConfig(tenants=4, beat_bytes=64, max_beats=2, depth_width=12)
SMALL = FabricConfig(channel=CHANNEL, channels=2)
UNIT = 1 << CHANNEL.rate_fraction
WHOLE = CHANNEL.bytes_per_clock * UNIT
PRIORITIES = (1, 0, 3, 1)


class Bench:
    """A governor whose tenants are visited in turn, with settings that a test changes."""

    def __init__(self, ctx, governor, *, priorities=PRIORITIES, committed=(0, 0, 0, 0)):
        self.ctx = ctx
        self.governor = governor
        self.committed = list(committed)
        for tenant, priority in enumerate(priorities):
            ctx.set(governor.live.tenants[tenant].enable, 1)
            ctx.set(governor.live.tenants[tenant].priority, priority)

    @property
    def closed(self):
        bits = self.ctx.get(self.governor.closed)
        return [bool(bits >> k & 1) for k in range(len(self.committed))]

    @property
    def status(self):
        return self.ctx.get(self.governor.status)

    def force(self, rate=None, cap=None):
        self.ctx.set(self.governor.enable, rate is not None)
        self.ctx.set(self.governor.rate, rate or 0)
        self.ctx.set(self.governor.cap.valid, cap is not None)
        self.ctx.set(self.governor.cap.rate, cap or 0)

    async def clock(self, beats=()):
        turn = self.ctx.get(self.governor.turn)
        self.ctx.set(self.governor.visited, turn)
        self.ctx.set(self.governor.committed_rate, self.committed[turn])
        for channel, signal in enumerate(self.governor.beats):
            self.ctx.set(signal, beats[channel] if beats else 0)
        await self.ctx.tick()


def run(testbench, fabric=SMALL, **settings):
    governor = PowerGovernor(fabric)
    simulator = Simulator(governor)
    simulator.add_clock(1e-6)

    async def bench(ctx):
        await testbench(Bench(ctx, governor, **settings))

    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("channels", [1, 2, 32])
@pytest.mark.parametrize("committed", [0, WHOLE // 4], ids=["no guarantees", "all of it"])
def test_it_is_the_model_bit_by_bit(channels, committed):
    """Both settle on other sums first, with no rate in force; then anything happens."""
    fabric = dataclasses.replace(SMALL, channels=channels)
    random = Random(7 + channels)
    model = PowerModel(fabric, priorities=PRIORITIES, guaranteed=4 * committed, lowest=3)

    async def testbench(bench):
        for _ in range(2 * CHANNEL.tenants):
            await bench.clock()
        seen = set()
        for turn in range(16):
            if turn % 4 == 0:
                rate = random.choice([None, WHOLE // 3, WHOLE // 2, WHOLE]) if turn else WHOLE // 2
                cap = random.choice([None, WHOLE // 5, WHOLE // 2, WHOLE - 1]) if turn else None
                bench.force(rate, cap)
            share = 0.6 if turn % 2 else random.choice([0.0, 0.2]) if turn else 0.0
            for _ in range(60):
                beats = [
                    random.randint(1, 2) if random.random() < share else 0 for _ in range(channels)
                ]
                await bench.clock(beats)
                model.step(beats, rate, cap)
                status = bench.status
                assert bench.closed == list(model.closed)
                assert status.rate == model.forced.rate
                assert (status.governs, status.capped, status.infeasible) == (
                    model.forced.governs,
                    model.forced.capped,
                    model.infeasible,
                )
                seen.add(tuple(bench.closed))
        assert len(seen) > 2, "the scenario must open and close tenants"

    run(testbench, fabric, committed=[committed] * 4)


def test_the_lowest_priority_closes_first_and_opens_last():
    async def testbench(bench):
        bench.force(rate=WHOLE // 2)
        orders = []
        for beats in ([0, 0], [2, 2]):
            for _ in range(600):
                await bench.clock(beats)
                if not orders or orders[-1] != bench.closed:
                    orders.append(bench.closed)
        # The rate closes all. The account grows while nothing is passed, then shrinks.
        groups = [(), (2,), (0, 2, 3), (0, 1, 2, 3)]
        steps = [[k in closed for k in range(4)] for closed in groups]
        assert orders == [steps[0], *reversed(steps), *steps[1:]]

    run(testbench)


def test_a_lower_cap_closes_all_and_the_account_begins_anew():
    async def testbench(bench):
        bench.force(rate=WHOLE // 2)
        for _ in range(600):
            await bench.clock()
        assert bench.closed == [False] * 4
        bench.force(rate=WHOLE // 2, cap=WHOLE // 4)
        for _ in range(CLOSING_CLOCKS - 1):
            await bench.clock()
            assert bench.closed == [False] * 4
        await bench.clock()
        assert bench.closed == [True] * 4
        assert bench.status.capped
        step = 1 << step_width(SMALL)
        waits = step // (SMALL.channels * CHANNEL.bytes_per_clock // 4)
        for _ in range(waits - 2):
            await bench.clock()
            assert bench.closed == [True] * 4
        for _ in range(4):
            await bench.clock()
        assert bench.closed == [True, False, True, True]

    run(testbench)


@pytest.mark.parametrize("over", [0, 1])
def test_a_budget_is_infeasible_from_the_first_unit_under_the_guarantees_on(over):
    committed = [WHOLE // 8, WHOLE // 16, 0, WHOLE // 4]

    async def testbench(bench):
        bench.force(rate=sum(committed) - over)
        for _ in range(2 * CHANNEL.tenants + 1):
            await bench.clock()
        assert bench.status.guaranteed == sum(committed)
        assert bench.status.infeasible == over

    run(testbench, committed=committed)


def test_what_guarantees_owe_is_paid_back_and_is_bounded():
    """Both channels pass all they can for so long; the account then needs as long to be even."""
    rate = WHOLE // 2

    async def testbench(bench):
        bench.force(rate=rate)
        await bench.clock()
        for _ in range(500):
            await bench.clock([1, 1])
        clocks = 0
        while all(bench.closed):
            await bench.clock()
            clocks += 1
        step = 1 << step_width(SMALL)
        even = (500 * 2 * 64 - 500 * 64 + step) / 64
        assert abs(clocks - even) < 8
        for _ in range(2 * (1 << debt_width(SMALL)) // 64):
            await bench.clock([1, 1])
        clocks = 0
        while all(bench.closed):
            await bench.clock()
            clocks += 1
        assert abs(clocks - ((1 << debt_width(SMALL)) + step) / 64) < 8

    run(testbench)


def test_nothing_is_owed_while_the_guarantees_cannot_be_kept():
    async def testbench(bench):
        bench.force(rate=WHOLE // 2)
        for _ in range(1000):
            await bench.clock([1, 1])
        clocks = 0
        while all(bench.closed):
            await bench.clock()
            clocks += 1
        assert clocks < (1 << step_width(SMALL)) // 64 + 8

    run(testbench, committed=[WHOLE // 4] * 4)


def test_a_commit_counts_from_a_round_of_visits_on():
    async def testbench(bench):
        bench.force(rate=WHOLE // 2)
        for _ in range(2 * CHANNEL.tenants + 1):
            await bench.clock()
        bench.committed = [WHOLE // 4] * 4
        bench.ctx.set(bench.governor.live.generation, 1)
        for _ in range(CHANNEL.tenants + 2):
            await bench.clock()
            assert bench.status.guaranteed in (0, WHOLE)
        assert bench.status.infeasible

    run(testbench)


def test_without_a_rate_nobody_is_closed():
    async def testbench(bench):
        for _ in range(500):
            await bench.clock([2, 2])
            assert bench.closed == [False] * 4
            assert not bench.status.governs

    run(testbench)


def test_a_disabled_tenant_counts_for_nothing():
    """Neither for the sum nor for what the account holds: a step more than opens priority 1."""
    committed = [WHOLE // 16, WHOLE // 8, WHOLE // 2, WHOLE // 32]

    async def testbench(bench):
        bench.ctx.set(bench.governor.live.tenants[2].enable, 0)
        bench.force(rate=WHOLE // 2)
        for _ in range(700):
            await bench.clock()
        assert bench.status.guaranteed == sum(committed) - committed[2]
        assert bench.closed == [False, False, True, False]
        clocks = 0
        while bench.closed == [False, False, True, False]:
            await bench.clock([1, 1])
            clocks += 1
        assert abs(clocks - (1 << step_width(SMALL)) // 64) < 8

    run(testbench, priorities=(1, 0, 15, 1), committed=committed)
