"""``mcos init``: files that work as they are, and overwrite nothing."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from mcos_policy.samples import SAMPLES, sample_words
from mcos_sim.engines.dispatch import Engine
from tests.sim.commands.command_line import run_command

NAMES = {"contract.toml", "traffic.toml", "Makefile", ".gitignore"}

TARGETS = ("explain", "run", "report", "waves", "compile", "verilog", "clean")


def begun(tmp_path, *arguments):
    folder = tmp_path / "service"
    assert run_command("init", folder, *arguments) == 0
    assert {path.name for path in folder.iterdir()} == NAMES
    return folder


def ran(folder, monkeypatch, capsys, *arguments) -> dict:
    """What a run of the folder's contract with its traffic found."""
    monkeypatch.chdir(folder)
    words = "run contract.toml --traffic traffic.toml --engine reference --clocks 20000"
    assert run_command(*words.split(), "--json", "found.json", *arguments) == 0
    shown = capsys.readouterr()
    assert "error" not in shown.err
    return json.loads((folder / "found.json").read_text())


def test_a_contract_of_ones_own_keeps_its_objective(tmp_path, monkeypatch, capsys):
    folder = begun(tmp_path)
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert run_command("explain", folder / "contract.toml") == 0
    assert capsys.readouterr().err == ""
    chat, batch, spare = ran(folder, monkeypatch, capsys)["tenants"]
    assert (chat["verdict"], chat["violations"]) == ("holds", 0)
    assert chat["granted_gbps"] == pytest.approx(120, rel=0.02)
    assert batch["granted_gbps"] > 80
    assert spare["best_effort"]


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_comes_with_traffic_of_its_tenants(sample, tmp_path, monkeypatch, capsys):
    folder = begun(tmp_path, "--sample", sample)
    assert (folder / "contract.toml").read_text() == SAMPLES[sample].read_text()
    makefile = (folder / "Makefile").read_text()
    (memory,) = re.findall(r"^MEMORY \?= (.*)$", makefile, re.MULTILINE)
    (tenant,) = re.findall(r"^TENANT \?= (.*)$", makefile, re.MULTILINE)
    assert memory == ("hbm3" if "hbm3" in sample else "simple")
    found = ran(folder, monkeypatch, capsys, "--memory", memory)
    assert found["traffic"] == "file"
    assert tenant in {row["name"] for row in found["tenants"]}
    tables = set(re.findall(r"^\[traffic\.(.*)\]$", (folder / "traffic.toml").read_text(), re.M))
    assert tables == {row["name"] for row in found["tenants"]}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_makefile_explains_runs_and_compiles(tmp_path):
    folder = begun(tmp_path)

    def make(*arguments):
        return subprocess.run(
            ["make", f"MCOS={sys.executable} -m mcos_sim", "ENGINE=reference", *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    listed = make()
    for target in TARGETS:
        assert f"  make {target} " in listed
    shown = make("explain", "run", "compile", "CLOCKS=20000")
    assert shown.count("chat") > 2
    assert {path.name for path in (folder / "build").iterdir()} >= {"run", "contract.img"}
    make("waves", "CLOCKS=20000")
    assert (folder / "build/waves/timeline.html").exists()
    make("clean")
    assert {path.name for path in folder.iterdir()} == NAMES
    assert "verilog contract.toml -o build/verilog" in make("-n", "verilog")


def test_the_makefile_s_engine_is_one_of_those_there_are(tmp_path):
    """Its own tests name the reference engine, to be quick; users take what it says."""
    text = (begun(tmp_path) / "Makefile").read_text()
    (engine,) = re.findall(r"^ENGINE \?= (.*)$", text, re.MULTILINE)
    assert Engine(engine) is Engine.VERILATED


@pytest.mark.parametrize("name", sorted(NAMES))
def test_no_file_is_overwritten(name, tmp_path, capsys):
    (tmp_path / name).write_text("kept")
    assert run_command("init", tmp_path) == 2
    assert f"has {name}; choose another folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "kept"


def test_all_files_in_the_way_are_named(tmp_path, capsys):
    for name in ("contract.toml", "Makefile"):
        (tmp_path / name).symlink_to("nowhere")
    assert run_command("init", tmp_path, "--sample", "sixteen") == 2
    assert "has contract.toml, Makefile; choose" in capsys.readouterr().err


def test_this_folder_is_the_default(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command("init") == 0
    assert {path.name for path in tmp_path.iterdir()} == NAMES
    assert "next: make explain run" in capsys.readouterr().out


def test_samples_are_listed_with_a_line_each(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command("init", "--list") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert SAMPLES
    for name in SAMPLES:
        assert f"{name} {sample_words(name)}" in shown
    assert list(tmp_path.iterdir()) == []


def test_the_line_of_a_sample_is_a_sentence():
    assert sample_words("decode-prefill") == (
        "Three decoders that may not wait and one prefill that may, on eight HBM3 channels of "
        "51.2 GB/s."
    )
