"""What the tests of this folder have in common: clock, registers, and a checker everywhere."""

import logging
from random import Random

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from mcos_hw.registers import channel_map
from mcos_policy.image import encode
from mcos_policy.ports import TenantRow, credit_writes, row_writes, shared_credits
from mcos_sim.axi.fabric import open_settings
from mcos_sim.cosim.axi_checker import AxiChecker
from tests.sim.eyes.bench import FABRIC

__all__ = [
    "IDS",
    "INNER",
    "UNMAPPED",
    "Attached",
    "pauses",
]

IDS = range(6)
"""IDs of a port that a row has."""

INNER = 3
"""The tenant of the engine inside."""

UNMAPPED = 7
"""One that no row has."""

_ROWS = [
    TenantRow(port=port, row=row, tenant=2 * port + row, first=3 * row, last=3 * row + 2)
    for port in range(2)
    for row in range(2)
]


def pauses(seed: int, chance: float):
    """Whether each clock pauses."""
    random = Random(seed)
    while True:
        yield random.random() < chance


class Attached:
    """The top in reset with its checkers; :meth:`start` sets it up through its registers.

    ``checked`` tells which interfaces our own checker watches.
    """

    def __init__(self, dut, checked=("s00", "s01", "m00")) -> None:
        self.dut = dut
        dut.planted.value = 0
        dut.rst.value = 1
        # A clock that followed another one would change when its registers have changed already;
        # who waits for its edge would see what is after it.
        for clock in (dut.clk, dut.s00.aclk, dut.s01.aclk, dut.m00.aclk):
            Clock(clock, 10, "ns").start()
        logging.getLogger(f"cocotb.{dut._name}").setLevel(logging.WARNING)
        for name in ("s00", "s01", "m00"):
            logging.getLogger(f"cocotb.{name}").setLevel(logging.WARNING)
        self._master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        self.checkers = [self._checker(name) for name in checked]

    def _checker(self, name: str) -> AxiChecker:
        checker = AxiChecker(
            getattr(self.dut, name),
            "",
            clock=self.dut.clk,
            reset=self.dut.rst,
            # What two slots may not share is an ID at the memory port.
            unique_ids=name == "m00",
        )
        checker.protocol.name = name
        return checker

    async def start(self) -> None:
        """Leaves reset, loads an image and fills the tenant tables."""
        dut = self.dut
        await ClockCycles(dut.clk, 4)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 2)
        config = FABRIC.channel
        registers = channel_map(config)
        words = encode(config, registers, open_settings(config), label=1).words
        control = registers["IMAGE_CONTROL"]
        writes = [(control.offset, control.pack(begin=1))]
        writes += [(registers["IMAGE_DATA"].offset, word) for word in words]
        writes += row_writes(FABRIC, _ROWS)
        places = shared_credits(FABRIC, _ROWS)
        # The engine has no rows; it shares the queue of a tenant with a port.
        half = config.queue_depth // 2
        writes += credit_writes(FABRIC, places | {(1, INNER): half, (2, INNER): half})
        writes.append((control.offset, control.pack(commit=1)))
        for address, word in writes:
            answer = await self._master.write(address, word.to_bytes(4, "little"))
            assert answer.resp is AxiResp.OKAY
        assert await self.read(registers["LIVE_CRC"].offset)

    async def read(self, address: int) -> int:
        """The word of a register."""
        answer = await self._master.read(address, 4)
        assert answer.resp is AxiResp.OKAY
        return int.from_bytes(answer.data, "little")

    def end(self) -> None:
        """Ends the watch of every checker."""
        for checker in self.checkers:
            checker.end()
