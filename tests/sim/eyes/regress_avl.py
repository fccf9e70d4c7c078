"""A manager, a memory and monitors of avl-axi at the AXI top. Run by ``test_eyes``."""

import random
from typing import ClassVar

import avl
import cocotb
import pytest
from avl_axi import (
    Agent,
    ManagerSequence,
    SubordinateReadDriver,
    SubordinateReadMemoryDriver,
    SubordinateWriteDriver,
    SubordinateWriteMemoryDriver,
    WriteMonitor,
    axi_burst_t,
    axi_resp_t,
)
from avl_axi._utils import get_burst_addresses
from cocotb.triggers import RisingEdge

from mcos_sim.cosim.run_tests import parameters
from tests.sim.eyes.attach import IDS, Attached
from tests.sim.eyes.bench import FABRIC

BUS = FABRIC.ports[0].data_bytes

REGION = 0x2000
"""Bytes of each ID, which no other one touches."""

RATES = ("control_rate_limit", "data_rate_limit", "response_rate_limit")


def random_burst(region: int) -> tuple[int, int, int, axi_burst_t]:
    """Address, AxLEN, AxSIZE and AxBURST of a burst that AXI has."""
    kind = random.choice((axi_burst_t.INCR, axi_burst_t.WRAP, axi_burst_t.FIXED))
    size = random.randint(0, BUS.bit_length() - 1)
    length = random.choice((2, 4, 8)) if kind == axi_burst_t.WRAP else random.randint(1, 12)
    address = region + random.randrange(REGION // 2)
    if kind == axi_burst_t.WRAP:
        address &= -1 << size
    elif kind == axi_burst_t.INCR:
        # Within 4 KB.
        address = region + address % (0x1000 - (length << size))
    return address, length - 1, size, kind


class Bursts(ManagerSequence):
    """Rounds of writes of all IDs at once, and of reads of the same bytes."""

    def __init__(self, name, parent) -> None:
        super().__init__(name, parent)
        self.held: dict[int, int] = {}
        self.sent = 0
        self.rate = 1.0

    async def body(self) -> None:
        """Sends the rounds, and compares what came back."""
        for turn in range(parameters()["rounds"]):
            self.rate = 0.6 if turn % 2 else 1.0
            bursts = [(name, *random_burst(REGION * name)) for name in IDS for _ in range(2)]
            random.shuffle(bursts)
            for item in [await self._write(*burst) for burst in bursts]:
                await item.wait_on_event("response")
                assert item.get("bresp") == axi_resp_t.OKAY
            for item in [await self._read(*burst) for burst in bursts]:
                await item.wait_on_event("response")
                self._compare(item)
            self.sent += len(bursts)
        for _ in range(4):
            await RisingEdge(self.i_f.aclk)
        self.finished()
        await self._plant()

    async def _plant(self) -> None:
        """What is planted between the hardware and an interface is seen."""
        address = next(iter(self.held))
        lanes = address % BUS
        for planted in (0, 1):
            self.planted.value = planted
            item = await self._read(0, address - lanes, 0, 4, axi_burst_t.INCR)
            await item.wait_on_event("response")
            if planted:
                with pytest.raises(AssertionError, match="must be as written"):
                    self._compare(item)
            else:
                self._compare(item)
        for planted in (0, 2):
            self.planted.value = planted
            assert not Watcher.caught
            item = await self._write(0, address - lanes, 0, 3, axi_burst_t.INCR)
            await item.wait_on_event("response")
        await RisingEdge(self.i_f.aclk)
        assert Watcher.caught == ["memory"]

    async def _write(self, name, address, length, size, kind):
        addresses = get_burst_addresses(address, length, size, kind)
        data, strobes = [], []
        for place in addresses:
            count = (1 << size) - place % (1 << size)
            value = random.getrandbits(8 * count)
            strobe = random.getrandbits(count)
            data.append(value)
            strobes.append(strobe)
            for i in range(count):
                if strobe >> i & 1:
                    self.held[place + i] = value >> 8 * i & 0xFF
        return await self.write(
            awid=name,
            awaddr=address,
            awlen=length,
            awsize=size,
            awburst=kind,
            awcache=3,
            wdata=data,
            wstrb=strobes,
            wait_for=None,
        )

    async def _read(self, name, address, length, size, kind):
        return await self.read(
            arid=name,
            araddr=address,
            arlen=length,
            arsize=size,
            arburst=kind,
            arcache=3,
            wait_for=None,
        )

    def _compare(self, item) -> None:
        size = int(item.get("arsize"))
        addresses = get_burst_addresses(
            int(item.get("araddr")), int(item.get("arlen")), size, int(item.get("arburst"))
        )
        for beat, place in enumerate(addresses):
            assert item.get("rresp", idx=beat) == axi_resp_t.OKAY
            value = int(item.get("rdata", idx=beat))
            for i in range((1 << size) - place % (1 << size)):
                wanted = self.held.get(place + i, 0)
                assert value >> 8 * i & 0xFF == wanted, f"data at {place + i:#x} must be as written"


class Watcher(WriteMonitor):
    """A monitor that notes what it refuses."""

    caught: ClassVar[list[str]] = []

    async def monitor_response(self, id=0):
        """What the monitor does; its own checks are assertions."""
        try:
            await super().monitor_response(id)
        except AssertionError:
            self.caught.append(self.get_parent().name)


class Environment(avl.Env):
    """A manager at the first port, a memory at the memory port, and monitors at both."""

    def __init__(self, name, parent) -> None:
        super().__init__(name, parent)
        self.manager = Agent("manager", self)
        self.memory = Agent("memory", self)
        self.seen = {}
        for agent in (self.manager, self.memory):
            for monitor in (agent.wmonitor, agent.rmonitor):
                seen = self.seen[monitor] = avl.List()
                monitor.item_export.connect(seen)


def written(items, bus: int) -> dict[int, int]:
    """Bytes that writes leave, as a monitor has seen them, in their order."""
    held = {}
    for item in items:
        addresses = get_burst_addresses(
            int(item.get("awaddr")),
            int(item.get("awlen")),
            int(item.get("awsize")),
            int(item.get("awburst")),
        )
        for beat, place in enumerate(addresses):
            strobe, value = (int(item.get(name, idx=beat)) for name in ("wstrb", "wdata"))
            word = place // bus * bus
            held |= {word + i: value >> 8 * i & 0xFF for i in range(bus) if strobe >> i & 1}
    return held


@cocotb.test()
async def data_return_as_they_were_written(dut):
    """Every second round has pauses. avl-axi runs once in a process, so this is the only test."""
    random.seed(1)
    attached = Attached(dut, checked=("s00", "m00"))
    await attached.start()
    for pattern, value in {
        "*.manager.hdl": dut.s00,
        "*.memory.hdl": dut.m00,
        "*.manager.cfg.has_manager": True,
        "*.manager.cfg.narrow_transfer_lane_steering": True,
        "*.memory.cfg.has_subordinate": True,
        "*.memory.cfg.subordinate_ranges": [(0, 0x10000)],
        "*.cfg.has_monitor": True,
        **{f"*.{name}": lambda: sequence.rate for name in RATES},
    }.items():
        avl.Factory.set_variable(pattern, value)
    for original, override in {
        ManagerSequence: Bursts,
        SubordinateReadDriver: SubordinateReadMemoryDriver,
        SubordinateWriteDriver: SubordinateWriteMemoryDriver,
        WriteMonitor: Watcher,
    }.items():
        avl.Factory.set_override_by_type(original, override)
    environment = Environment("environment", None)
    manager, memory = environment.manager, environment.memory
    sequence = manager.mseq
    # Memory answers in any order, and interleaves reads.
    memory.srdrv.in_order = memory.swdrv.in_order = False

    def finished() -> None:
        seen = environment.seen
        assert sequence.sent
        for monitor in (manager.wmonitor, manager.rmonitor):
            assert len(seen[monitor]) == sequence.sent
        held = sequence.held
        assert written(seen[manager.wmonitor], BUS) == held
        assert written(seen[memory.wmonitor], FABRIC.beat_bytes) == held
        assert {place: memory.smem.memory[place] for place in held} == held
        attached.end()

    sequence.finished, sequence.planted = finished, dut.planted
    await environment.start()
    assert Watcher.caught
