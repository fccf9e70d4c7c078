"""A design with a harness of its own as a shared library: Amaranth to Verilog, Verilator, C++."""

import ctypes
import shutil
from pathlib import Path

from amaranth.lib import wiring

from mcos_sim.building.store import kept
from mcos_sim.building.verilator import (
    LIBRARY_ARGUMENTS,
    VERILATOR,
    WAIVERS,
    compile_model,
    elaborated,
    recipe_hash,
    run_command,
    verilog_of,
)
from mcos_sim.stages import stage

__all__ = ["rig_library"]


_FILE = "library.so"


def rig_library(top: wiring.Component, *, name: str, harness: Path, header: str) -> ctypes.CDLL:
    """Builds the library of a rig, or finds it.

    Parameters
    ----------
    top : wiring.Component
        The design.
    name : str
        Its module, and its name in the store.
    harness : pathlib.Path
        C++ around ``Vtop``.
    header : str
        Text of ``pins.h``, which every source sees first.

    Raises
    ------
    BuildFailed
        If Verilator warns or fails, or the C++ compiler fails.
    """
    design = elaborated(top, name)

    def make(folder: Path) -> None:
        objects = folder / "objects"
        objects.mkdir()
        pins = objects / "pins.h"
        pins.write_text(header)
        source = objects / f"{name}.v"
        source.write_text(verilog_of(design))
        shutil.copy(harness, objects)
        command = [str(VERILATOR), *LIBRARY_ARGUMENTS, "--top-module", name]
        command += ["-CFLAGS", f"-I{objects} -include {pins}", "--Mdir", str(objects), "-o", _FILE]
        with stage("running Verilator"):
            run_command([*command, str(objects / harness.name), str(WAIVERS), str(source)])
        compile_model(objects, runtime=f"runtime-{recipe_hash(*LIBRARY_ARGUMENTS)}")
        (objects / _FILE).rename(folder / _FILE)

    recipe = recipe_hash(*LIBRARY_ARGUMENTS, harness.read_text(), header, design)
    return ctypes.CDLL(str(kept(f"{name}-{recipe}", make) / _FILE))
