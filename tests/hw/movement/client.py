"""Clients of the movement engines, in front of a memory that answers in any order."""

import random

from mcos_hw.config import MovementConfig
from mcos_hw.link.interleave import default_interleave
from mcos_hw.link.job import Urgency
from mcos_hw.link.movement import Operation, Outcome, Reason
from mcos_hw.movement.movement import Movement
from tests.hw.channel.bench import simulation
from tests.hw.movement.memory import InnerMemory

__all__ = ["MOVEMENT", "Client", "run"]


MOVEMENT = MovementConfig(
    frame_bytes=256, jobs=4, rows=4, table_rows=4, parked=4, frames=(0, 8, 32)
)

BASES = (0, 0x10000, 0x40000)
"""Address of frame 0 of each tier."""

LEASE = 500


class Client:
    """Gives commands and takes outcomes, in a clock each."""

    def __init__(self, fabric, bench, memory):
        self.fabric = fabric
        self.bench = bench
        self.memory = memory
        self.outcomes = {}
        self.number = 0
        self.completes = 1.0
        tenants = range(fabric.channel.tenants)
        everybody = (1 << fabric.channel.tenants) - 1
        bench.set(**{"inner.places": everybody}, up=0b111, lease=LEASE, lease_clock=0)
        bench.set(quota=[[63 for _ in tenants] for _ in MOVEMENT.frames])
        for tier, base in enumerate(BASES):
            bench.set(**{f"bases.{tier}": base})
        for tenant in tenants:
            # The movement of tenant t is charged to tag t ^ 2.
            bench.set(**{f"movement_tags.{tenant}": tenant ^ 2})
        if fabric.channels > 1:
            bench.context.set(bench.member("inner.interleave"), default_interleave(fabric))

    def command(self, operation, name, **fields):
        self.number = self.number % 0xFFFF + 1
        return {
            "number": self.number,
            "tenant": 0,
            "operation": operation,
            "object": name,
            "tier": 1,
            "fallback": 1,
            "term": 1,
            "urgency": Urgency.DEADLINE,
        } | fields

    async def clock(self, command=None):
        """One clock, in which a command may be offered; whether it was taken."""
        bench = self.bench
        bench.set(**{"commands.valid": command is not None, "lease_clock": self.memory.clock})
        if command is not None:
            bench.set(**{"commands.payload": command})
        bench.set(**{"completions.ready": self.memory.rng.random() < self.completes})
        self.memory.drive(bench)
        if bench.get("completions.valid") and bench.get("completions.ready"):
            outcome = bench.get("completions.payload")
            assert outcome["number"] not in self.outcomes, "one outcome each"
            outcome["clock"] = self.memory.clock
            self.outcomes[outcome["number"]] = outcome
        taken = command is not None and bench.get("commands.ready")
        self.memory.watch(bench)
        await bench.tick()
        return taken

    async def give(self, command):
        """Offers a command until it is taken; its number."""
        for _ in range(2000):
            if await self.clock(command):
                return command["number"]
        raise AssertionError(f"not taken: {command}")

    async def outcome(self, number, clocks=4000):
        """Waits for the outcome of a command."""
        for _ in range(clocks):
            if number in self.outcomes:
                return self.outcomes.pop(number)
            await self.clock()
        raise AssertionError(f"no outcome of {number}")

    async def do(self, operation, name, **fields):
        """A command and its outcome, by name."""
        number = await self.give(self.command(operation, name, **fields))
        outcome = await self.outcome(number)
        outcome["outcome"] = Outcome(outcome["outcome"])
        outcome["reason"] = Reason(outcome["reason"])
        return outcome


def run(fabric, scenario, *, seed=1, **memory):
    """Runs a scenario, a coroutine of a client and a source of random numbers."""
    rng = random.Random(seed)

    async def testbench(bench):
        inner = InnerMemory(fabric, rng, **memory)
        await scenario(Client(fabric, bench, inner), rng)

    simulation(Movement, fabric, 0, MOVEMENT).run(testbench)


def publish(version, **fields):
    """Fields of a publication."""
    return {"operation": Operation.PUBLISH, "version": version} | fields
