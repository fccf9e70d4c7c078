"""Objects in the memories of others: a manager and memories of cocotbext-axi. Run by
``test_movement``."""

import dataclasses
import logging
import re
from pathlib import Path
from random import Random

import cocotb
import pytest
from cocotb.clock import Clock
from cocotb.task import resume
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiMaster, AxiRam, AxiResp

from mcos_hw.registers import fabric_map
from mcos_hw.registers.movement import client_page
from mcos_hw.registers.movement_codes import Outcome, Reason
from mcos_policy.client import Ended, MovementClient, MovementError, MovementSettings
from mcos_policy.image import encode
from mcos_policy.ports import TenantRow, credit_writes, row_writes
from mcos_sim.axi.fabric import open_settings
from mcos_sim.cosim.run_tests import parameters
from mcos_sim.cosim.transport import CosimTransport, run_software
from tests.sim.movement.bench import BASES, FABRIC, GRAIN, MOVEMENT

FRAME = MOVEMENT.frame_bytes
TENANT, TAG = 1, 3
"""Whose the objects are, and who is charged for their movement."""


class Words:
    """Words of an AXI4-Lite bus; every access must be answered OKAY."""

    def __init__(self, dut, prefix) -> None:
        logging.getLogger(f"cocotb.{dut._name}.{prefix}").setLevel(logging.WARNING)
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, prefix), dut.clk, dut.rst)

    async def read_word(self, address: int) -> int:
        """The word at an address."""
        answer = await self.master.read(address, 4)
        assert answer.resp is AxiResp.OKAY
        return int.from_bytes(answer.data, "little")

    async def write_word(self, address: int, word: int) -> None:
        """Writes a word at an address."""
        answer = await self.master.write(address, word.to_bytes(4, "little"))
        assert answer.resp is AxiResp.OKAY


class Bench:
    """The top with a manager and two memories, and a transport to the engines' registers."""

    def __init__(self, dut) -> None:
        self.dut = dut
        dut.rst.value = 1
        Clock(dut.clk, 10, "ns").start()
        for name in (dut._name, f"{dut._name}.s00_axi"):
            logging.getLogger(f"cocotb.{name}").setLevel(logging.WARNING)
        self.registers = Words(dut, "s_axil")
        self.engines = Words(dut, "s_movement_axil")
        self.manager = AxiMaster(AxiBus.from_prefix(dut, "s00_axi"), dut.clk, dut.rst)
        self.memories = [
            AxiRam(AxiBus.from_prefix(dut, f"m0{c}_axi"), dut.clk, dut.rst, size=1 << 16)
            for c in range(FABRIC.channels)
        ]

    async def run(self, software) -> None:
        """Leaves reset, loads an image with its interleave, and runs software, a function."""
        dut, config = self.dut, FABRIC.channel
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
            await self.registers.write_word(address, word)
        assert await self.registers.read_word(registers["LIVE_CRC"].offset)
        await run_software(self._set_up_and_run, software)

    def _set_up_and_run(self, software) -> None:
        transport = CosimTransport(self.engines)
        settings = MovementSettings(transport)
        for tier, (base, frames) in enumerate(zip(BASES, MOVEMENT.frames, strict=True)):
            settings.base(tier, base)
            for tenant in range(FABRIC.channel.tenants):
                settings.quota(tenant, tier, frames)
        for tenant in range(FABRIC.channel.tenants):
            settings.tag(tenant, TAG)
        settings.lease(1 << 20)
        settings.up(1, 2)
        software(lambda tenant: MovementClient(transport, client_page(tenant)))

    async def _write(self, address: int, data: bytes) -> None:
        answer = await self.manager.write(address, data)
        assert answer.resp is AxiResp.OKAY

    async def _read(self, address: int) -> bytes:
        answer = await self.manager.read(address, FRAME)
        assert answer.resp is AxiResp.OKAY
        return bytes(answer.data)

    def write(self, address: int, data: bytes) -> None:
        """The manager writes, through the fabric; called by software."""
        resume(self._write)(address, data)

    def read(self, address: int) -> bytes:
        """The manager reads a frame, through the fabric; called by software."""
        return resume(self._read)(address)


@cocotb.test()
async def one_command_moves_one_frame_between_two_channels(dut):
    """What a manager wrote to a frame of channel 1 is in channel 0 when the command is done."""
    bench = Bench(dut)
    data = Random(1).randbytes(FRAME)

    def software(client_of):
        client = client_of(TENANT)
        free = [client.free(tier) for tier in range(3)]
        placed = client.place("kv", tier=2).result()
        assert placed.address == BASES[2]
        bench.write(placed.address, data)
        assert bench.memories[1].read(0, FRAME) == data
        client.publish("kv", version=1).result()
        client.interrupt(True)
        moving = client.move("kv", tier=1)
        while not int(dut.movement_irq.value):
            assert moving.ended is None
            client.free(1)
        assert int(dut.movement_irq.value) == 1 << TENANT
        moved = moving.result()
        assert moved == Ended(
            outcome=Outcome.DONE,
            reason=Reason.NONE,
            tier=1,
            address=BASES[1],
            version=1,
            term=1,
        )
        assert bench.memories[0].read(0, FRAME) == data
        assert bench.read(moved.address) == data
        assert not int(dut.movement_irq.value)
        client.release("kv").result()
        assert [client.free(tier) for tier in range(3)] == free

    await bench.run(software)


@cocotb.test()
async def the_program_of_the_page_prints_what_is_shown(dut):
    """docs/movement.md, before hardware."""
    bench = Bench(dut)
    page = (Path(__file__).parents[3] / "docs" / "movement.md").read_text(encoding="utf-8")
    ((program, shown),) = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", page, re.DOTALL)
    printed = []
    names = {
        "transport": CosimTransport(bench.engines),
        "write": bench.write,
        "read": bench.read,
        "print": lambda *values: printed.append(" ".join(map(str, values))),
    }
    await bench.run(lambda client_of: exec(compile(program, "movement.md", "exec"), names))
    assert printed == shown.splitlines()


@cocotb.test()
async def another_tenant_reads_what_it_may(dut):
    """The page says who asks: a tenant that is no reader is refused, and told why."""
    bench = Bench(dut)

    def software(client_of):
        owner, other = client_of(TENANT), client_of(2)
        owner.place("kv", tier=2).result()
        owner.publish("kv", version=1).result()
        with pytest.raises(MovementError, match="another tenant's") as why:
            other.access("kv", tier=2).result()
        assert (why.value.outcome, why.value.reason) == (Outcome.REJECTED, Reason.FOREIGN_TENANT)
        owner.publish("kv", version=2, readers=(2,)).result()
        assert other.access("kv", tier=1, version=2).result().tier == 1
        with pytest.raises(MovementError, match="another tenant's"):
            other.release("kv").result()

    await bench.run(software)


@cocotb.test()
async def objects_stay_whole_while_they_move_and_others_are_read(dut):
    """Commands at random about some objects, one in flight each, while all are read."""
    bench = Bench(dut)
    random = Random(3)
    objects = {}

    def use(client, name):
        for version in range(1, parameters()["rounds"] + 1):
            fetched = yield client.access(name, tier=1, version=version)
            assert fetched.outcome is Outcome.DONE
            assert bench.read(fetched.address) == objects[name]
            if random.random() < 0.5:
                objects[name] = random.randbytes(FRAME)
                bench.write(fetched.address, objects[name])
            published = yield client.publish(name, version=version + 1)
            assert published.outcome is Outcome.DONE
            stale = yield client.access(name, tier=1, version=version)
            assert (stale.outcome, stale.reason) == (Outcome.REJECTED, Reason.WRONG_VERSION)
            gone = yield client.evict(name, tier=2)
            assert gone.outcome is Outcome.DONE
            assert bench.read(gone.address) == objects[name]

    def software(client_of):
        client = client_of(TENANT)
        for name in range(6):
            placed = client.place(name, tier=2, fallback=1).result()
            objects[name] = random.randbytes(FRAME)
            bench.write(placed.address, objects[name])
            client.publish(name, version=1).result()
        uses = [use(client, name) for name in objects]
        waiting = {each: next(each) for each in uses}
        while waiting:
            for each, movement in list(waiting.items()):
                if movement.done():
                    try:
                        waiting[each] = each.send(movement.ended)
                    except StopIteration:
                        del waiting[each]

    await bench.run(software)
