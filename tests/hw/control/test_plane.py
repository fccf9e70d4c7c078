# amaranth: UnusedElaboratable=no
"""Images over the bus: what software reads of the live one, and what readers get of it."""

import numpy as np
import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig
from mcos_hw.control.plane import ControlPlane
from mcos_hw.registers import Access, ArbiterKind, channel_map
from mcos_hw.registers.image import HeaderWord, ImageCode, ImageState, SectionKind
from mcos_policy.image import encode, register_words
from mcos_sim.lockstep.contracts import random_settings
from tests.hw.channel.bench import simulate

BUILDS = pytest.mark.parametrize(
    "config",
    [
        ChannelConfig(tenants=4),
        ChannelConfig(tenants=4, lateness=0, grant_interval=4),
        ChannelConfig(tenants=8, lateness=0, grant_interval=8),
    ],
    ids=["line rate", "compact", "compact, 8 tenants"],
)


class Software:
    """Reads and writes registers, as fast as the bus goes."""

    def __init__(self, bench, config):
        self.bench = bench
        self.registers = channel_map(config)
        bench.set(**{"s_axil.bready": 1, "s_axil.rready": 1, "s_axil.wstrb": 0xF})

    async def write(self, words):
        """Writes (register, word) one by one; the next address comes with an answer."""
        bench = self.bench
        for name, word in words:
            bench.set(
                **{
                    "s_axil.awaddr": self.registers[name].offset,
                    "s_axil.wdata": word,
                    "s_axil.awvalid": 1,
                    "s_axil.wvalid": 1,
                }
            )
            while not (bench.get("s_axil.awready") and bench.get("s_axil.wready")):
                await bench.tick()
            await bench.tick()
        bench.set(**{"s_axil.awvalid": 0, "s_axil.wvalid": 0})
        await bench.tick(4)

    async def read(self, name, index=0):
        bench = self.bench
        address = self.registers[name].offset + 4 * index
        bench.set(**{"s_axil.araddr": address, "s_axil.arvalid": 1})
        await bench.tick()
        bench.set(**{"s_axil.arvalid": 0})
        while not bench.get("s_axil.rvalid"):
            await bench.tick()
        assert bench.get("s_axil.rresp") == Response.OKAY
        word = bench.get("s_axil.rdata")
        await bench.tick()
        return word

    async def load(self, words):
        """Writes an image, and returns what the loader makes of it."""
        control = self.registers["IMAGE_CONTROL"]
        begin = [("IMAGE_CONTROL", control.pack(begin=1))]
        await self.write([*begin, *(("IMAGE_DATA", word) for word in words)])
        status = self.registers["IMAGE_STATUS"].unpack(await self.read("IMAGE_STATUS"))
        assert status["received"] == min(len(words), self.registers.image_length)
        return ImageState(status["state"]), ImageCode(status["code"])

    async def commit(self):
        await self.write([("IMAGE_CONTROL", self.registers["IMAGE_CONTROL"].pack(commit=1))])

    async def expect(self, image):
        """All registers, and all readers, have the settings of ``image``, or of none."""
        bench, registers = self.bench, self.registers
        rows = register_words(registers, image) if image else None
        for register in registers.registers:
            for index in range(register.count) if register.access is Access.IMAGE else ():
                expected = rows[register.name][index] if rows else 0
                assert await self.read(register.name, index) == expected, (register.name, index)
        assert await self.read("LIVE_CRC") == (image.crc if image else 0)
        for reader in bench.component.contracts.signature.members:
            for tenant in range(registers.sections()[SectionKind.TENANT]):
                bench.set(**{f"contracts.{reader}.tenant": tenant})
                given = {}
                for register in registers.section(SectionKind.TENANT):
                    given |= register.unpack(rows[register.name][tenant] if rows else 0)
                row = bench.get(f"contracts.{reader}.row")
                assert row == {name: given[name] for name in row}, (reader, tenant)


def spoiled(image, rng):
    """Images that are refused after their last word, and why."""
    words = list(image.words)
    bit = 1 << int(rng.integers(32))
    return (
        ([*words[:-1], words[-1] ^ bit], ImageCode.CRC),
        ([*words[:-2], words[-2] ^ 1, words[-1]], ImageCode.CRC),
        (
            [
                *words[: HeaderWord.LABEL],
                words[HeaderWord.LABEL] ^ bit,
                *words[HeaderWord.LABEL + 1 :],
            ],
            ImageCode.CRC,
        ),
        ([*words, 0], ImageCode.OVERLONG),
    )


@BUILDS
def test_an_image_is_read_as_it_was_sent_and_a_refused_one_changes_nothing(config):
    registers = channel_map(config)
    rng = np.random.default_rng(1)
    images = [encode(config, registers, random_settings(config, rng), k) for k in range(3)]

    async def testbench(bench):
        software = Software(bench, config)
        await software.expect(None)
        for image in images[:2]:
            assert await software.load(image.words) == (ImageState.STAGED, ImageCode.NONE)
            await software.commit()
            await software.expect(image)
        for words, code in spoiled(images[2], rng):
            assert await software.load(words) == (ImageState.REFUSED, code)
            await software.commit()
        assert await software.load(images[2].words[:-1]) == (ImageState.RECEIVING, ImageCode.NONE)
        await software.commit()
        await software.expect(images[1])
        assert await software.load(images[2].words) == (ImageState.STAGED, ImageCode.NONE)
        await software.expect(images[1])
        await software.commit()
        await software.expect(images[2])
        await bench.reset()
        await software.expect(None)

    simulate(ControlPlane(config, registers, arbiter=ArbiterKind.MCOS), testbench)
