# amaranth: UnusedElaboratable=no
"""The interrupt: what is pending, and for what the line is high."""

import numpy as np

from mcos_hw.control.interrupt import Interrupt
from tests.hw.channel.bench import simulate


def test_events_stay_until_they_are_cleared_and_interrupt_if_enabled():
    async def testbench(bench):
        async def state():
            """What is pending, and then the line."""
            pending = bench.get("pending")
            await bench.tick()
            return pending, bench.get("irq")

        bench.set(events=0b0101)
        await bench.tick()
        bench.set(events=0)
        assert await state() == (0b0101, 0)
        bench.set(mask_stb=1, mask=0b1010)
        await bench.tick()
        bench.set(mask_stb=0, mask=0)
        assert await state() == (0b0101, 0)
        bench.set(mask_stb=1, mask=0b0100)
        await bench.tick()
        bench.set(mask_stb=0)
        assert bench.get("enabled") == 0b0100
        assert await state() == (0b0101, 1)
        # A bit that is written as 0 stays.
        bench.set(clear_stb=1, clear=0b0001)
        await bench.tick()
        bench.set(clear_stb=0, clear=0b1111)
        assert await state() == (0b0100, 1)
        # What happens while it is cleared is not lost.
        bench.set(clear_stb=1, clear=0b0100, events=0b0100)
        await bench.tick()
        bench.set(clear_stb=0, events=0)
        assert await state() == (0b0100, 1)
        bench.set(clear_stb=1, clear=0b0100)
        await bench.tick()
        bench.set(clear_stb=0)
        assert await state() == (0, 0)

    simulate(Interrupt(), testbench)


def test_random_events():
    rng = np.random.default_rng(2)

    async def testbench(bench):
        pending = enabled = line = 0
        for _ in range(400):
            events, clear, mask = (int(each) for each in rng.integers(16, size=3))
            events &= int(rng.integers(16))
            clear_stb, mask_stb = (int(each) for each in rng.random(2) < 0.3)
            bench.set(events=events, clear=clear, clear_stb=clear_stb, mask=mask, mask_stb=mask_stb)
            found = tuple(map(bench.get, ("pending", "enabled", "irq")))
            assert found == (pending, enabled, line)
            await bench.tick()
            line = int(pending & enabled != 0)
            pending = pending & ~(clear if clear_stb else 0) | events
            enabled = mask if mask_stb else enabled

    simulate(Interrupt(), testbench)
