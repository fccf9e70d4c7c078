# amaranth: UnusedElaboratable=no
"""Guard and interrupt of a fabric, over the bus."""

import dataclasses

import numpy as np
import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.control.plane import ControlPlane
from mcos_hw.registers import ArbiterKind, fabric_map
from mcos_hw.registers.guard import GUARD_KEY
from mcos_hw.registers.image import ImageCode, ImageState
from mcos_policy.image import encode
from mcos_sim.lockstep.contracts import random_settings
from tests.hw.channel.bench import simulate
from tests.hw.control.software import Software

FABRIC = FabricConfig.around(ChannelConfig(tenants=4), channels=2)
REGISTERS = fabric_map(FABRIC)
WRITES = ["PORT_IDS", "PORT_ROW", "PORT_PLACES", "INTERRUPT_MASK", "IMAGE_DATA", "IMAGE_CONTROL"]


@pytest.fixture
def plane():
    constants = {"PORTS": REGISTERS["PORTS"].reset}
    return ControlPlane(FABRIC.channel, REGISTERS, arbiter=ArbiterKind.MCOS, constants=constants)


def image(label, **settings):
    config = FABRIC.channel
    chosen = random_settings(config, np.random.default_rng(label))
    channel = dataclasses.replace(chosen.channel, **settings)
    return encode(config, REGISTERS, dataclasses.replace(chosen, channel=channel), label)


async def fields(software, name):
    return REGISTERS[name].unpack(await software.read(name))


def test_writes_are_of_the_owner_and_reads_of_all(plane):
    async def testbench(bench):
        windows = [Software(bench, REGISTERS, window=k) for k in range(8)]

        async def state(reader):
            guard = await fields(reader, "GUARD")
            assert guard["window"] == reader.window
            owner = guard["owner"] if guard["owned"] else None
            return owner, (await fields(reader, "GUARD_FAULTS"))["count"]

        # Software that knows of no owner works through any window.
        for software in (windows[0], windows[7]):
            assert await software.load(image(1).words) == (ImageState.STAGED, ImageCode.NONE)
        assert await windows[2].put("GUARD_CLAIM", 0) == Response.OKAY
        assert await state(windows[0]) == (None, 0)
        assert await windows[2].put("GUARD_CLAIM", 1) == Response.OKAY
        assert await state(windows[5]) == (2, 0)

        # Nobody else's write does anything: the staged image stays as it is.
        for count, name in enumerate(WRITES, 1):
            event = f"{name.lower()}.stb" if name.startswith("PORT_") else "port_row.stb"
            assert await windows[5].put(name, 0xFFFF_FFFF, seen=event) == (Response.SLVERR, 0)
            assert await state(windows[5]) == (2, count)
        assert not (await fields(windows[5], "INTERRUPT"))["epoch_enabled"]
        status = await fields(windows[5], "IMAGE_STATUS")
        assert (status["state"], status["code"]) == (ImageState.STAGED, ImageCode.NONE)
        assert await windows[2].put("PORT_ROW", 1, seen="port_row.stb") == (Response.OKAY, 1)
        # A write that would be refused from anybody is none of the guard's.
        assert await windows[5].put("EPOCH", 0) == Response.SLVERR
        assert await state(windows[5]) == (2, len(WRITES))
        assert await windows[5].put_at(REGISTERS["PORTS"].offset - 4, 0) == Response.DECERR

        await windows[2].commit()
        assert (await fields(windows[6], "GENERATION"))["commits"] == 1

        # Window 0 takes over with the key, and releases.
        for software, key, response in (
            (windows[1], GUARD_KEY, Response.SLVERR),
            (windows[0], GUARD_KEY + 1, Response.SLVERR),
            (windows[0], GUARD_KEY, Response.OKAY),
        ):
            assert await software.put("GUARD_TAKEOVER", key) == response
        assert await state(windows[3]) == (0, len(WRITES) + 2)
        assert await windows[2].put("PORT_IDS", 0) == Response.SLVERR
        assert await windows[0].put("GUARD_RELEASE", 1) == Response.OKAY
        assert await state(windows[3]) == (None, len(WRITES) + 3)
        assert await windows[6].put("PORT_IDS", 0) == Response.OKAY

    simulate(plane, testbench)


def test_each_event_interrupts_if_it_is_enabled(plane):
    async def testbench(bench):
        software = Software(bench, REGISTERS)
        other = Software(bench, REGISTERS, window=1)

        async def pending():
            """Events that are pending, after which they are cleared."""
            found = await fields(software, "INTERRUPT")
            await software.put("INTERRUPT_CLEAR", 0xF)
            return {name for name in ("epoch", "violation", "refused", "guard") if found[name]}

        assert await pending() == set()
        assert await software.load((*image(1, epoch_clocks=300).words[:-1], 0)) == (
            ImageState.REFUSED,
            ImageCode.CRC,
        )
        assert not bench.get("irq")
        await software.put("INTERRUPT_MASK", REGISTERS["INTERRUPT_MASK"].pack(refused=1))
        assert bench.get("irq")
        assert await pending() == {"refused"}
        assert not bench.get("irq")
        await software.put("GUARD_CLAIM", 1)
        await other.put("PORT_IDS", 1)
        assert not bench.get("irq")
        assert await pending() == {"guard"}

        # Epochs of 300 clocks; a violation counts in the one in which it happens, whose end tells.
        assert await software.load(image(1, epoch_clocks=300).words) == (
            ImageState.STAGED,
            ImageCode.NONE,
        )
        await software.commit()
        await software.put("INTERRUPT_MASK", REGISTERS["INTERRUPT_MASK"].pack(violation=1))

        async def end():
            while not bench.get("epoch.latch"):
                await bench.tick()

        # The length that was 0 ends the first epoch as soon as it is set.
        await end()
        await bench.tick()
        assert await pending() == {"epoch"}
        bench.set(**{"late.1": 1})
        await bench.tick()
        bench.set(**{"late.1": 0})
        assert await pending() == set()
        await end()
        assert not bench.get("irq")
        await bench.tick(2)
        assert bench.get("irq")
        assert await pending() == {"epoch", "violation"}
        await end()
        # The last clock of an epoch belongs to it, the next one to the next.
        bench.set(**{"late.0": 1})
        await bench.tick()
        bench.set(**{"late.0": 0})
        assert await pending() == {"epoch", "violation"}
        await end()
        await bench.tick()
        assert await pending() == {"epoch"}
        await end()
        await bench.tick()
        bench.set(**{"late.0": 1})
        await bench.tick()
        bench.set(**{"late.0": 0})
        assert await pending() == {"epoch"}
        await end()
        await bench.tick()
        assert await pending() == {"epoch", "violation"}

    simulate(plane, testbench)


def test_software_reads_what_was_granted_lately(plane):
    async def testbench(bench):
        software = Software(bench, REGISTERS)
        units = await fields(software, "UTILISATION_UNITS")
        interval = 1 << units["interval_log2"]
        # Channel 1 grants a beat a clock to tenant 2, from the second interval on.
        await bench.tick(interval)
        bench.set(**{"granted.1": {"valid": 1, "tenant": 2, "beats": 1}})
        await bench.tick(interval)
        for clocks, share in ((0, 1 / 8), (interval, 15 / 64)):
            await bench.tick(clocks)
            for channel, tenant, expected in ((0, 2, 0), (1, 1, 0), (1, 2, share)):
                offset = REGISTERS.file.of("UTILISATION", channel).offset + 4 * tenant
                response, word = await software.at(offset)
                assert response == Response.OKAY
                assert word == pytest.approx(expected * (1 << units["full_log2"]), abs=4)

    simulate(plane, testbench)
