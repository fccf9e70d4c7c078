"""Exports of the register map, read by compilers that are not ours."""

import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from systemrdl import RDLCompiler
from systemrdl.node import AddrmapNode, RegNode
from systemrdl.parser.SystemRDLLexer import SystemRDLLexer

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.registers import Access, Field, Register, RegisterMap, channel_map, fabric_map
from mcos_hw.registers.export import c_header, c_name, main, markdown, systemrdl
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES

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


STANDARDS = ("c99", "c11", "c17", "c++98", "c++03", "c++11", "c++17")


@functools.cache
def header(config: ChannelConfig) -> str:
    return c_header(channel_map(config), name=c_name(config))


def compile_c(standard: str, lines: list[str], folder: Path, **headers: str) -> str:
    """What the compiler says to a source file that includes each header, twice."""
    for name, text in headers.items():
        (folder / f"{name}.h").write_text(text, encoding="utf-8")
    source = folder / ("use.cpp" if "+" in standard else "use.c")
    body = [*(f'#include "{name}.h"' for name in (*headers, *headers)), *lines, ""]
    source.write_text("\n".join(body), encoding="utf-8")
    compiler = "g++" if "+" in standard else "gcc"
    warnings = ("-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only")
    done = subprocess.run(
        [compiler, f"-std={standard}", *warnings, source.name],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(done.stderr) == bool(done.returncode)
    return done.stderr


def stated(facts: list[str]) -> list[str]:
    """Declarations that compile if every fact holds, in any standard."""
    return [
        "#include <stddef.h>",
        *(f"typedef char fact_{n}[({fact}) ? 1 : -1];" for n, fact in enumerate(facts)),
    ]


def facts_of(config: ChannelConfig) -> list[str]:
    registers, name = channel_map(config), c_name(config)
    facts = [f"{name.upper()}_MAP_HASH == {registers.hash}u"]
    for register in registers.registers:
        facts.append(f"{name.upper()}__{register.name}_offset == {register.offset}")
        facts.append(f"offsetof({name}_t, {register.name}) == {register.offset}")
        facts.append(f"sizeof((({name}_t *)0)->{register.name}) == {register.size}")
        for field in register.fields:
            macro = f"{name.upper()}__{register.name}__{field.name.upper()}"
            facts.append(f"{macro}_bm == {field.mask}u")
            facts.append(f"{macro}_reset == {field.reset}u")
            facts += [f"{macro}__{code.name} == {code.value}" for code in field.values or ()]
    return facts


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


@pytest.mark.parametrize("standard", STANDARDS)
def test_c_headers_of_two_sizes_compile_side_by_side_and_state_their_maps(standard, tmp_path):
    sizes = [ChannelConfig(tenants=4), ChannelConfig()]
    facts = [fact for config in sizes for fact in facts_of(config)]
    headers = {f"map{config.tenants}": header(config) for config in sizes}
    assert compile_c(standard, stated(facts), tmp_path, **headers) == ""


def test_a_c_header_that_says_something_else_does_not_compile(tmp_path):
    config = ChannelConfig()
    planted = stated([f"offsetof({c_name(config)}_t, CLOCK) == 0"])
    assert "fact_0" in compile_c("c99", planted, tmp_path, map=header(config))
    shorter = header(config).replace("uint32_t CLOCK;", "")
    assert "has_its_size" in compile_c("c99", [], tmp_path, map=shorter)


@pytest.mark.parametrize("standard", ["c99", "c++98"])
@pytest.mark.parametrize("sizes", [{"rate_fraction": 20}, {"clock_khz": 100_000}])
def test_two_cores_of_one_name_stop_the_compiler(sizes, standard, tmp_path):
    one, other = ChannelConfig(), ChannelConfig(**sizes)
    assert c_name(one) == c_name(other)
    said = compile_c(standard, [], tmp_path, one=header(one), other=header(other))
    assert "mcos_channel_16: the header of another core of this name is included already" in said


def test_a_c_client_tells_its_core_and_its_images_from_others(tmp_path):
    config = ChannelConfig(tenants=4)
    registers, image = (
        channel_map(config),
        compile_contract(SAMPLES["decode-prefill"], config).image,
    )
    (tmp_path / "map.h").write_text(header(config), encoding="utf-8")
    fills = "".join(f"core[{each.offset // 4}] = {each.reset}u;" for each in registers.registers)
    words = ", ".join(f"{word}u" for word in image.words)
    source = f"""
        #include "map.h"
        static uint32_t core[sizeof(mcos_channel_4_t) / 4], image[] = {{{words}}};
        int main(void) {{
            const mcos_channel_4_t *at = (const mcos_channel_4_t *)core;
            int told;
            {fills}
            told = mcos_channel_4_is_core(at) + 2 * mcos_channel_4_takes(image);
            core[MCOS_CHANNEL_4__CLOCK_offset / 4] = 100000u;
            image[MCOS_CHANNEL_4_IMAGE__MAP_HASH] ^= 1u;
            return told + 4 * mcos_channel_4_is_core(at) + 8 * mcos_channel_4_takes(image);
        }}
    """
    (tmp_path / "client.c").write_text(source, encoding="utf-8")
    build = ["gcc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-o", "client"]
    subprocess.run([*build, "client.c"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "client"], check=False).returncode == 3


def test_parts_of_a_fabric_are_in_every_export(tmp_path):
    registers = fabric_map(FabricConfig.around(ChannelConfig(tenants=4), channels=4))
    file = registers.file
    top = elaborated(systemrdl(registers), tmp_path / "map.rdl")
    (parts,) = [node for node in top.children() if not isinstance(node, RegNode)]
    assert parts.inst_name == "CHANNEL"
    assert parts.raw_address_offset == file.offset
    assert (parts.array_dimensions, parts.array_stride) == ([4], file.stride)
    assert {
        node.inst_name: (node.raw_address_offset, node.array_dimensions or [1])
        for node in parts.registers()
    } == {each.name: (each.offset, [each.count]) for each in file.registers}

    facts = [
        f"MAP__CHANNEL_offset == {file.offset}",
        f"MAP__CHANNEL_stride == {file.stride}",
        "MAP__CHANNEL_count == 4",
        "MAP__MAP_windows == 8",
        f"MAP__MAP_bytes == {1 << registers.map_width}",
        f"sizeof(map_t) == {file.offset + 4 * file.stride}",
    ]
    for each in file.registers:
        facts.append(f"MAP__CHANNEL__{each.name}_offset == {each.offset}")
        place = file.of(each.name, 3).offset
        facts.append(f"offsetof(map_t, CHANNEL[3].{each.name}) == {place}")
    text = c_header(registers, name="map")
    assert compile_c("c99", stated(facts), tmp_path, map=text) == ""
    assert "packed" not in text

    page = markdown(registers)
    assert page.count("### CHANNEL_GRANT_BYTES register") == 1
    assert "of the first of 4 parts, 0x1000 bytes apart" in page


def test_members_are_volatile():
    (structure,) = re.findall(r"typedef struct \{(.*?)\}", header(ChannelConfig()), re.DOTALL)
    members = re.findall(r"^    (.*) \w+(?:\[\w+\])?;$", structure, re.MULTILINE)
    assert set(members) == {"volatile uint32_t", "uint8_t"}


def test_the_example_of_the_page_compiles(tmp_path):
    page = (DOCS.parent / "verilog.md").read_text(encoding="utf-8")
    example = page.split("```c\n")[1].split("```")[0]
    assert compile_c("c99", [example], tmp_path, mcos_registers=header(ChannelConfig())) == ""


def test_no_structure_is_packed():
    """Accesses to members of packed structures may be split into bytes."""
    assert "packed" not in header(ChannelConfig())


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


def default_header(registers: RegisterMap) -> str:
    return c_header(registers, name=c_name(ChannelConfig()))


@pytest.mark.parametrize("export", [default_header, markdown, systemrdl])
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
        tmp_path / "a.h": default_header,
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
