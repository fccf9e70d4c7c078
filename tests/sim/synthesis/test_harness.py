"""Ports on scan chains."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from mcos_sim.synthesis.harness import ScannedPorts


class Inverter(wiring.Component):
    """Inverts three bits in a register."""

    word: In(3)
    inverted: Out(3)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.inverted.eq(~self.word)
        return m


def test_inputs_and_reset_are_shifted_in_and_outputs_out():
    inner = Inverter()
    dut = ScannedPorts(inner, name="inner")

    async def bench(ctx):
        async def pulse(clock):
            ctx.set(clock, 1)
            await ctx.delay(1e-9)
            ctx.set(clock, 0)
            await ctx.delay(1e-9)

        for bit in (0, 1, 0, 1):  # the reset first, then the word from its last bit on
            ctx.set(dut.scan_in, bit)
            await pulse(dut.scan_clk)
        assert ctx.get(inner.word) == 0b101
        await pulse(dut.clk)
        assert ctx.get(inner.inverted) == 0b010
        for _ in range(3):
            await pulse(dut.scan_clk)
        # Each register of the chain is an output and the one before it: 0, 0 ^ 1, 0 ^ 1 ^ 0.
        assert ctx.get(dut.scan_out) == 1

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
