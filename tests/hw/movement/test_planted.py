# amaranth: UnusedElaboratable=no
"""Mistakes of others, planted in the movement engines: the tests of this folder see each."""

import random

import pytest

from mcos_hw.link.movement import Operation, Outcome
from mcos_hw.movement.movement import Movement
from tests.hw.channel.bench import Simulation
from tests.hw.movement import test_movement
from tests.hw.movement.client import MOVEMENT, Client
from tests.hw.movement.memory import InnerMemory
from tests.hw.movement.test_dma import content, fabric_of
from tests.hw.movement.test_movement import place
from tests.planted import Bug


async def read_error(client, rng):
    """A read that fails with others under way ends; the engine goes on."""
    address = await place(client, 1, rng, tier=2)
    client.memory.wrong = {address + 3 * 64 + 8}
    outcome = await client.do(Operation.ACCESS, 1)
    assert outcome["outcome"] == Outcome.REJECTED
    client.memory.wrong = set()
    assert (await client.do(Operation.ACCESS, 1))["outcome"] == Outcome.DONE


async def done_when_written(client, rng):
    """When a copy is done, memory has all of it."""
    address = await place(client, 1, rng, tier=2)
    data = content(client.memory, address, MOVEMENT.frame_bytes)
    there = await client.do(Operation.ACCESS, 1)
    assert client.memory.quiet
    assert content(client.memory, there["address"], MOVEMENT.frame_bytes) == data


async def version_at_use(client, rng):
    """A version that was is not served, also if its check had to wait for a movement."""
    address = await place(client, 1, rng, tier=1)
    evict = await client.give(client.command(Operation.EVICT, 1, tier=2))
    publish = await client.give(client.command(Operation.PUBLISH, 1, version=2))
    old = await client.give(client.command(Operation.ACCESS, 1, version=1, tier=2))
    for number in (evict, publish):
        assert (await client.outcome(number))["outcome"] == Outcome.DONE
    outcome = await client.outcome(old)
    assert outcome["outcome"] == Outcome.REJECTED or outcome["version"] == 1
    stale = await client.do(Operation.ACCESS, 1, version=1, tier=2)
    assert stale["outcome"] == Outcome.REJECTED
    del address


async def old_term(client, rng):
    """The owner of a term that is over publishes nothing."""
    await place(client, 1, rng)
    outcome = await client.do(Operation.PUBLISH, 1, version=2, term=0)
    assert outcome["outcome"] == Outcome.REJECTED


async def foreign_frame(client, _):
    """What another tenant wrote is gone before a frame is used again."""
    for name in range(8):
        placed = await client.do(Operation.PLACE, name, tenant=2)
        for each in range(0, MOVEMENT.frame_bytes, 8):
            client.memory.bytes[placed["address"] + each] = 0x5EC2E7
        await client.do(Operation.RELEASE, name, tenant=2)
    for name in range(8):
        placed = await client.do(Operation.PLACE, name, tenant=1)
        left = content(client.memory, placed["address"], MOVEMENT.frame_bytes)
        assert left == bytes(MOVEMENT.frame_bytes)


async def all_at_once(client, rng):
    """More objects than jobs are fetched."""
    for name in range(6):
        await place(client, name, rng, tier=2)
    numbers = [await client.give(client.command(Operation.ACCESS, name)) for name in range(6)]
    for number in numbers:
        assert (await client.outcome(number))["outcome"] == Outcome.DONE


BUGS = {
    "a failed read is never settled": (
        read_error,
        Bug(
            module="mcos_hw.movement.line",
            text="self.dropped.stb.eq(shown_valid & shown.drops & shown.last)",
            instead="self.dropped.stb.eq(shown_valid & shown.drops & shown.last"
            " & ~shown.arrived.failed)",
        ),
    ),
    "done when the last piece is given": (
        done_when_written,
        Bug(
            module="mcos_hw.movement.jobs",
            text="present & ~has_left & ~under_way",
            instead="present & ~has_left",
        ),
    ),
    "the version is not checked": (
        version_at_use,
        Bug(
            module="mcos_hw.movement.decision",
            text="(command.version != ANY_VERSION) & (command.version != entry.version)",
            instead="Const(0, 1)",
        ),
    ),
    "a frame is not scrubbed": (
        foreign_frame,
        Bug(
            module="mcos_hw.movement.decision",
            text="scrubs = ~clean.bit_select(command.tenant, 1)",
            instead="scrubs = Const(0, 1)",
        ),
    ),
    "an old term is not fenced": (
        old_term,
        Bug(
            module="mcos_hw.movement.decision",
            text="with m.Elif(command.term != entry.term):",
            instead="with m.Elif(command.term > entry.term):",
        ),
    ),
    "a command that finds no job stands in front of their ends": (
        all_at_once,
        Bug(
            module="mcos_hw.movement.residency",
            text="decision.has_job.eq(numbers.take.valid)",
            instead="decision.has_job.eq(1)",
        ),
    ),
}


def run(scenario):
    fabric, rng = fabric_of(), random.Random(1)

    async def testbench(bench):
        memory = InnerMemory(fabric, rng, latency=30)
        await scenario(Client(fabric, bench, memory), rng)

    Simulation(Movement(fabric, 0, MOVEMENT)).run(testbench)


@pytest.mark.parametrize("name", BUGS)
def test_bug_is_seen(name):
    scenario, bug = BUGS[name]
    with bug.planted(), pytest.raises(AssertionError):
        run(scenario)


@pytest.mark.soak
@pytest.mark.parametrize("scenario", dict.fromkeys(scenario for scenario, _ in BUGS.values()))
def test_without_a_bug(scenario):
    test_movement.run(fabric_of(), scenario, latency=30)
