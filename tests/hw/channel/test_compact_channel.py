# amaranth: UnusedElaboratable=no
"""The compact channel as requesters and memory see it."""

import dataclasses
import random
from itertools import pairwise

import pytest

from mcos_hw.registers import ArbiterKind
from tests.hw.channel.bench import simulate
from tests.hw.channel.timed_channel import (
    CONFIG,
    NAMES,
    Memory,
    TimedChannel,
    live,
    offer,
    random_contracts,
    require_passage,
    start,
)

INTERVALS = pytest.mark.parametrize("interval", [4, 7])


def compact(interval, kind=ArbiterKind.MCOS):
    config = dataclasses.replace(CONFIG, lateness=0, grant_interval=interval)
    return TimedChannel(config, kind)


def port_clocks(interval):
    """Clocks from a request to its command at the port of an idle channel of 4 tenants.

    Three to its queue, three to its tags, those of the tournament of 4, and one to the port.
    """
    return 3 + 3 + min(interval - 3, 3) + 1


@INTERVALS
def test_a_request_passes_an_idle_channel_in_its_clocks(interval):
    async def testbench(bench):
        await start(bench)
        await require_passage(bench, port_clocks(interval))

    simulate(compact(interval), testbench, NAMES)


@INTERVALS
@pytest.mark.parametrize("tenants", [1, 4])
def test_one_grant_an_interval_while_contracts_and_sizes_change(interval, tenants):
    """For one tenant as for all; a request comes with every command."""
    rng = random.Random(interval)

    async def testbench(bench):
        await start(bench, pacer_enable=1, pacer_rate=0)
        for k in range(6):
            assert await offer(bench, tenant=k % tenants)
        await bench.tick(20)
        memory = Memory()
        commands = []
        for clock in range(60 * interval):
            # A commit may change classes, of which a look shows those of the clock before it.
            if clock % (10 * interval) == 0:
                bench.set(live=random_contracts(rng))
            command = memory.clock(bench)
            if command is not None:
                commands.append(clock)
                taken = await offer(bench, tenant=command["tenant"], beats=rng.choice((1, 7, 16)))
                assert taken
            else:
                await bench.tick()
        assert commands == list(range(commands[0], 60 * interval, interval))

    simulate(compact(interval), testbench, NAMES)


@pytest.mark.parametrize("kind", ArbiterKind)
def test_every_arbiter_keeps_the_interval(kind):
    async def testbench(bench):
        await start(bench)
        memory = Memory()
        commands = []
        for clock in range(120):
            if memory.clock(bench) is not None:
                commands.append(clock)
            await offer(bench, tenant=clock % CONFIG.tenants)
        gaps = {after - before for before, after in pairwise(commands)}
        assert gaps == {5}

    simulate(compact(5, kind), testbench, NAMES)


def test_a_head_is_not_held_in_its_first_clock():
    """HELD stays 0 for a tenant whose tokens cover everything."""

    async def testbench(bench):
        settings = live(
            tenant={"work_conserving": 0, "committed_rate": 1 << 20, "peak_rate": 1 << 20}
        )
        bench.set(live=settings, **{"command.ready": 1})
        await bench.tick(4)
        memory = Memory()
        for clock in range(80):
            memory.clock(bench)
            await offer(bench, tenant=clock % CONFIG.tenants)
            assert bench.get("probe")["monitor"]["held"] == 0, clock

    simulate(compact(4), testbench, NAMES)
