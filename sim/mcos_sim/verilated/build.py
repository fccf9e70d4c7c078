"""Shared libraries from designs: Amaranth to Verilog, Verilator and the harness to C functions."""

import ctypes
import shutil
from collections.abc import Sequence
from pathlib import Path

from amaranth.lib import wiring

from mcos_hw.config import ChannelConfig
from mcos_sim.building.store import kept
from mcos_sim.building.verilator import (
    LIBRARY_ARGUMENTS,
    VERILATOR,
    WAIVERS,
    block_marks,
    compile_model,
    elaborated,
    recipe_hash,
    run_command,
    verilog_of,
)
from mcos_sim.environment import layout
from mcos_sim.ported.lanes import Lanes
from mcos_sim.stages import stage

__all__ = [
    "Library",
    "build_library",
    "library_in",
    "library_of",
    "recipe",
]


_HARNESS = Path(__file__).with_name("harness.cpp")

_NAME = "mcos_probed"

_FILE = "library.so"

_ONE = Lanes()


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
        self.read.argtypes = (pointer, pointer, pointer, number, number)
        self.read.restype = number
        self.write = library.mcos_write
        self.write.argtypes = (pointer, pointer, pointer, number, number, number)
        self.write.restype = number


def build_library(
    component: wiring.Component,
    config: ChannelConfig,
    lanes: Lanes = _ONE,
    blocks: Sequence[str] = (),
) -> Library:
    """Builds the library of a design with the ports of a probed top, or finds it.

    Parameters
    ----------
    component : wiring.Component
        :class:`mcos_sim.verilated.top.ProbedTop`, or something with the same ports.
    config : ChannelConfig
        Its sizes.
    lanes : Lanes
        Its ports and channels.
    blocks : Sequence[str]
        Modules that are compiled once, see :func:`mcos_sim.building.verilator.block_marks`.

    Raises
    ------
    BuildFailed
        If Verilator warns or fails, or the C++ compiler fails.
    """
    design = elaborated(component, _NAME)

    def make(folder: Path) -> None:
        _make(verilog_of(design), config, lanes, folder, blocks=blocks)

    return library_in(kept(f"{_NAME}-{recipe(config, lanes, design, *blocks)}", make))


def library_in(folder: Path) -> Library:
    """The library in a folder of the store."""
    return Library(folder / _FILE)


def library_of(verilog_text: str, config: ChannelConfig) -> Library:
    """Builds the library of a Verilog text with the ports of a probed top, or finds it.

    The text may be a netlist, whose style nobody chose: warnings do not count.

    Raises
    ------
    BuildFailed
        If Verilator or the C++ compiler fails.
    """

    def make(folder: Path) -> None:
        _make(verilog_text, config, _ONE, folder, "-Wno-fatal")

    return library_in(kept(f"{_NAME}-text-{recipe(config, _ONE, verilog_text)}", make))


def recipe(config: ChannelConfig, lanes: Lanes, *texts: str) -> str:
    """Hexadecimal digits that name what is built and how."""
    harness = (_HARNESS.read_text(), _layout_header(config, lanes))
    return recipe_hash(*LIBRARY_ARGUMENTS, *harness, *texts)


def _layout_header(config: ChannelConfig, lanes: Lanes) -> str:
    """The places of the environment's array, and names of the design's ports, for C++."""
    places = {name: place for name, place in vars(layout).items() if name.isupper()}
    places["STAMP_MASK"] = (1 << config.stamp_width) - 1
    rows = [f"constexpr int64_t {name} = {place};\n" for name, place in places.items()]
    return "#include <cstdint>\nnamespace layout {\n" + "".join(rows) + "}\n" + _lanes_header(lanes)


def _lanes_header(lanes: Lanes) -> str:
    """Macros that call another one with each suffix and the place of its lane."""
    rows = [f"#define SEVERAL_CHANNELS {int(lanes.channels > 1)}"]
    for name, suffixes in (("PORT", lanes.of_ports), ("CHANNEL", lanes.of_channels)):
        calls = (f"X({suffix}, {layout.LANE * k})" for k, suffix in enumerate(suffixes))
        rows.append(f"#define EACH_{name}(X) {' '.join(calls)}")
    return "\n".join(rows) + "\n"


def _make(
    text: str,
    config: ChannelConfig,
    lanes: Lanes,
    folder: Path,
    *options: str,
    blocks: Sequence[str] = (),
) -> None:
    objects = folder / "objects"
    objects.mkdir()
    (objects / "layout.h").write_text(_layout_header(config, lanes))
    source = objects / f"{_NAME}.v"
    source.write_text(text)
    shutil.copy(_HARNESS, objects)
    marks = objects / "blocks.vlt"
    marks.write_text(block_marks(blocks))
    command = [str(VERILATOR), *LIBRARY_ARGUMENTS, *options, "--top-module", _NAME]
    if blocks:
        command.append("--hierarchical")
    command += ["-CFLAGS", f"-I{objects}", "--Mdir", str(objects), "-o", _FILE]
    files = [objects / _HARNESS.name, WAIVERS, marks, source]
    with stage("running Verilator"):
        run_command([*command, *map(str, files)])
    compile_model(
        objects, runtime=f"runtime-{recipe_hash(*LIBRARY_ARGUMENTS)}", blocks=bool(blocks)
    )
    (objects / _FILE).rename(folder / _FILE)
