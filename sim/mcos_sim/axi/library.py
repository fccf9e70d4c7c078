"""Shared libraries from AXI tops: Verilog, Verilator and the harness to C functions."""

import ctypes
import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

from mcos_sim.axi.rules import Rule
from mcos_sim.axi.settings import ENUMERATIONS, FaultSort
from mcos_sim.building.store import kept
from mcos_sim.building.verilator import (
    LIBRARY_ARGUMENTS,
    VERILATOR,
    WAIVERS,
    block_marks,
    compile_model,
    recipe_hash,
    run_command,
)
from mcos_sim.stages import stage

__all__ = [
    "Library",
    "Sizes",
    "build_library",
]


_SOURCES = Path(__file__).with_name("harness")

_HARNESS = "harness.cpp"

_FILE = "library.so"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """Widths of the pins of an AXI top.

    Parameters
    ----------
    data_bytes, id_widths : tuple[int, ...]
        Of each port, ``s00_axi`` and so on.
    memories : int
        How many memory ports, ``m00_axi`` and so on; a power of two.
    memory_bytes, memory_id_width : int
        Of each memory port.
    axi3 : bool
        Memory ports speak AXI3.
    unique_ids : bool
        No two bursts under way at a memory port have the same ID.
    witness_words : int
        Words of 64 bits that the output ``witness`` shows in a clock; 0 without one.
    """

    data_bytes: tuple[int, ...]
    id_widths: tuple[int, ...]
    memory_bytes: int
    memory_id_width: int
    memories: int = 1
    axi3: bool = False
    unique_ids: bool = True
    witness_words: int = 0

    def header(self) -> str:
        """C++ for ``sizes.h``: these sizes, the rules, and places in arrays."""
        count = len(self.data_bytes)
        ports = " ".join(f"X({k}, s{k:02}_axi)" for k in range(count))
        memories = " ".join(f"X({k}, m{k:02}_axi)" for k in range(self.memories))
        rules = list(Rule)
        lines = [
            "#pragma once",
            f"#define EACH_PORT(X) {ports}",
            f"#define EACH_MEMORY(X) {memories}",
            f"#define MEMORY_AXI3 {int(self.axi3)}",
            f"#define WITNESS_WORDS {self.witness_words}",
            f"constexpr int kPorts = {count};",
            f"constexpr int kDataBytes[] = {{{_listed(self.data_bytes)}}};",
            f"constexpr int kIdWidths[] = {{{_listed(self.id_widths)}}};",
            f"constexpr int kMemories = {self.memories};",
            f"constexpr int kMemoryBits = {(self.memories - 1).bit_length()};",
            f"constexpr int kMemoryBytes = {self.memory_bytes};",
            f"constexpr int kMemoryIdWidth = {self.memory_id_width};",
            f"constexpr bool kMemoryAxi3 = {str(self.axi3).lower()};",
            f"constexpr bool kUniqueIds = {str(self.unique_ids).lower()};",
            f"enum class Rule {{ {_listed(_constant(rule.name) for rule in rules)} }};",
            "constexpr const char *kRuleTexts[] = {",
            *(f'    "{rule.value}",' for rule in rules),
            "};",
            f"enum Fault {{ {_listed(_constant(sort.name) for sort in FaultSort)}, kFaultSorts }};",
        ]
        for array, names in ENUMERATIONS.items():
            places = _listed(f"{_constant(name)} = {k}" for k, name in enumerate(names))
            lines.append(f"enum {{ {places}, {_constant(array)} = {len(names)} }};")
        return "\n".join(lines) + "\n"


def _listed(items) -> str:
    return ", ".join(map(str, items))


def _constant(name: str) -> str:
    return "k" + "".join(part.capitalize() for part in name.split("_"))


class Library:
    """The functions of ``harness.cpp``, of one design.

    Parameters
    ----------
    path : pathlib.Path
        Shared library.
    sizes : Sizes
        Widths of its pins.
    """

    def __init__(self, path: Path, sizes: Sizes) -> None:
        self.path = path
        self.sizes = sizes
        library = ctypes.CDLL(str(path))
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        self.create = library.axi_create
        self.create.argtypes = (pointer,) * 6
        self.create.restype = pointer
        self.destroy = library.axi_destroy
        self.destroy.argtypes = (pointer,)
        self.destroy.restype = None
        self.write = library.axi_write
        self.write.argtypes = (pointer, number, number)
        self.write.restype = number
        self.read = library.axi_read
        self.read.argtypes = (pointer, number)
        self.read.restype = number
        self.idle = library.axi_idle
        self.idle.argtypes = (pointer, number)
        self.idle.restype = None
        self.post = library.axi_post
        self.post.argtypes = (pointer, pointer, number)
        self.post.restype = None
        self.arm = library.axi_arm
        self.arm.argtypes = (pointer, number, pointer)
        self.arm.restype = None
        self.pause = library.axi_pause
        self.pause.argtypes = (pointer, number, number)
        self.pause.restype = None
        self.finish = library.axi_finish
        self.finish.argtypes = (pointer,)
        self.finish.restype = None
        self.watch = library.axi_watch
        self.watch.argtypes = (pointer, pointer, number)
        self.watch.restype = None
        self.run = library.axi_run
        self.run.argtypes = (pointer, number, pointer)
        self.run.restype = None
        self.fault = library.axi_fault
        self.fault.argtypes = (pointer,)
        self.fault.restype = ctypes.c_char_p


def build_library(
    verilog: str, sizes: Sizes, *, name: str = "mcos_axi", blocks: Sequence[str] = ()
) -> Library:
    """Builds the library of an AXI top, or finds it.

    Parameters
    ----------
    verilog : str
        Text of the top and of all that it instantiates.
    sizes : Sizes
        Widths of its pins.
    name : str
        The top's module.
    blocks : Sequence[str]
        Modules that are compiled once for all of their instances, see
        :func:`mcos_sim.building.verilator.block_marks`.

    Raises
    ------
    BuildFailed
        If Verilator warns or fails, or the C++ compiler fails.
    """
    header = sizes.header()
    sources = sorted(_SOURCES.iterdir())
    texts = (*LIBRARY_ARGUMENTS, *blocks, header, *(path.read_text() for path in sources), verilog)

    def make(folder: Path) -> None:
        objects = folder / "objects"
        shutil.copytree(_SOURCES, objects)
        (objects / "sizes.h").write_text(header)
        source = objects / f"{name}.v"
        source.write_text(verilog)
        marks = objects / "blocks.vlt"
        marks.write_text(block_marks(blocks))
        command = [str(VERILATOR), *LIBRARY_ARGUMENTS, "--top-module", name]
        if blocks:
            command.append("--hierarchical")
        command += ["-CFLAGS", f"-I{objects}", "--Mdir", str(objects), "-o", _FILE]
        with stage("running Verilator"):
            run_command([*command, str(objects / _HARNESS), str(WAIVERS), str(marks), str(source)])
        compile_model(
            objects,
            runtime=f"runtime-{recipe_hash(*LIBRARY_ARGUMENTS)}",
            blocks=bool(blocks),
        )
        (objects / _FILE).rename(folder / _FILE)

    return Library(kept(f"{name}-soak-{recipe_hash(*texts)}", make) / _FILE, sizes)
