"""The C driver compiles for every core, without a library, and tells what the registers tell."""

import re
import subprocess
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.client import c_client, c_example
from mcos_hw.registers.export import c_header, c_name
from mcos_hw.registers.fabric_map import fabric_map
from mcos_hw.registers.image import ImageCode

CORES = {
    "4": ChannelConfig(tenants=4),
    "16": ChannelConfig(),
    "no counters": ChannelConfig(tenants=8, monitors=False),
    "bare": ChannelConfig(tenants=4, monitors=False, loader_checks=False),
}

STRICT = ("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")


def written(folder: Path, config: ChannelConfig) -> Path:
    registers, name = channel_map(config), c_name(config)
    (folder / "mcos_registers.h").write_text(c_header(registers, name=name), encoding="utf-8")
    text = c_client(name=name, header="mcos_registers.h")
    (folder / "mcos_client.h").write_text(text, encoding="utf-8")
    (folder / "mcos_example.c").write_text(c_example(), encoding="utf-8")
    return folder


def compile_c(folder: Path, *arguments: str) -> None:
    subprocess.run([*STRICT, *arguments], cwd=folder, check=True)


@pytest.mark.parametrize("config", CORES.values(), ids=CORES)
def test_the_example_compiles_for_every_core(config, tmp_path):
    compile_c(written(tmp_path, config), "-o", "example", "mcos_example.c")


def test_the_driver_needs_no_library(tmp_path):
    folder = written(tmp_path, CORES["4"])
    source = """
        #include "mcos_client.h"
        mcos_result everything(const mcos_bus *bus, const uint32_t *words, mcos_metrics *found);
        mcos_result everything(const mcos_bus *bus, const uint32_t *words, mcos_metrics *found)
        {
            if (mcos_discover(bus) || mcos_load(bus, words, 58) || !mcos_code_text(mcos_code(bus)))
                return MCOS_REFUSED;
            return mcos_read_metrics(bus, found);
        }
    """
    (folder / "firmware.c").write_text(source, encoding="utf-8")
    compile_c(folder, "-ffreestanding", "-c", "firmware.c")
    # Copying and clearing are the only calls that a compiler may make by itself.
    names = subprocess.run(
        ["nm", "-u", "firmware.o"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.split()
    assert {each for each in names if each != "U"} <= {"memcpy", "memset", "_GLOBAL_OFFSET_TABLE_"}


def test_the_driver_of_a_fabric_reads_the_registers_of_its_channel(tmp_path):
    channel = ChannelConfig(tenants=4, beat_bytes=64)
    registers = fabric_map(FabricConfig(channel=channel, ports=(PortConfig(),)))
    folder = written(tmp_path, channel)
    text = c_header(registers, name="mcos_fabric_4")
    (folder / "mcos_registers.h").write_text(text, encoding="utf-8")
    text = c_client(name="mcos_fabric_4", header="mcos_registers.h")
    (folder / "mcos_client.h").write_text(text, encoding="utf-8")
    compile_c(folder, "-o", "example", "mcos_example.c")
    words = bytearray(1 << registers.address_width)
    for register in registers.registers:
        words[register.offset : register.offset + 4] = register.reset.to_bytes(4, "little")
    (folder / "core").write_bytes(words)
    (folder / "c.hex").write_text("00000000\n")
    done = subprocess.run(
        [folder / "example", folder / "core", folder / "c.hex"], capture_output=True
    )
    assert b"core: 4 tenants, 800000 kHz" in done.stdout
    assert b"The image is not whole." in done.stderr


def test_every_code_has_its_meaning(tmp_path):
    text = c_client(name="core", header="core.h")
    cases = re.findall(r'case MCOS_OF\(IMAGE_STATUS__CODE__(\w+), \): return "(.*)";', text)
    assert cases == [(code.name, code.meaning) for code in ImageCode]
    assert "#define MCOS_CORE CORE\n" in text
    assert '#include "core.h"\n' in text


def test_words_that_a_core_must_read_are_those_of_its_map(tmp_path):
    for config in CORES.values():
        registers, name = channel_map(config), c_name(config).upper()
        found = dict(
            re.findall(
                rf"#define {name}__(\w+)_word (\w+)u", c_header(registers, name=c_name(config))
            )
        )
        assert set(found) == {
            *("CORE", "CORE_VERSION", "MAP_HASH", "CAPABILITY", "LIMITS", "CLOCK", "OPTIONS")
        }
        assert {each: int(word, 16) for each, word in found.items()} == {
            each: registers[each].reset for each in found
        }
