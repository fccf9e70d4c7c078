# amaranth: UnusedElaboratable=no
"""The pages of a compact channel's contracts, against a copy of what was written."""

import dataclasses
import random

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.control.pages import ContractPages
from mcos_hw.registers import Access, channel_map
from mcos_hw.registers.image import SectionKind
from tests.hw.channel.bench import boundary, simulate

CONFIG = ChannelConfig(tenants=4, lateness=0, grant_interval=4)
REGISTERS = channel_map(CONFIG)


def random_image(rng):
    """A word for each register and element, by (name, index)."""
    return {
        (register.name, index): rng.getrandbits(32) & register.mask
        for register, index in REGISTERS.image_words()
    }


ZERO = dict.fromkeys(random_image(random.Random(0)), 0)


async def write(bench, image, share=1.0):
    """Puts the first words of an image in, in the order in which an image has them."""
    places = list(REGISTERS.image_words())
    for register, index in places[: round(share * len(places))]:
        kind = register.section.name.lower()
        row = REGISTERS.section(register.section).index(register)
        bench.set(word=image[register.name, index])
        bench.set(**{f"{kind}.stb": 1, f"{kind}.element": index, f"{kind}.row": row})
        await bench.tick()
        bench.set(**{f"{kind}.stb": 0})


async def commit(bench):
    bench.set(commit_stb=1)
    await bench.tick()
    bench.set(commit_stb=0)


def expect_contracts(bench, image):
    """All readers see the settings of ``image`` in this clock."""
    reads = bench.component.contracts.signature.members
    assert reads
    for reader in reads:
        for tenant in range(CONFIG.tenants):
            bench.set(**{f"contracts.{reader}.tenant": tenant})
            row = bench.get(f"contracts.{reader}.row")
            given = {}
            for register in REGISTERS.section(SectionKind.TENANT):
                given |= register.unpack(image[register.name, tenant])
            assert row == {name: given[name] for name in row}, (reader, tenant)


async def expect_words(bench, image):
    """Software reads ``image``."""
    for register, index in REGISTERS.image_words():
        address = register.offset // 4 + index
        bench.set(**{"window.index": address & (1 << len(bench.component.window.index)) - 1})
        await bench.tick()
        assert bench.get("window.data") == image[register.name, index], (register.name, index)


def test_signature():
    assert boundary(ContractPages(CONFIG, REGISTERS)) == {
        "in": {"word", "channel", "tenant", "commit_stb", "contracts", "window"},
        "out": set(),
    }


@pytest.mark.parametrize("tenants", [4, 8, 16])
def test_the_words_of_an_image_have_different_places_in_the_window(tenants):
    registers = channel_map(dataclasses.replace(CONFIG, tenants=tenants))
    pages = ContractPages(dataclasses.replace(CONFIG, tenants=tenants), registers)
    places = {
        (register.offset // 4 + index) % (1 << len(pages.window.index))
        for register, index in registers.image_words()
    }
    assert len(places) == len(list(registers.image_words()))
    assert any(register.access is Access.IMAGE for register in registers.registers)


def test_a_commit_changes_everything_at_one_edge():
    async def testbench(bench):
        rng = random.Random(1)
        live = ZERO
        for _ in range(3):
            image = random_image(rng)
            await write(bench, image)
            expect_contracts(bench, live)
            await expect_words(bench, live)
            bench.set(commit_stb=1)
            expect_contracts(bench, live)
            await commit(bench)
            live = image
            expect_contracts(bench, live)
            await expect_words(bench, live)

    simulate(ContractPages(CONFIG, REGISTERS), testbench)


def test_software_reads_one_image_however_close_to_a_commit():
    async def testbench(bench):
        rng = random.Random(2)
        first, second = random_image(rng), random_image(rng)
        bench.set(**{"window.index": REGISTERS["PACER_RATE"].offset // 4 % 256})
        await write(bench, first)
        await commit(bench)
        assert bench.get("window.data") == 0
        await bench.tick()
        assert bench.get("window.data") == first["PACER_RATE", 0]
        await write(bench, second)
        await commit(bench)
        assert bench.get("window.data") == first["PACER_RATE", 0]
        await bench.tick()
        assert bench.get("window.data") == second["PACER_RATE", 0]

    simulate(ContractPages(CONFIG, REGISTERS), testbench)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_what_was_refused_changes_nothing_and_leaves_nothing(share):
    """Nor do words without their strobe."""

    async def testbench(bench):
        rng = random.Random(3)
        good, refused, last = random_image(rng), random_image(rng), random_image(rng)
        await write(bench, good)
        await commit(bench)
        await write(bench, refused, share)
        expect_contracts(bench, good)
        await expect_words(bench, good)
        bench.set(word=0xFFFF_FFFF)
        for row in range(len(REGISTERS.section(SectionKind.TENANT))):
            bench.set(**{"tenant.row": row, "tenant.element": 1})
            await bench.tick()
        expect_contracts(bench, good)
        await write(bench, last)
        await commit(bench)
        expect_contracts(bench, last)
        await expect_words(bench, last)

    simulate(ContractPages(CONFIG, REGISTERS), testbench)


@pytest.mark.parametrize("commits", [1, 2])
def test_everything_is_zero_from_reset_to_the_next_commit(commits):
    async def testbench(bench):
        rng = random.Random(4)
        for _ in range(commits):
            await write(bench, random_image(rng))
            await commit(bench)
        await bench.reset()
        expect_contracts(bench, ZERO)
        await expect_words(bench, ZERO)
        image = random_image(rng)
        await write(bench, image)
        expect_contracts(bench, ZERO)
        await commit(bench)
        expect_contracts(bench, image)
        await expect_words(bench, image)

    simulate(ContractPages(CONFIG, REGISTERS), testbench)


def test_bits_beside_the_fields_are_no_bits_of_a_register():
    """A loader without checks lets them pass."""
    config = dataclasses.replace(CONFIG, loader_checks=False)

    async def testbench(bench):
        await write(bench, dict.fromkeys(ZERO, 0xFFFF_FFFF))
        await commit(bench)
        full = {(name, index): REGISTERS[name].mask for name, index in ZERO}
        expect_contracts(bench, full)
        await expect_words(bench, full)

    simulate(ContractPages(config, channel_map(config)), testbench)
