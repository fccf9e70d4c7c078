"""Memories as modules of their own: they are all there, and no core needs them to be cleared."""

import re
import shutil
import subprocess

import pytest
from amaranth.hdl import Fragment, Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.targets import axi
from mcos_hw.targets.generic import GenericTop, files
from mcos_hw.targets.memories import MemoryWrappers
from mcos_hw.targets.verilog import verilog_text
from mcos_hw.targets.wrapping import Memories
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from tests.hw.targets import axi_core


class Holder(wiring.Component):
    """A memory with a write port of two enables, and a read port of each kind."""

    address: In(2)
    data: In(8)
    enables: In(2)
    now: Out(8)
    later: Out(8)

    def __init__(self, *, init=(), transparent=False):
        self.init = init
        self.transparent = transparent
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.rows = rows = memory.Memory(shape=8, depth=4, init=self.init)
        write = rows.write_port(granularity=4)
        now = rows.read_port(domain="comb")
        later = rows.read_port(transparent_for=(write,) if self.transparent else ())
        m.d.comb += [
            *(port.addr.eq(self.address) for port in (write, now, later)),
            write.data.eq(self.data),
            write.en.eq(self.enables),
            self.now.eq(now.data),
            self.later.eq(later.data),
        ]
        return m


def test_a_wrapper_has_the_ports_of_the_memory():
    wrappers = MemoryWrappers("top")
    text = verilog_text(Holder(), name="top", head=(), platform=wrappers)
    assert re.findall(r"^  (top_memory\w+) +macro", text, re.MULTILINE) == [
        "top_memory_4x8_w2_ra_rs"
    ]
    made = wrappers.text(head=("What.",))
    assert made == wrappers.text(head=("What.",))
    assert made.startswith("// What.\n")
    assert re.findall(r"(?:input|output) \w+ .*?(\w+)$", made.replace(",", ""), re.MULTILINE) == [
        *("clk", "w0_en", "w0_addr", "w0_data"),
        *("r0_addr", "r0_data", "r1_en", "r1_addr", "r1_data"),
    ]
    assert "    if (w0_en[1]) rows[w0_addr][7:4] <= w0_data[7:4];\n" in made
    assert "  initial for (k = 0; k < 4; k = k + 1)\n    rows[k] = {1{$random}};\n" in made


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"init": [1]}, "a memory must be empty at power-up to have a wrapper, not with contents"),
        ({"transparent": True}, "a memory must not have transparent ports to have a wrapper; put"),
    ],
)
def test_what_no_macro_does_is_refused(settings, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        verilog_text(Holder(**settings), name="top", head=(), platform=MemoryWrappers("top"))


def test_every_memory_of_every_core_can_be_wrapped():
    for top in (GenericTop(ChannelConfig(tenants=4)), axi.AxiTop(axi_core.FABRIC)):
        wrappers = MemoryWrappers("top")
        Fragment.get(top, wrappers)
        assert wrappers.text(head=()).count("endmodule") > 3


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")
def test_every_memory_of_a_core_is_wrapped_and_starts_with_any_bits(tmp_path):
    config = ChannelConfig(tenants=4, grant_interval=8, lateness=0)
    compiled = compile_contract(SAMPLES["fpga"], config)
    made = files(compiled.config, memories=Memories.WRAPPED, regenerate="the tests")
    made["good.hex"] = "\n".join(f"{word:08x}" for word in compiled.image.words)
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    core, wrappers = made["mcos.v"], made["mcos_memories.v"]
    assert not re.search(r"^  reg (\[\S+\] )?\S+ \[", core, re.MULTILINE)
    used = set(re.findall(r"^  (mcos_memory_\w+)", core, re.MULTILINE))
    assert used == set(re.findall(r"^module (\w+)", wrappers, re.MULTILINE)) != set()
    sources = ["mcos.v", "mcos_memories.v", "mcos_tb.v"]
    _done(["iverilog", "-g2005", "-Wall", "-o", "tb", *sources], tmp_path)
    assert _done(["vvp", "tb", "+image=good.hex"], tmp_path).splitlines()[-1] == "PASS"


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")
@pytest.mark.parametrize("bits", ["00000000", "ffffffff", "3c6ef372"])
def test_a_core_behind_a_port_starts_with_any_bits(bits, tmp_path):
    made = axi.files(axi_core.FABRIC, memories=Memories.WRAPPED, regenerate="", compile_command="")
    made["good.hex"] = axi_core.core()["good.hex"]
    wrappers = made["mcos_axi_memories.v"]
    assert "$random" in wrappers
    # The first two are memories of one value, as many compilers' models have them.
    value = f"32'h{bits}" if len(set(bits)) == 1 else f"$random ^ 32'h{bits}"
    made["mcos_axi_memories.v"] = wrappers.replace("$random", value)
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    sources = ["mcos_axi.v", "mcos_axi_memories.v", "mcos_axi_example.v"]
    _done(["iverilog", "-g2005", "-o", "tb", *sources], tmp_path)
    assert _done(["vvp", "tb", "+image=good.hex"], tmp_path).splitlines()[-1] == "PASS"


def _done(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
