"""``mcos constraints``: files of constraints/ are what their data say, and mistakes are named."""

import json

import pytest

from mcos_sim.cli import main
from mcos_sim.constraints.target import CONSTRAINTS, read_target, targets
from tests.sim.constraints.small import NEEDS_TCL
from tests.sim.emitted import emitted_ports

FILES = [(name, file) for name in targets() for file in read_target(name).cores]
WRITTEN = [(name, file) for name, file in FILES if read_target(name).suffix != "lpf"]


def _run(*arguments):
    with pytest.raises(SystemExit) as caught:
        main(["constraints", *map(str, arguments)])
    return caught.value.code or 0


@NEEDS_TCL
@pytest.mark.parametrize(("name", "file"), WRITTEN)
def test_files_are_what_their_data_say(name, file, tmp_path, capsys):
    target = read_target(name)
    core = emitted_ports(target.cores[file], tmp_path)
    written = tmp_path / file
    assert _run("write", name, "--core", core, "-o", written) == 0
    there = CONSTRAINTS / name / file
    assert written.read_text() == there.read_text(), f"write {there} again, as its head says"
    capsys.readouterr()
    assert _run("check", there, "--core", core) == 0
    assert capsys.readouterr().out == f"{there}: nothing wrong\n"
    # A mistake in a file of this size is found, and nothing else is said.
    written.write_text(there.read_text().replace("s_axil_awvalid", "s_axil_awvaild", 1))
    assert _run("check", written, "--core", core) == 1
    said = capsys.readouterr()
    assert [line.split(": ")[1] for line in said.out.splitlines()] == ["port", "name"]
    assert "not s_axil_awvaild; did you mean s_axil_awvalid?" in said.out
    assert said.err == (
        "mcos: error: constraints must have no mistake, not 2; the lines above say where and what\n"
    )


@pytest.mark.soak
def test_every_file_fits_the_verilog_that_its_target_names(capsys):
    assert _run("check") == 0
    assert capsys.readouterr().out.count(": nothing wrong\n") == len(FILES) + len(targets())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("write", "zcu", "-o", "{folder}/x"), "target must be one of asic, "),
        (
            ("write", "ulx3s", "-o", "{folder}/x"),
            "target must be one whose constraints are delays, not 'ulx3s'; mcos verilog --target ",
        ),
        (("check", "--target", "zcu"), "target must be one of asic, "),
        (("write", "asic", "-o", "{folder}/x"), "--core must be Verilog of mcos verilog, not noth"),
        (("check", "x.xdc"), "files must have the Verilog that they constrain, not none; give"),
        (("check", "--core", "x.v"), "--core must be with files that constrain it, not without"),
        (
            ("check", "x.ucf", "--core", "x.v"),
            "a constraint file must end in one of .sdc, .xdc, .l",
        ),
    ],
)
def test_mistakes_are_named(arguments, message, tmp_path, capsys):
    assert _run(*(each.format(folder=tmp_path) for each in arguments)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mcos: error: {message}")


def test_what_data_cannot_constrain_is_refused(tmp_path, capsys):
    core = tmp_path / "top.v"
    record = {"config": {"clock_khz": 1000}, "regenerate": "make it"}
    core.with_suffix(".json").write_text(json.dumps(record))
    core.write_text("module top (\n  input a\n);\n  always @(posedge a)\nendmodule\n")
    assert _run("write", "asic", "--core", core, "-o", tmp_path / "x") == 2
    assert "a core must have the clock clk alone, not a; write its" in capsys.readouterr().err
