"""Core files of FuseSoC: listed, set up with the generator, and linted."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from mcos_sim.building.verilator import VERILATOR
from mcos_sim.constraints.nextpnr import nextpnr_options
from mcos_sim.constraints.target import CONSTRAINTS, read_target, targets

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("fusesoc") is None, reason="fusesoc is not installed"
)

SCRIPTS = sysconfig.get_path("scripts")
CORES = sorted(path.stem for path in CONSTRAINTS.glob("*/*.core") if path.parent.name != "fusesoc")


def _fusesoc(*arguments, folder, path=(SCRIPTS, str(Path(VERILATOR).parent))):
    """Run it in a folder, with no command but those in some folders and of the system."""
    environment = {key: each for key, each in os.environ.items() if key != "VERILATOR_ROOT"}
    places = os.pathsep.join([*path, *os.get_exec_path()])
    return subprocess.run(
        [sys.executable, "-m", "fusesoc.main", "--cores-root", CONSTRAINTS, *arguments],
        cwd=folder,
        env={**environment, "PATH": places, "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_every_core_is_listed(tmp_path):
    done = _fusesoc("core", "list", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    listed = re.findall(r"^mcos:core:(\w+):0 ", done.stdout, re.MULTILINE)
    assert [f"mcos_{name}" for name in listed] == CORES
    assert {"generic", "ultrascale_plus", "ulx3s"} <= set(listed)


def test_core_files_name_the_device_of_their_target():
    found = {}
    for name in targets():
        for core in (CONSTRAINTS / name).glob("*.core"):
            found |= dict.fromkeys(
                re.findall(r"^ *part: (\S+)$", core.read_text(), re.MULTILINE), name
            )
    assert found
    for part, name in found.items():
        assert part == read_target(name).device
    board = (CONSTRAINTS / "ulx3s" / "mcos_ulx3s.core").read_text()
    options = nextpnr_options(read_target("ulx3s").device)
    assert f"nextpnr_options: [{', '.join(options)}]\n" in board


@pytest.mark.soak
def test_a_project_of_vivado_is_set_up_with_its_constraints(tmp_path):
    done = _fusesoc(
        "run", "--setup", "--target", "synth", "mcos:core:ultrascale_plus", folder=tmp_path
    )
    assert done.returncode == 0, done.stdout
    (made,) = tmp_path.glob("build/*/synth/src/*/mcos.xdc")
    there = CONSTRAINTS / "ultrascale_plus" / "mcos.xdc"
    assert made.read_bytes() == there.read_bytes()
    assert (made.parent / "verilog" / "mcos.v").is_file()
    (script,) = tmp_path.glob("build/*/synth/mcos_core_ultrascale_plus_0.tcl")
    assert f"read_xdc {{src/{made.parent.name}/mcos.xdc}}" in script.read_text()


@pytest.mark.soak
def test_a_bitstream_is_set_up_with_its_pins(tmp_path):
    done = _fusesoc("run", "--setup", "--target", "synth", "mcos:core:ulx3s", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    (made,) = tmp_path.glob("build/*/synth/src/*/mcos_ulx3s.lpf")
    assert made.read_bytes() == (CONSTRAINTS / "ulx3s" / "mcos_ulx3s.lpf").read_bytes()
    makefile = (made.parents[2] / "Makefile").read_text()
    assert f"--lpf src/{made.parent.name}/mcos_ulx3s.lpf" in makefile


@pytest.mark.soak
@pytest.mark.parametrize("core", CORES)
def test_a_core_is_linted(core, tmp_path):
    name = core.removeprefix("mcos_")
    done = _fusesoc("run", "--target", "lint", f"mcos:core:{name}", folder=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "%" not in done.stdout


def test_without_mcos_there_is_one_line(tmp_path):
    # The generator finds its Python and nothing else.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    request = tmp_path / "request.yml"
    request.write_text("gapi: '1.0'\nvlnv: a:b:c:0\nparameters: {}\n")
    done = subprocess.run(
        [sys.executable, CONSTRAINTS / "fusesoc" / "generate.py", request],
        cwd=tmp_path,
        env={"PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "the generator needs the command mcos on the PATH; activate its environment\n"
    )
    assert shutil.which("mcos", path=str(tmp_path / "bin")) is None
