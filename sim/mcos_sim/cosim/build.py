"""Simulators from components: Amaranth to Verilog, Verilator to a program that cocotb drives."""

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import cocotb_tools.config
from amaranth.lib import wiring

from mcos_sim.building.store import kept
from mcos_sim.building.verilator import (
    VERILATOR,
    WAIVERS,
    compile_model,
    elaborated,
    recipe_hash,
    run_command,
    verilog_of,
)
from mcos_sim.stages import stage

__all__ = [
    "Built",
    "build",
    "build_verilog",
    "recipe",
]


_LIBRARIES = cocotb_tools.config.libs_dir

_VERILATOR_ARGUMENTS = (
    "--cc",
    "--exe",
    "--vpi",
    "--prefix",
    "Vtop",
    "--timescale",
    "1ns/1ps",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--no-assert",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Built:
    """A simulator that is ready to run.

    Parameters
    ----------
    name : str
        Name of the top module.
    directory : pathlib.Path
        Absolute path of the folder that holds the simulator and the Verilog it was made from.
    """

    name: str
    directory: Path

    @property
    def executable(self) -> Path:
        """The simulator."""
        return self.directory / "simulator"

    @property
    def verilog(self) -> Path:
        """The Verilog."""
        return self.directory / f"{self.name}.v"


def build(component: wiring.Component, *, name: str) -> Built:
    """Builds a simulator of ``component`` for cocotb, or finds the one that was built before.

    A simulator is filed in the user's cache under a hash of the design and of everything else that
    it was made from. Only the ports of the top module are visible to the test bench; that is what
    makes it fast. Two processes may build the same thing at the same time: one builds, the other
    waits for it.

    Parameters
    ----------
    component : wiring.Component
        Design; its ports are the members of its signature, and ``clk`` and ``rst``.
    name : str
        Name of the top module.

    Raises
    ------
    BuildFailed
        If Verilator warns or fails, or the C++ compiler fails.
    """
    design = elaborated(component, name)
    return build_verilog(
        lambda: verilog_of(design),
        name=name,
        visible=_visible_ports(component, name),
        digest=recipe(design),
    )


def build_verilog(
    text: Callable[[], str],
    *,
    name: str,
    visible: str,
    digest: str,
    arguments: Sequence[str] = (),
) -> Built:
    """Builds a simulator of Verilog for cocotb, or finds the one that was built before.

    Parameters
    ----------
    text : Callable[[], str]
        Gives the Verilog, if it has to be built.
    name : str
        Name of the top module.
    visible : str
        Verilator's configuration that makes signals visible to the test bench.
    digest : str
        A :func:`recipe` of all that it is made from.
    arguments : Sequence[str]
        More options and files.

    Raises
    ------
    BuildFailed
        If Verilator warns or fails, or the C++ compiler fails.
    """

    def make(folder: Path) -> None:
        built = Built(name=name, directory=folder)
        built.verilog.write_text(text())
        objects = folder / "objects"
        objects.mkdir()
        ports = objects / "ports.vlt"
        ports.write_text(visible)
        with stage("running Verilator"):
            run_command((*_verilator_command(built, ports, objects), *arguments))
        compile_model(objects, runtime=f"runtime-vpi-{recipe()}")
        shutil.move(objects / name, built.executable)

    return Built(name=name, directory=kept(f"{name}-{digest}", make))


def recipe(*texts: str) -> str:
    """Hexadecimal digits that name what is built and how."""
    return recipe_hash(*_VERILATOR_ARGUMENTS, str(_LIBRARIES), *texts, tools=("cocotb",))


def _visible_ports(component: wiring.Component, name: str) -> str:
    paths = ["__".join(map(str, path)) for path, _, _ in component.signature.flatten(component)]
    rows = [f'public_flat_rw -module "{name}" -var "{port}"\n' for port in ("clk", "rst", *paths)]
    return "`verilator_config\n" + "".join(rows)


def _verilator_command(built: Built, ports: Path, objects: Path) -> Sequence[str]:
    return (
        str(VERILATOR),
        *_VERILATOR_ARGUMENTS,
        "--top-module",
        built.name,
        "-o",
        built.name,
        "--Mdir",
        str(objects),
        "-LDFLAGS",
        f"-Wl,-rpath,{_LIBRARIES} -L{_LIBRARIES} -lcocotbvpi_verilator",
        str(cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"),
        str(WAIVERS),
        str(ports),
        str(built.verilog),
    )
