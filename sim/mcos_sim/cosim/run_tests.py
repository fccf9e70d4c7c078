"""Running cocotb tests on a built simulator, and believing nothing but their results file."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cocotb_tools.config
import find_libpython

from mcos_sim.cosim.build import Built
from mcos_sim.errors import HardwareError, UserError

__all__ = [
    "SimulationFailed",
    "folder",
    "parameters",
    "run",
]


POLL_SECONDS = 0.2
"""Seconds between two looks at whether a running simulator has to be stopped."""

PARAMETERS = "MCOS_PARAMETERS"
"""Environment variable with the path of the JSON file that :func:`parameters` reads."""


class SimulationFailed(HardwareError):  # noqa: N818  (what happened, not who erred)
    """A test failed, none ran, or the simulator died; the text says which, and names the log."""


def run(
    built: Built,
    *,
    test_module: str,
    directory: Path,
    seed: int,
    test_case: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    timeout: float | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Runs cocotb tests and returns when all of them have passed.

    Parameters
    ----------
    built : Built
        Simulator.
    test_module : str
        Importable name of the module that holds the tests.
    directory : pathlib.Path
        Folder of the run, made if it is missing: ``sim.log``, ``results.xml``,
        ``parameters.json`` and what the tests write to :func:`folder` go there.
    seed : int
        Seed of ``random`` in the tests.
    test_case : str or None
        Name of the only test to run; None runs every test of the module.
    parameters : Mapping[str, Any] or None
        What the tests get from :func:`parameters`; must survive JSON.
    timeout : float or None
        Seconds after which the simulator is stopped and the run has failed.
    stop : threading.Event or None
        Stops the simulator when it is set; the run has failed then.

    Raises
    ------
    SimulationFailed
        If a test fails, no test runs, or the simulator dies or exceeds ``timeout``.
    """
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "sim.log"
    results = directory / "results.xml"
    settings = directory / "parameters.json"
    # What stands there may be of an earlier run, or a link to something else.
    for stale in (log, results, settings):
        stale.unlink(missing_ok=True)
    settings.write_text(json.dumps(dict(parameters or {}), indent=1))

    environment = _environment(built, test_module) | {
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_RANDOM_SEED": str(seed),
        PARAMETERS: str(settings),
    }
    if test_case is not None:
        environment["COCOTB_TEST_FILTER"] = rf"\.{re.escape(test_case)}$"

    deadline = None if timeout is None else time.monotonic() + timeout
    # cocotb imports from the working directory first, and a stranger may have filled the run's.
    with log.open("w") as file, tempfile.TemporaryDirectory(prefix="mcos-") as nowhere:
        process = subprocess.Popen(
            [str(built.executable)],
            cwd=nowhere,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            code = _wait(process, deadline, stop)
        finally:
            # Whatever ends this run ends the simulator.
            process.kill()
            process.wait()
    if code is None:
        reason = "was stopped" if stop and stop.is_set() else f"must end within {timeout} s"
        raise SimulationFailed(f"{built.name} {reason}: see {log}")
    _require_passed(built, results, log, code)


def _wait(
    process: subprocess.Popen, deadline: float | None, stop: threading.Event | None
) -> int | None:
    """The exit code, or None when the deadline has passed or ``stop`` is set."""
    while True:
        try:
            return process.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            late = deadline is not None and time.monotonic() > deadline
            if late or (stop is not None and stop.is_set()):
                return None


def parameters() -> dict[str, Any]:
    """The parameters of this run, inside a cocotb test."""
    return json.loads(Path(os.environ[PARAMETERS]).read_text())


def folder() -> Path:
    """The folder of this run, inside a cocotb test, whose working directory is another."""
    return Path(os.environ[PARAMETERS]).parent


def _environment(built: Built, test_module: str) -> dict[str, str]:
    """The variables that cocotb reads, as its documentation lists them for custom flows."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("COCOTB_")}
    return inherited | {
        "COCOTB_TOPLEVEL": built.name,
        "COCOTB_TEST_MODULES": test_module,
        # Verilator applies a write of a signal before the next event: no need to imitate that.
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "COCOTB_ANSI_OUTPUT": "0",
        "GPI_USERS": ";".join(
            (_python_library(), cocotb_tools.config.pygpi_entry_point()),
        ),
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join(_import_path(test_module)),
        "TOPLEVEL_LANG": "verilog",
    }


def _python_library() -> str:
    library = find_libpython.find_libpython()
    if library is None:
        raise UserError(
            f"cocotb needs the shared library of {sys.executable}, and there is none: "
            "install a Python that was built with --enable-shared"
        )
    return library


def _import_path(test_module: str) -> list[str]:
    """This process's import path, after the folder that ``test_module`` is imported from.

    pytest imports a test module without putting that folder on the path.
    """
    spec = importlib.util.find_spec(test_module)
    if spec is None or spec.origin is None:
        raise SimulationFailed(f"test_module must name an importable module, not {test_module!r}")
    origin = Path(spec.origin).absolute()
    levels = test_module.count(".") + (origin.name == "__init__.py")
    return [str(origin.parents[levels]), *(str(Path(entry).absolute()) for entry in sys.path)]


def _require_passed(built: Built, results: Path, log: Path, code: int) -> None:
    if not results.is_file():
        raise SimulationFailed(
            f"{built.name} must leave results, but ended without any (exit code {code}): "
            f"see {log}\n{_tail(log)}"
        )
    cases = list(ElementTree.parse(results).iter("testcase"))
    failures = [row for case in cases for row in _failures(case)]
    if failures:
        raise SimulationFailed(
            f"every test of {built.name} must pass, but {len(failures)} of {len(cases)} failed: "
            f"see {log}\n" + "\n".join(failures)
        )
    if all(case.find("skipped") is not None for case in cases):
        raise SimulationFailed(f"{built.name} must run at least one test, but ran 0: see {log}")
    if code:
        raise SimulationFailed(
            f"{built.name} must exit with 0, but its tests passed and it exited with {code}: "
            f"see {log}\n{_tail(log)}"
        )


def _failures(case: ElementTree.Element) -> list[str]:
    return [
        f"{case.get('name')}: {verdict.get('type')}: {verdict.get('message')}"
        for verdict in case
        if verdict.tag in ("failure", "error")
    ]


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
