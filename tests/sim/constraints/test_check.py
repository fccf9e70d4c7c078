"""Rules for constraint files: each finds the mistake that is planted, where it is, and no other."""

import json
import shutil
from pathlib import Path

import pytest

from mcos_sim.constraints import tcl
from mcos_sim.constraints.check import check_file
from mcos_sim.errors import UserError
from tests.sim.constraints.small import NEEDS_TCL, VERILOG, XDC

pytestmark = NEEDS_TCL


@pytest.fixture
def core(tmp_path):
    path = tmp_path / "top.v"
    path.write_text(VERILOG)
    record = {"config": {"clock_khz": 100_000}, "regenerate": "make it"}
    path.with_suffix(".json").write_text(json.dumps(record))
    return path


def _found(text, core, *, suffix=".xdc"):
    path = core.with_name(f"board{suffix}")
    path.write_text(text)
    return [
        str(each).removeprefix(f"{path}:").replace(str(path), "FILE")
        for each in check_file(path, core)
    ]


@pytest.mark.parametrize("suffix", [".xdc", ".sdc"])
def test_constraints_without_a_mistake(core, suffix):
    assert _found(XDC, core, suffix=suffix) == []
    deep = XDC.replace("get_cells {inner_2/", "get_cells -hierarchical {")
    assert _found(deep, core, suffix=suffix) == []


EVERY = "every port must have a delay or a false path, and"
MISTAKES = {
    "a misspelt port": (
        ("{rst data[*]}", "{rst dta[*]}"),
        [
            f"1: port: {EVERY} data has none; give it a delay",
            "4: name: a port must be one of top, not dta[*]; did you mean data?",
        ],
    ),
    "a bit that is not there": (
        ("{rst data[*]}", "{rst data[*] data[4]}"),
        ["4: name: a port must be one of top, not data[4]; did you mean data?"],
    ),
    "no clock": (
        ("create_clock -name clk -period 10.000 [get_ports clk]", ""),
        [
            (
                "1: clock: every clock must have create_clock, and clk has none; add "
                "create_clock -name clk -period NS [get_ports clk]"
            ),
            "3: clock: set_input_delay must name a clock of the file, not clk; known are none",
            "5: name: a clock must be one of the file, not clk; known are none",
        ],
    ),
    "a clock without a period": (
        ("-period 10.000 ", ""),
        [
            "2: clock: clock clk must have a period in ns, not none; give create_clock -period",
        ],
    ),
    "a clock whose period is not a number": (
        ("10.000", "fast"),
        [
            "2: clock: clock clk must have a period in ns, not fast; give create_clock -period",
        ],
    ),
    "a clock whose period has no end": (
        ("10.000", "1e999999999"),
        [
            (
                "2: clock: clock clk must have a period in ns, not 1e999999999; "
                "give create_clock -period"
            ),
        ],
    ),
    "ports before the delay": (
        ("-clock [get_clocks clk] 4.000 [get_ports {found[*]}]", "-clock clk [get_ports found] 4"),
        [
            f"1: port: {EVERY} found has none; give it a delay",
            "5: delay: set_output_delay must have a delay in ns, not [get_ports ...]",
            "5: name: a port must be one of top, not found; write found[*] for all of its bits",
        ],
    ),
    "a cell that no level has": (
        ("get_cells {inner_2/found_reg[1]}", "get_cells -hierarchical {fnd_reg[1]}"),
        [
            (
                "7: name: a cell must be one of top, not fnd_reg[1]; "
                "known are inner_2, inner_2/found, inner_2/rows"
            ),
        ],
    ),
    "another period than the core's": (
        ("10.000", "8.000"),
        [
            (
                "2: clock: clock clk must have the period that the Verilog was built for, "
                "10.000 ns, not 8; write the constraints again, or the Verilog with --clock"
            ),
        ],
    ),
    "an unconstrained port": (
        ("{rst data[*]}", "{data[*]}"),
        [f"1: port: {EVERY} rst has none; give it a delay"],
    ),
    "an unconstrained bit": (
        ("{rst data[*]}", "{rst data[0] data[1] data[3]}"),
        [f"1: port: {EVERY} data[2] has none; give it a delay"],
    ),
    "a delay that leaves nothing": (
        ("-clock clk 4.000", "-clock clk 10.0"),
        [
            (
                "3: delay: a delay must be less than the period of clk, 10 ns, not 10; "
                "nothing is left for the core"
            ),
        ],
    ),
    "an input delay of an output": (
        ("{rst data[*]}", "{rst data[*] found[0]}"),
        [
            "3: delay: set_input_delay must be of an input, not of found, an output; move it",
        ],
    ),
    "a clock that nobody made": (
        ("-clock clk 4", "-clock clock 4"),
        ["3: clock: set_input_delay must name a clock of the file, not clock; did you mean clk?"],
    ),
    "a misspelt cell": (
        ("inner_2/found_reg", "inner/found_reg"),
        [
            (
                "7: name: a cell must be one of top, not inner/found_reg[1]; "
                "did you mean inner_2/found?"
            ),
        ],
    ),
    "a misspelt command": (
        ("set_false_path", "set_flase_path"),
        ["6: command: a command must be one that XDC has, not set_flase_path; leave it out"],
    ),
    "a misspelt option": (
        ("-setup 2", "-seutp 2"),
        [
            (
                "7: command: an option of set_multicycle_path must be one of -end, -from, -hold, "
                "-setup, -start, -through, -to, not -seutp"
            ),
        ],
    ),
    "an option without its value": (
        (" -from [get_cells {inner_2/found_reg[1]}]", " -from"),
        ["7: command: set_multicycle_path -from must have a value, not none; give one"],
    ),
    "a loop in an XDC": (
        ("set_false_path", "foreach port {found} { puts $port }\nset_false_path"),
        ["6: command: a command must be one that XDC has, not foreach; leave it out"],
    ),
    "a brace that is not closed": (
        ("{rst data[*]}", "{rst data[*]"),
        [
            "3: syntax: the file must be Tcl, not this (missing close-brace); mend the command",
        ],
    ),
}


@pytest.mark.parametrize(("edit", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_planted_mistakes(core, edit, expected):
    assert edit[0] in XDC
    assert _found(XDC.replace(*edit), core) == expected


BOARD = """\
set_property -dict {PACKAGE_PIN A1 IOSTANDARD LVCMOS33} [get_ports clk]
set_property PACKAGE_PIN B1 [get_ports {rst}]
set_property IOSTANDARD LVCMOS33 [get_ports {rst data[*] found[*]}]
set_property PACKAGE_PIN C1 [get_ports {data[0]}]
"""


def test_a_board_has_a_pin_for_every_bit(core):
    way_out = "; give it a pin"
    assert _found(XDC + BOARD, core) == [
        (
            f"1: port: every port must have PACKAGE_PIN, and data[1], data[2], data[3] has none"
            f"{way_out}"
        ),
        f"1: port: every port must have PACKAGE_PIN, and found has none{way_out}",
    ]


def test_sdc_has_loops_and_variables_but_runs_nothing(core, monkeypatch):
    text = XDC.replace("-period 10.000", "-period [expr {1000.0 / $megahertz}]")
    text = "set megahertz 100\nforeach each {rst} { set_load 1 [get_ports $each] }\n" + text
    assert _found(text, core, suffix=".sdc") == []
    assert _found(f"{text}exec touch gone\nopen gone w\n", core, suffix=".sdc") == [
        "10: command: a command must be one that SDC has, not exec; leave it out",
        "11: command: a command must be one that SDC has, not open; leave it out",
    ]
    assert not Path("gone").exists()
    monkeypatch.setattr(tcl, "_LIMIT_SECONDS", 1)
    with pytest.raises(UserError, match=r"must end within 1 s of Tcl, not run on; mend its loops$"):
        _found(f"{text}while 1 {{}}\n", core, suffix=".sdc")


@pytest.mark.skipif(shutil.which("tclsh") is None, reason="tclsh is not installed")
def test_tclsh_reads_the_same_where_python_has_no_tcl(core, monkeypatch):
    edited = XDC.replace("set_false", 'set_"é') + "foreach x y z\n"
    first = _found(edited, core)
    monkeypatch.setattr(tcl.importlib.util, "find_spec", lambda name: None)
    assert _found(edited, core) == first != []


def test_a_vector_is_named_without_an_index_in_sdc_only(core):
    text = XDC.replace("data[*]", "data").replace("{found[*]}", "found")
    assert _found(text, core, suffix=".sdc") == []
    assert len(_found(text, core)) > 2


def test_without_tcl_there_is_one_line(core, monkeypatch):
    monkeypatch.setattr(tcl.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(tcl.shutil, "which", lambda name: None)
    with pytest.raises(UserError, match=r"^constraints are read by Tcl, which is not installed; "):
        _found(XDC, core)


def test_other_files_are_refused(core):
    with pytest.raises(UserError, match=r"must end in one of .sdc, .xdc, .lpf, not"):
        check_file(core, core)
    with pytest.raises(UserError, match=r"gone\.xdc must be a file that can be read, not this"):
        check_file(core.with_name("gone.xdc"), core)
    core.with_suffix(".json").write_text("[]")
    path = core.with_name("a.xdc")
    path.write_text(XDC)
    with pytest.raises(UserError, match=r"must be the record that mcos verilog writes beside top"):
        check_file(path, core)
