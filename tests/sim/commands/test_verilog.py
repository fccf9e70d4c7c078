"""``mcos verilog``: files, what is printed, the same bytes every time, and mistakes."""

import json
import os
import subprocess
import sys

import pytest

from mcos_hw.targets.generic import NAMES
from mcos_sim.cli import main


def _write(directory, *, seed):
    """Run the command in a process of its own, with its own order of hashes."""
    code = "from mcos_sim.cli import main; main()"
    arguments = ("--tenants", "4", "--arbiter", "round-robin", "--json", f"{directory}.json")
    return subprocess.run(
        [sys.executable, "-c", code, "verilog", "-o", str(directory), *arguments],
        env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("written") / "deep" / "verilog"
    return directory, _write(directory, seed="1")


def test_files_are_listed_with_their_sizes(written):
    directory, result = written
    assert sorted(path.name for path in directory.iterdir()) == sorted(NAMES)
    # A slow machine is told of progress.
    assert [x for x in result.stderr.splitlines() if not x.startswith("Writing Verilog")] == []
    assert result.stdout.splitlines() == [
        *(f"{directory / name}: {(directory / name).stat().st_size:,} bytes" for name in NAMES),
        "hardware: 4 tags, 800 MHz, 64 B a clock, beats of 32 B, 512 slots",
    ]


def test_arguments_reach_the_core(written):
    directory, _ = written
    record = json.loads((directory / "mcos.json").read_text())
    assert (record["config"]["tenants"], record["arbiter"]) == (4, "round_robin")
    assert record["regenerate"] == (
        "mcos verilog --target generic --arbiter round-robin --tenants 4 -o DIRECTORY"
    )
    assert record["regenerate"] in (directory / "mcos.v").read_text()


def test_json_is_the_record(written):
    directory, _ = written
    assert directory.with_name("verilog.json").read_bytes() == (
        (directory / "mcos.json").read_bytes()
    )


def test_another_run_gives_the_same_bytes(written, tmp_path):
    directory, _ = written
    _write(tmp_path / "again", seed="2")
    for name in NAMES:
        assert (tmp_path / "again" / name).read_bytes() == (directory / name).read_bytes(), name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "zcu104"), "target must be one of generic, not 'zcu104'; choose one"),
        (
            ("--arbiter", "wfq"),
            (
                "arbiter must be one of mcos, fcfs, round-robin, fixed-priority, not 'wfq'; "
                "choose one"
            ),
        ),
        (
            ("--tenants", "5"),
            "tenants must be a power of two, not 5; the hardware has 4, 8 or 16 tags",
        ),
        (
            ("-o", "{folder}/file"),
            (
                "{folder}/file must be a folder that can be written, not this (File exists); "
                "choose another"
            ),
        ),
    ],
)
def test_mistakes_are_named(arguments, message, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    arguments = [argument.format(folder=tmp_path) for argument in arguments]
    with pytest.raises(SystemExit) as caught:
        main(["verilog", "-o", str(tmp_path / "out"), *arguments])
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"mcos: error: {message.format(folder=tmp_path)}\n"
    assert not list(tmp_path.glob("out/*"))
