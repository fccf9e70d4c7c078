"""Mistakes in the model are found as those in the hardware are."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.lockstep.bugs import MODEL_BUGS
from tests.sim.lockstep.test_lockstep import FEW_HUNDRED

ROOT = Path(__file__).parents[3]


@pytest.mark.soak
@pytest.mark.cocotb
@pytest.mark.parametrize("name", MODEL_BUGS)
def test_every_bug_in_the_model_is_found(name, tmp_path):
    file, text, instead = MODEL_BUGS[name]
    shutil.copytree(
        ROOT / "sim" / "mcos_sim", tmp_path / "mcos_sim", ignore=shutil.ignore_patterns("*.pyc")
    )
    broken = tmp_path / "mcos_sim" / "model" / file
    source = broken.read_text()
    assert source.count(text) == 1, f"{text!r} must stand once in {file}"
    broken.write_text(source.replace(text, instead))
    out = tmp_path / "found.json"
    command = [sys.executable, "-m", "mcos_sim", "lockstep", "--tenants", "4", "--cases", "40"]
    command += ["--clocks", "5000", "--workers", "1", "-o", str(tmp_path), "--json", str(out)]
    path = os.pathsep.join([str(tmp_path), str(ROOT / "hw"), str(ROOT / "policy")])
    ended = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=900,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    found = json.loads(out.read_text())
    assert found["differences"] > 0
    assert found["reproduction"]["clocks"] <= FEW_HUNDRED, found
