# amaranth: UnusedElaboratable=no
"""Images over the bus: what software reads of the live one, and what readers get of it."""

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.control.plane import ControlPlane
from mcos_hw.registers import Access, ArbiterKind, channel_map
from mcos_hw.registers.image import HeaderWord, ImageCode, ImageState, SectionKind
from mcos_policy.image import encode, register_words
from mcos_sim.lockstep.contracts import random_settings
from tests.hw.channel.bench import simulate
from tests.hw.control.software import Software

BUILDS = pytest.mark.parametrize(
    "config",
    [
        ChannelConfig(tenants=4),
        ChannelConfig(tenants=4, lateness=0, grant_interval=4),
        ChannelConfig(tenants=8, lateness=0, grant_interval=8),
    ],
    ids=["line rate", "compact", "compact, 8 tenants"],
)


async def expect(software, image):
    """All registers, and all readers, have the settings of ``image``, or of none."""
    bench, registers = software.bench, software.registers
    rows = register_words(registers, image) if image else None
    for register in registers.registers:
        for index in range(register.count) if register.access is Access.IMAGE else ():
            expected = rows[register.name][index] if rows else 0
            assert await software.read(register.name, index) == expected, (register.name, index)
    assert await software.read("LIVE_CRC") == (image.crc if image else 0)
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
        software = Software(bench, registers)
        await expect(software, None)
        for image in images[:2]:
            assert await software.load(image.words) == (ImageState.STAGED, ImageCode.NONE)
            await software.commit()
            await expect(software, image)
        for words, code in spoiled(images[2], rng):
            assert await software.load(words) == (ImageState.REFUSED, code)
            await software.commit()
        assert await software.load(images[2].words[:-1]) == (ImageState.RECEIVING, ImageCode.NONE)
        await software.commit()
        await expect(software, images[1])
        assert await software.load(images[2].words) == (ImageState.STAGED, ImageCode.NONE)
        await expect(software, images[1])
        await software.commit()
        await expect(software, images[2])
        await bench.reset()
        await expect(software, None)

    simulate(ControlPlane(config, registers, arbiter=ArbiterKind.MCOS), testbench)
