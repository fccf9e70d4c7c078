"""The testbenches beside the Verilog: they pass in two simulators, and fail where they should.

One size of each in Icarus is run by the commands of docs/verilog.md; the others take minutes.
"""

import functools
import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.image import HeaderWord
from mcos_hw.targets.generic import files
from mcos_policy.compiler import compile_contract
from mcos_policy.image import Image
from mcos_policy.samples import SAMPLES
from mcos_sim.building.verilator import VERILATOR
from tests.hw.targets import axi_core

ICARUS = pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")

ICARUS_BUILD = ["iverilog", "-g2005", "-Wall", "-o", "tb", "mcos.v", "mcos_tb.v"]

CORES = {
    "4": ("decode-prefill", ChannelConfig(tenants=4)),
    "8": ("decode-prefill", ChannelConfig(tenants=8)),
    "16": ("sixteen", ChannelConfig()),
    "fpga": ("fpga", ChannelConfig(tenants=4)),
}
"""A contract, and the hardware that it asks for with these sizes for the rest."""


@functools.cache
def core(name: str) -> dict[str, str]:
    """Files of the hardware, an image for it, and the same for another clock."""
    sample, default = CORES[name]
    compiled = compile_contract(SAMPLES[sample], default)
    made = files(compiled.config, regenerate="the tests")
    words = list(compiled.image.words)
    good = _hexadecimal(words)
    words[HeaderWord.CLOCK] += 1
    words[-1] = zlib.crc32(Image(words=tuple(words[:-1])).to_bytes())
    return {**made, "good.hex": good, "other.hex": _hexadecimal(words)}


def _hexadecimal(words: Iterable[int]) -> str:
    return "\n".join(f"{word:08x}" for word in words)


def written(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def said(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        check=True,
        env={**os.environ, "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout


def icarus(folder: Path, *arguments: str) -> str:
    """What the testbench says in Icarus, whose compiler must say nothing."""
    assert said(ICARUS_BUILD, folder) == ""
    return said(["vvp", "tb", *arguments], folder)


@ICARUS
@pytest.mark.soak
def test_it_fails_where_the_image_is_not_as_expected(tmp_path):
    folder = written(tmp_path, core("4"))
    assert "the image is not refused\nFAIL\n" in icarus(folder, "+refused", "+image=good.hex")
    told = said(["vvp", "tb", "+image=other.hex"], folder)
    assert ": the image is refused\n" in told
    assert told.endswith("FAIL\n")
    assert "no image in the file" in said(["vvp", "tb", "+image=mcos.sdc"], folder)


PLANTED = {
    "number": ("response_id = ", "response_id = 1 ^ ", "a response to nothing"),
    "tenant": ("response_tenant = ", "response_tenant = 1 ^ ", "a response to nothing"),
    "address": ("command_address = ", "command_address = 512 ^ ", "wrong address"),
    "slot": ("command_slot = ", "command_slot = 0 & ", "a slot is used twice"),
}


@ICARUS
@pytest.mark.soak
@pytest.mark.parametrize("bug", PLANTED)
def test_it_fails_where_the_hardware_is_wrong(bug, tmp_path):
    text, wrong, message = PLANTED[bug]
    assert core("4")["mcos.v"].count(f"  assign {text}") == 1
    texts = core("4") | {"mcos.v": core("4")["mcos.v"].replace(f"assign {text}", f"assign {wrong}")}
    told = icarus(written(tmp_path, texts), "+image=good.hex")
    assert message in told
    assert told.endswith("FAIL\n")


def built(folder: Path, simulator: str, top: str, *sources: str) -> list[str]:
    """The command that runs a testbench, which its simulator has taken without a warning."""
    if simulator == "icarus":
        assert said(["iverilog", "-g2005", "-Wall", "-o", "tb", *sources], folder) == ""
        return ["vvp", "tb"]
    build = [str(VERILATOR), "--binary", "--timing", "-CFLAGS", "-fcoroutines", "-Wall"]
    said([*build, "--top", top, *sources], folder)
    return [f"obj_dir/V{top}"]


@pytest.mark.soak
@pytest.mark.parametrize("simulator", [pytest.param("icarus", marks=ICARUS), "verilator"])
@pytest.mark.parametrize("name", CORES)
def test_every_size_in_both_simulators(name, simulator, tmp_path):
    folder = written(tmp_path, core(name))
    run = built(folder, simulator, "mcos_tb", "mcos.v", "mcos_tb.v")
    passed = said([*run, "+image=good.hex"], folder)
    assert re.match(r"\d+ requests answered in \d+ clocks, \d+ in all\nPASS\n", passed), passed
    refused = said([*run, "+refused", "+image=other.hex"], folder)
    assert refused.startswith("the image is refused with code 4\nPASS\n"), refused


AXI_SOURCES = ("mcos_axi.v", "mcos_axi_example.v")


@pytest.mark.soak
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("simulator", [pytest.param("icarus", marks=ICARUS), "verilator"])
def test_the_axi_example_in_both_simulators(simulator, channels, tmp_path):
    folder = written(tmp_path, axi_core.core(channels))
    run = built(folder, simulator, "mcos_axi_example", *AXI_SOURCES)
    assert re.match(
        r"a damaged image is refused with code 13\n"
        rf"{20 * channels} bursts written and read in \d+ clocks\nPASS\n",
        said([*run, "+image=good.hex"], folder),
    )
    first, *others = (folder / "good.hex").read_text().split()
    (folder / "other.hex").write_text("\n".join([f"{int(first, 16) ^ 1:08x}", *others]))
    assert said([*run, "+image=other.hex"], folder).count("FAIL\n") == 1


AXI_PLANTED = {
    "data": ("s00_axi_rdata = ", "s00_axi_rdata = 64'h1 ^ ", "wrong read data"),
    "response": ("s00_axi_bresp = ", "s00_axi_bresp = 2'h1 | ", "a wrong write response"),
    "id": ("s00_axi_rid = ", "s00_axi_rid = 4'h1 ^ ", "RLAST elsewhere"),
    "last": ("m00_axi_wlast = ", "m00_axi_wlast = 1'h1 | ", "WLAST elsewhere"),
}


@ICARUS
@pytest.mark.soak
@pytest.mark.parametrize("bug", AXI_PLANTED)
def test_the_axi_example_fails_where_the_hardware_is_wrong(bug, tmp_path):
    text, wrong, message = AXI_PLANTED[bug]
    good = axi_core.core()["mcos_axi.v"]
    assert good.count(f"  assign {text}") == 1
    texts = axi_core.core() | {"mcos_axi.v": good.replace(f"assign {text}", f"assign {wrong}")}
    folder = written(tmp_path, texts)
    told = said(
        [*built(folder, "icarus", "mcos_axi_example", *AXI_SOURCES), "+image=good.hex"], folder
    )
    assert message in told
    assert told.endswith("FAIL\n")


@ICARUS
def test_the_instance_compiles(tmp_path):
    texts = {
        "mcos_inst.vh": core("4")["mcos_inst.vh"],
        "mcos.v": re.sub(r"^\);\n.*", ");\nendmodule\n", core("4")["mcos.v"], flags=re.M | re.S),
        "around.v": 'module around (input clk, input rst);\n`include "mcos_inst.vh"\nendmodule\n',
    }
    build = ["iverilog", "-g2005", "-Wall", "-t", "null", "-s", "around", "around.v", "mcos.v"]
    assert said(build, written(tmp_path, texts)) == ""
