"""Emitted Verilog is read by every tool at hand, without a word: it belongs to no dialect."""

import functools
import importlib.util
import itertools
import shutil
import subprocess

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.targets.generic import files
from mcos_hw.targets.wrapping import Memories
from mcos_sim.building.verilator import VERILATOR
from mcos_sim.errors import InternalError
from mcos_sim.synthesis.tool import run_yosys
from tests.hw.targets import axi_core

COMPACT = ChannelConfig(tenants=4, grant_interval=8, lateness=0)


SLANG_WAIVERS = (
    "-Wno-arith-op-mismatch",
    "-Wno-case-default",
    "-Wno-sign-conversion",
    "-Wno-width-trunc",
)
"""slang's names for what the text waives for Verilator, see WAIVERS in mcos_hw.targets.verilog."""


@functools.cache
def core(name):
    """Name of the top module, and its sources."""
    if name in ("axi", "fabric"):
        channels = 2 if name == "fabric" else 1
        return "mcos_axi", {"mcos_axi.v": axi_core.core(channels)["mcos_axi.v"]}
    config = COMPACT if name in ("compact", "wrapped") else ChannelConfig(tenants=int(name))
    memories = Memories.WRAPPED if name == "wrapped" else Memories.INFERRED
    made = files(config, memories=memories, regenerate="the tests")
    return "mcos", {each: made[each] for each in ("mcos.v", "mcos_memories.v") if each in made}


CORES = ("compact", "4", "16", "axi", "fabric", "wrapped")
"""A compact core; at line rate, of two sizes; behind a port; two channels behind two ports; with
its memories apart."""

QUICK = {("yosys", "compact"), ("slang", "compact")}
"""What every run reads; test_verilog has Icarus and Verilator."""


def _said(command, folder):
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode, done.stdout


def _by_icarus(top, sources, folder):
    said = _said(["iverilog", "-g2005", "-Wall", "-s", top, "-t", "null", *sources], folder)
    assert said == (0, "")


def _by_verilator(top, sources, folder):
    options = ["--lint-only", "--language", "1364-2005", "-Wall", "--top", top]
    code, said = _said([VERILATOR, *options, *sources], folder)
    assert (code, "%" in said) == (0, False), said


def _by_yosys(top, sources, folder):
    # Without and with its hierarchy; check -assert refuses loops, and nets with many drivers.
    passes = [f"read_verilog {each}" for each in sources]
    passes += [f"hierarchy -check -top {top}", "proc", "check -assert", "flatten", "opt_clean"]
    log = run_yosys([*passes, "check -assert"], directory=folder, name="read")
    warnings = [line for line in log.splitlines() if line.startswith("Warning")]
    # Yosys says so of every memory that has a value at power-up.
    assert [line for line in warnings if "memory" not in line] == []


def _by_slang(top, sources, folder):
    import pyslang

    driver = pyslang.driver.Driver()
    driver.addStandardArgs()
    texts = [str(folder / each) for each in sources]
    words = ["slang", "--std", "1364-2005", "--top", top, "-Wextra", *SLANG_WAIVERS, *texts]
    assert driver.parseCommandLine(" ".join(words), pyslang.driver.CommandLineOptions())
    assert driver.processOptions()
    assert driver.parseAllSources()
    driver.reportCompilation(driver.createCompilation(), True)
    assert (driver.diagEngine.numErrors, driver.diagEngine.numWarnings) == (0, 0)


READERS = {
    "icarus": (_by_icarus, shutil.which("iverilog") is None),
    "verilator": (_by_verilator, False),
    "yosys": (_by_yosys, importlib.util.find_spec("pyosys") is None),
    "slang": (_by_slang, importlib.util.find_spec("pyslang") is None),
}


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        pytest.param(
            *each, marks=pytest.mark.slow if each in QUICK else pytest.mark.soak, id="-".join(each)
        )
        for each in itertools.product(READERS, CORES)
    ],
)
def test_it_is_read_without_a_word(reader, name, tmp_path):
    read, is_missing = READERS[reader]
    if is_missing:
        pytest.skip(f"{reader} is not installed")
    top, sources = core(name)
    for each, text in sources.items():
        (tmp_path / each).write_text(text)
    read(top, list(sources), tmp_path)


@pytest.mark.parametrize("reader", READERS)
def test_a_fault_is_not_read(reader, tmp_path):
    read, is_missing = READERS[reader]
    if is_missing:
        pytest.skip(f"{reader} is not installed")
    text = "module top (input wire a, output wire b);\n  assign b = {};\nendmodule\n"
    (tmp_path / "top.v").write_text(text.format("a"))
    read("top", ["top.v"], tmp_path)
    (tmp_path / "top.v").write_text(text.format("missing"))
    with pytest.raises((AssertionError, InternalError)):
        read("top", ["top.v"], tmp_path)
