"""Objects in the memories of others: a manager and memories of cocotbext-axi. Run by
``test_movement``."""

import dataclasses
import itertools
import logging
from random import Random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, Lock, ReadOnly
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiMaster, AxiRam, AxiResp

from mcos_hw.link.job import Urgency
from mcos_hw.link.movement import Operation, Outcome, Reason
from mcos_hw.registers import fabric_map
from mcos_policy.image import encode
from mcos_policy.ports import TenantRow, credit_writes, row_writes
from mcos_sim.axi.fabric import open_settings
from mcos_sim.cosim.run_tests import parameters
from tests.sim.movement.bench import BASES, FABRIC, GRAIN, MOVEMENT

FRAME = MOVEMENT.frame_bytes
TENANT, TAG = 1, 3
"""Whose the objects are, and who is charged for their movement."""


class Bench:
    """The top with a manager, two memories, and a client of the movement engines."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.number = itertools.count(1)
        self.outcomes = {}
        self.port = Lock()
        dut.rst.value = 1
        Clock(dut.clk, 10, "ns").start()
        for name in (dut._name, f"{dut._name}.s00_axi", f"{dut._name}.s_axil"):
            logging.getLogger(f"cocotb.{name}").setLevel(logging.WARNING)
        self.registers = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        self.manager = AxiMaster(AxiBus.from_prefix(dut, "s00_axi"), dut.clk, dut.rst)
        self.memories = [
            AxiRam(AxiBus.from_prefix(dut, f"m0{c}_axi"), dut.clk, dut.rst, size=1 << 16)
            for c in range(FABRIC.channels)
        ]

    async def start(self) -> None:
        """Leaves reset, loads an image with its interleave, and sets the engines up."""
        dut, config = self.dut, FABRIC.channel
        dut.commands_valid.value = 0
        dut.completions_ready.value = 1
        dut.up.value = 0b111
        dut.lease.value = 1 << 20
        dut.lease_clock.value = 0
        for tier, base in enumerate(BASES):
            getattr(dut, f"bases_{tier}").value = base
        for tenant in range(config.tenants):
            getattr(dut, f"movement_tags_{tenant}").value = TAG
        for pin in dut:
            if pin._name.startswith("quota"):
                pin.value = (1 << len(pin)) - 1
        await ClockCycles(dut.clk, 4)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 2)
        registers = fabric_map(FABRIC)
        settings = dataclasses.replace(
            open_settings(config), fabric={"grain": GRAIN, "mask_0": 1 << GRAIN}
        )
        words = encode(config, registers, settings, label=1).words
        control = registers["IMAGE_CONTROL"]
        rows = [TenantRow(port=0, row=0, tenant=TENANT, first=0, last=7)]
        writes = [(control.offset, control.pack(begin=1))]
        writes += [(registers["IMAGE_DATA"].offset, word) for word in words]
        writes += row_writes(FABRIC, rows)
        writes += credit_writes(FABRIC, {(0, TENANT): 8, (1, TAG): 8})
        writes.append((control.offset, control.pack(commit=1)))
        for address, word in writes:
            answer = await self.registers.write(address, word.to_bytes(4, "little"))
            assert answer.resp is AxiResp.OKAY
        live = await self.registers.read(registers["LIVE_CRC"].offset, 4)
        assert any(live.data)
        cocotb.start_soon(self._listen())

    async def _listen(self) -> None:
        """Takes every completion."""
        dut = self.dut
        while True:
            await FallingEdge(dut.clk)
            await ReadOnly()
            if not dut.completions_valid.value:
                continue
            outcome = {
                name: int(getattr(dut, f"completions_{name}").value)
                for name in ("number", "outcome", "reason", "tier", "address", "version")
            }
            number = outcome.pop("number")
            assert number not in self.outcomes
            self.outcomes[number] = outcome

    async def give(self, operation, name, **fields) -> int:
        """Gives a command; its number."""
        dut, number = self.dut, next(self.number)
        command = {
            "number": number,
            "tenant": TENANT,
            "operation": operation,
            "object": name,
            "version": 0,
            "term": 1,
            "tier": 1,
            "fallback": 1,
            "urgency": Urgency.DEADLINE,
            "readers": 0b1111,
            "checksum": 0,
            "checks": 0,
        } | fields
        async with self.port:
            await FallingEdge(dut.clk)
            for field, value in command.items():
                getattr(dut, f"commands_{field}").value = int(value)
            dut.commands_valid.value = 1
            for _ in range(1000):
                await ReadOnly()
                ready = dut.commands_ready.value
                await FallingEdge(dut.clk)
                if ready:
                    dut.commands_valid.value = 0
                    return number
        raise AssertionError("command not taken")

    async def outcome(self, number) -> dict:
        """Waits for an outcome."""
        for _ in range(20_000):
            if number in self.outcomes:
                return self.outcomes.pop(number)
            await ClockCycles(self.dut.clk, 1)
        raise AssertionError(f"no outcome of {number}")

    async def do(self, operation, name, **fields) -> dict:
        """A command and its outcome."""
        return await self.outcome(await self.give(operation, name, **fields))

    async def write(self, address: int, data: bytes) -> None:
        """The manager writes, through the fabric."""
        answer = await self.manager.write(address, data)
        assert answer.resp is AxiResp.OKAY

    async def read(self, address: int, length: int = FRAME) -> bytes:
        """The manager reads, through the fabric."""
        answer = await self.manager.read(address, length)
        assert answer.resp is AxiResp.OKAY
        return bytes(answer.data)


@cocotb.test()
async def one_command_moves_one_frame_between_two_channels(dut):
    """What a manager wrote to a frame of channel 1 is in channel 0 when the command is done."""
    bench = Bench(dut)
    await bench.start()
    data = Random(1).randbytes(FRAME)
    placed = await bench.do(Operation.PLACE, 77, tier=2, fallback=2)
    assert placed["outcome"] == Outcome.DONE
    assert placed["address"] == BASES[2]
    await bench.write(placed["address"], data)
    assert bench.memories[1].read(0, FRAME) == data
    await bench.do(Operation.PUBLISH, 77, version=1)
    moved = await bench.do(Operation.MOVE, 77, tier=1)
    assert moved == {
        "outcome": Outcome.DONE,
        "reason": Reason.NONE,
        "tier": 1,
        "address": BASES[1],
        "version": 1,
    }
    assert bench.memories[0].read(0, FRAME) == data
    assert await bench.read(moved["address"]) == data


@cocotb.test()
async def objects_stay_whole_while_they_move_and_others_are_read(dut):
    """Commands at random about some objects, one in flight each, while all are read."""
    bench = Bench(dut)
    await bench.start()
    random = Random(3)
    objects = {}
    for name in range(6):
        placed = await bench.do(Operation.PLACE, name, tier=2, fallback=1)
        data = random.randbytes(FRAME)
        await bench.write(placed["address"], data)
        await bench.do(Operation.PUBLISH, name, version=1)
        objects[name] = data

    async def use(name: int) -> None:
        for version in range(1, parameters()["rounds"] + 1):
            fetched = await bench.do(Operation.ACCESS, name, version=version)
            assert fetched["outcome"] == Outcome.DONE
            assert await bench.read(fetched["address"]) == objects[name]
            if random.random() < 0.5:
                objects[name] = random.randbytes(FRAME)
                await bench.write(fetched["address"], objects[name])
            published = await bench.do(Operation.PUBLISH, name, version=version + 1)
            assert published["outcome"] == Outcome.DONE
            stale = await bench.do(Operation.ACCESS, name, version=version)
            assert (stale["outcome"], stale["reason"]) == (
                Outcome.REJECTED,
                Reason.WRONG_VERSION,
            )
            gone = await bench.do(Operation.EVICT, name, tier=2)
            assert gone["outcome"] == Outcome.DONE
            assert await bench.read(gone["address"]) == objects[name]

    for task in [cocotb.start_soon(use(name)) for name in objects]:
        await task
