"""A client under cocotb, which knows no coroutines. Run by ``test_client``."""

import cocotb
import pytest
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

from mcos_hw.registers.image import HeaderWord, ImageCode
from mcos_policy.client import Client, ClientError
from mcos_policy.image import Image
from mcos_sim.cosim.testbench import Registers
from mcos_sim.cosim.transport import CosimTransport, run_software
from tests.sim.cosim.recipes import contract, image, sizes


def software(registers: Registers, good: Image, bad: Image) -> Client:
    """What a program does: it finds the core, loads an image, and is refused another."""
    client = Client(CosimTransport(registers))
    client.load(good)
    with pytest.raises(ClientError) as caught:
        client.load(bad)
    assert caught.value.code is ImageCode.CLOCK
    return client


@cocotb.test()
async def loads_and_is_refused(dut):
    config = sizes()
    Clock(dut.clk, 10, "ns").start()
    dut.stimulus.value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    registers = Registers(dut, config)
    good = image(config, contract(config, {0: 16, 1: 16}))
    words = list(good.words)
    words[HeaderWord.CLOCK] += 1
    bad = Image(words=tuple(words))
    client = await run_software(software, registers, good, bad)
    assert client.core.config == config
    assert client.last_good == good
    assert await registers.read("LIVE_CRC") == good.crc
    metrics = await run_software(client.metrics)
    assert metrics.generation == 1
    assert len(metrics.tenants) == config.tenants
