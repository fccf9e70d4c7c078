"""Cases of another simulator: the folder that is shared, and what is wrong with a folder."""

import json
import shutil

import pytest

from mcos_sim.shared import shared_path
from tests.sim.commands.command_line import run_command


@pytest.mark.parametrize(
    ("parts", "cases", "commands"),
    [(("oracle",), 11, 10_000), (("cases", "oracle"), 1, 5_000)],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_every_case_is_met_tick_by_tick(parts, cases, commands, tmp_path):
    directory, out = shared_path(*parts), tmp_path / "out.json"
    if directory is None:
        pytest.skip(f"needs {'/'.join(parts)} below MCOS_SHARED")
    assert run_command("memory", "check", directory, "--json", out) == 0
    found = json.loads(out.read_text())
    assert found["differing"] == 0
    assert len(found["cases"]) >= cases
    assert sum(case["commands"] for case in found["cases"]) > commands


@pytest.fixture
def folder(tmp_path):
    """A case that holds, and is then broken by a test."""
    (tmp_path / "summary.csv").write_text("case,scheduler,refresh\na,FRFCFS,none\n")
    (tmp_path / "a_trace.csv").write_text(
        "id,arrival_tick,op,tenant,pc,sid,bg,bank,row,col\n0,0,R,0,0,0,0,0,7,0\n"
    )
    (tmp_path / "a_req.csv").write_text(
        "id,accept_tick,first_cmd_tick,class,col_cmd_tick,complete_tick\n0,0,1,M,65,109\n"
    )
    (tmp_path / "a_cmd.csv").write_text(
        "tick,cmd,pc,sid,bg,bank,row,col,req_id\n1,ACT,0,0,0,0,7,0,0\n65,RD,0,0,0,0,7,0,0\n"
    )
    return tmp_path


@pytest.mark.parametrize("name", ["summary.csv", "a_trace.csv", "a_req.csv", "a_cmd.csv"])
def test_a_case_is_not_written_over(folder, name, capsys):
    before = (folder / name).read_text()
    assert run_command("memory", "check", folder, "--json", folder / name) == 2
    assert f"{name} must not be written" in capsys.readouterr().err
    assert (folder / name).read_text() == before


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "x/../a"])
def test_a_case_is_in_its_folder(folder, name, capsys):
    (folder / "summary.csv").write_text(f"case,scheduler,refresh\n{name},FRFCFS,none\n")
    assert run_command("memory", "check", folder) == 2
    assert "summary.csv:2: case must be a name in this folder" in capsys.readouterr().err


def test_a_case_that_holds(folder, capsys):
    assert run_command("memory", "check", folder) == 0
    assert "a: 1 requests, 2 commands: equal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        ("a_cmd.csv", "65,RD", "66,RD", "command 1 must be RD to bank 0 for request 0 in tick 66"),
        ("a_cmd.csv", "65,RD,0,0,0,0,7,0,0\n", "", "there must be 1 commands, not 2"),
        ("a_req.csv", ",109", ",110", "request 0 must be M, accepted in 0"),
    ],
)
def test_a_case_that_does_not_hold(folder, file, before, after, told, capsys):
    text = (folder / file).read_text()
    (folder / file).write_text(text.replace(before, after))
    assert run_command("memory", "check", folder) == 1
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "before", "after", "complaint"),
    [
        ("summary.csv", "FRFCFS", "LIFO", "summary.csv:2: scheduler must be one of FCFS-Start"),
        ("summary.csv", "none", "x", "summary.csv:2: refresh must be one of none, ab, pb"),
        ("summary.csv", "refresh", "r", "summary.csv:1: must have a column refresh"),
        ("a_trace.csv", ",R,", ",X,", "a_trace.csv:2: op must be R or W, not 'X'"),
        (
            "a_trace.csv",
            "0,0,R",
            "0,x,R",
            "arrival_tick must be an integer in 0..4294967295, not 'x'",
        ),
        (
            "a_trace.csv",
            "0,0,R",
            "0,1" + "0" * 26 + ",R",
            "arrival_tick must be an integer in 0..4",
        ),
        (
            "a_trace.csv",
            "0,0,R",
            "0,4294967296,R",
            "must be an integer in 0..4294967295, not '4294",
        ),
        (
            "a_trace.csv",
            "0,0,R",
            "0,-1,R",
            "arrival_tick must be an integer in 0..4294967295, not '-",
        ),
        ("a_trace.csv", ",7,0", ",16384,0", "row must be an integer in 0..16383, not '16384'"),
        ("a_trace.csv", ",7,0", ',"7,0', "must be a file of an oracle case, not this (unexpected"),
        (
            "a_trace.csv",
            "op",
            "\udcff",
            "must be a file of an oracle case, not this (it is not text)",
        ),
        ("a_req.csv", ",M,", ",,", "a_req.csv:2: class must be H, M or C, not ''"),
        ("a_req.csv", ",M,", ",HM,", "a_req.csv:2: class must be H, M or C, not 'HM'"),
        ("summary.csv", "a,FRFCFS,none\n", "", "summary.csv:1: must name at least one case"),
        ("a_trace.csv", "R,0,0", "R,0,2", "a_trace.csv:2: pc must be an integer in -1..1, not '2'"),
        ("a_trace.csv", ",7,0", "", "must have as many values"),
        ("a_cmd.csv", "ACT", "NOP", "a_cmd.csv:2: cmd must be one of ACT"),
        ("a_req.csv", ",M,", ",Q,", "a_req.csv:2: class must be H, M or C, not 'Q'"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(folder, file, before, after, complaint, capsys):
    text = (folder / file).read_text()
    (folder / file).write_text(text.replace(before, after), errors="surrogateescape")
    assert run_command("memory", "check", folder) == 2
    shown = capsys.readouterr().err
    assert complaint in shown
    assert "Traceback" not in shown


def test_a_missing_file(folder, capsys):
    shutil.move(folder / "a_cmd.csv", folder / "b_cmd.csv")
    assert run_command("memory", "check", folder) == 2
    assert "a_cmd.csv must be a file of an oracle case" in capsys.readouterr().err


def test_an_unknown_memory(folder, capsys):
    assert run_command("memory", "check", folder, "--memory", "ddr5") == 2
    assert "must be one of hbm3, hbm3e, hbm2, not 'ddr5'" in capsys.readouterr().err
