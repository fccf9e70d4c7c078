"""tclint, which `make lint` runs over every Tcl file: it has nothing to say, and would say it."""

import importlib.util
import subprocess
import sysconfig
from pathlib import Path

import pytest

from mcos_sim.constraints.target import CONSTRAINTS

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tclint") is None, reason="tclint is not installed"
)


def _lint(*paths):
    command = Path(sysconfig.get_path("scripts"), "tclint")
    done = subprocess.run(
        [command, "--extensions", "tcl, sdc, xdc", *paths], capture_output=True, text=True
    )
    return done.stdout


def test_it_reads_every_file_and_finds_a_mistake(tmp_path):
    assert _lint(CONSTRAINTS) == ""
    files = sorted(path for suffix in ("sdc", "xdc") for path in CONSTRAINTS.rglob(f"*.{suffix}"))
    assert files
    for path in files:
        copy = tmp_path / path.name
        copy.write_text(f"{path.read_text()}set period 1 2 3\n")
    said = _lint(tmp_path).splitlines()
    assert [line.count("[command-args]") for line in said] == [1] * len(files), said
