"""A checker on both sides of wires between a manager and a memory that others wrote.

Run by ``test_axi_checker``, with wires that are right and with wires that drop what they carry.
"""

import logging
from random import Random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiBus, AxiMaster, AxiRam

from mcos_sim.axi.protocol import Side
from mcos_sim.cosim.axi_checker import AxiChecker
from mcos_sim.cosim.run_tests import parameters

BURSTS = 12


@cocotb.test()
async def bursts_cross(dut):
    random = Random(1)
    dut.broken.value = parameters()["broken"]
    Clock(dut.clk, 10, "ns").start()
    front = AxiChecker(dut, "s00_axi_", clock=dut.clk, reset=dut.rst)
    back = AxiChecker(dut, "m00_axi_", clock=dut.clk, reset=dut.rst, side=Side.MANAGER)
    for prefix in ("s00_axi", "m00_axi"):
        logging.getLogger(f"cocotb.{dut._name}.{prefix}").setLevel(logging.WARNING)
    master = AxiMaster(AxiBus.from_prefix(dut, "s00_axi"), dut.clk, dut.rst)
    memory = AxiRam(AxiBus.from_prefix(dut, "m00_axi"), dut.clk, dut.rst, size=1 << 16)
    for channel in (memory.read_if.ar_channel, memory.write_if.w_channel):
        channel.set_pause_generator(random.random() < 0.5 for _ in iter(int, 1))
    dut.rst.value = 1
    await ClockCycles(dut.clk, 4)
    dut.rst.value = 0
    for _ in range(BURSTS):
        address, length = random.randrange(1 << 15), random.randrange(1, 300)
        data = random.randbytes(length)
        await master.write(address, data)
        assert (await master.read(address, length)).data == data
    for checker in (front, back):
        assert checker.protocol.bursts >= 2 * BURSTS
        checker.end()
