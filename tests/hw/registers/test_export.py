"""Exports of the register map, read by compilers that are not ours."""

import subprocess
import sys
from pathlib import Path

import pytest
from systemrdl import RDLCompiler
from systemrdl.node import AddrmapNode
from systemrdl.parser.SystemRDLLexer import SystemRDLLexer

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import Access, Field, Register, RegisterMap, channel_map
from mcos_hw.registers.export import c_header, main, markdown, systemrdl

DOCS = Path(__file__).parents[3] / "docs" / "registers.md"

CONFIGS = {
    "default": ChannelConfig(),
    "small": ChannelConfig(tenants=4, queue_depth=4, rate_fraction=20),
}


def elaborated(text: str, path: Path) -> AddrmapNode:
    path.write_text(text, encoding="utf-8")
    compiler = RDLCompiler()
    compiler.compile_file(str(path))
    return compiler.elaborate().top


def map_of(*names: str) -> RegisterMap:
    fields = (Field(name=name, width=3, low=8, description=f"As {name}.") for name in names)
    return RegisterMap(
        name="odd",
        description='A "quoted" map with a \\ in it.',
        registers=tuple(
            Register(
                name=f"R{index}",
                offset=4 * index,
                access=Access.READ,
                fields=(field,),
                description="One.",
            )
            for index, field in enumerate(fields)
        ),
        address_width=12,
    )


def compile_c(compiler: str, header: str, body: str, folder: Path) -> subprocess.CompletedProcess:
    (folder / "map.h").write_text(header, encoding="utf-8")
    source = folder / ("use.c" if compiler == "cc" else "use.cpp")
    source.write_text(body, encoding="utf-8")
    return subprocess.run(
        [compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source.name],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_systemrdl_says_what_the_map_says(config: ChannelConfig, tmp_path: Path):
    registers = channel_map(config)
    top = elaborated(systemrdl(registers), tmp_path / "map.rdl")

    assert top.inst_name == registers.name
    seen = {
        node.inst_name: (
            node.raw_address_offset,
            node.array_dimensions or [1],
            node.array_stride if node.is_array else 4,
            node.size,
            [
                (
                    field.inst_name,
                    field.low,
                    field.width,
                    field.get_property("reset"),
                    [code.value for code in field.get_property("encode", default=None) or ()],
                )
                for field in node.fields()
            ],
        )
        for node in top.registers()
    }
    assert seen == {
        register.name: (
            register.offset,
            [register.count],
            4,
            4,
            [
                (
                    field.name,
                    field.low,
                    field.width,
                    field.reset,
                    [code.value for code in field.values or ()],
                )
                for field in register.fields
            ],
        )
        for register in registers.registers
    }


def test_systemrdl_carries_access_units_and_codes(tmp_path: Path):
    top = elaborated(systemrdl(channel_map(ChannelConfig())), tmp_path / "map.rdl")

    def rights(path: str) -> tuple[str, str]:
        field = top.find_by_path(path)
        return field.get_property("sw").name, field.get_property("hw").name

    assert rights("CLOCK.khz") == ("r", "w")
    assert rights("IMAGE_CONTROL.begin") == ("w", "r")
    assert rights("PACER_RATE.pacer_rate") == ("r", "rw")
    assert top.find_by_path("IMAGE_CONTROL.commit").get_property("singlepulse")
    assert top.find_by_path("IMAGE_DATA.word").get_property("swmod")
    assert top.find_by_path("CLOCK.khz").get_property("desc") == "Frequency. Unit: kHz."
    assert "1 FCFS, 2 ROUND_ROBIN" in top.find_by_path("ARBITER.kind").get_property("desc")
    assert [code.name for code in top.find_by_path("ARBITER.kind").get_property("encode")] == [
        "MCOS",
        "FCFS",
        "ROUND_ROBIN",
        "FIXED_PRIORITY",
    ]


def test_every_word_that_systemrdl_reserves_survives_as_a_name(tmp_path: Path):
    words = [word.strip("'") for word in SystemRDLLexer.literalNames]
    words = sorted(word for word in words if word.isidentifier())
    assert {"level", "signal", "type", "w"} <= set(words)
    registers = map_of(*words)

    top = elaborated(systemrdl(registers), tmp_path / "map.rdl")

    assert [field.inst_name for node in top.registers() for field in node.fields()] == words
    assert top.get_property("desc") == registers.description


@pytest.mark.parametrize("compiler", ["cc", "g++"])
def test_c_header_compiles_and_states_the_map(compiler: str, tmp_path: Path):
    registers = channel_map(ChannelConfig())
    lines = ['#include "map.h"', '#include "map.h"', "#include <stddef.h>"]
    facts = [f"MCOS_CHANNEL_MAP_HASH == {registers.hash}u"]
    for register in registers.registers:
        facts.append(f"offsetof(mcos_channel_t, {register.name}) == {register.offset}")
        facts.append(f"sizeof(((mcos_channel_t *)0)->{register.name}) == {register.size}")
        for field in register.fields:
            name = f"MCOS_CHANNEL__{register.name}__{field.name.upper()}"
            facts.append(f"{name}_bm == {field.mask}u")
            facts.append(f"{name}_reset == {field.reset}u")
            facts += [f"{name}__{code.name} == {code.value}" for code in field.values or ()]
    lines += [f'static_assert({fact}, "{fact}");' for fact in facts]
    header = c_header(registers)

    done = compile_c(compiler, header, "\n".join(lines) + "\n", tmp_path)
    assert done.returncode == 0, done.stderr

    lines.append('static_assert(offsetof(mcos_channel_t, CLOCK) == 0, "planted");')
    assert "planted" in compile_c(compiler, header, "\n".join(lines) + "\n", tmp_path).stderr


def test_markdown_lists_every_register_once_and_every_field():
    registers = channel_map(ChannelConfig())
    lines = markdown(registers).splitlines()

    assert lines[0] == "# Registers of mcos_channel"
    assert [line for line in lines if line.startswith("### ")] == [
        f"### {register.name} register" for register in registers.registers
    ]
    assert [line for line in lines if line.startswith("#### ")] == [
        f"#### {field.name} field" for register in registers.registers for field in register.fields
    ]


@pytest.mark.parametrize("export", [c_header, markdown, systemrdl])
def test_export_says_its_origin_and_repeats_itself(export):
    registers = channel_map(ChannelConfig())
    text = export(registers)

    assert f"register map mcos_channel, hash 0x{registers.hash:08x}; do not edit" in text
    assert "python -m mcos_hw.registers.export" in text
    assert export(registers) == text


def test_page_in_docs_is_the_export():
    assert DOCS.read_text(encoding="utf-8") == markdown(channel_map(ChannelConfig())), (
        "docs/registers.md must be the export of the default sizes; "
        "write it again with `python -m mcos_hw.registers.export docs/registers.md`"
    )


def test_command_writes_each_file_by_its_suffix(tmp_path: Path):
    files = {
        tmp_path / "a.h": c_header,
        tmp_path / "b.md": markdown,
        tmp_path / "c.rdl": systemrdl,
    }
    subprocess.run(
        [sys.executable, "-W", "error", "-m", "mcos_hw.registers.export", *files], check=True
    )
    for path, export in files.items():
        assert path.read_text(encoding="utf-8") == export(channel_map(ChannelConfig()))


def test_command_refuses_another_suffix_and_writes_nothing(tmp_path: Path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path / "a.md"), str(tmp_path / "a.txt")])
    assert stopped.value.code == 2
    assert "FILE must end in .h, .md, .rdl, not" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
