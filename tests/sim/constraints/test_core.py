"""Names of emitted Verilog."""

import pytest

from mcos_sim.constraints.core import TopPort, read_core
from mcos_sim.errors import UserError
from tests.sim.constraints.small import VERILOG


def test_names_of_a_small_core(tmp_path):
    path = tmp_path / "top.v"
    path.write_text(VERILOG)
    core = read_core(path)
    assert core.top == "top"
    assert list(core.ports) == ["clk", "rst", "data", "found"]
    assert core.ports["found"] == TopPort(name="found", direction="output", width=2)
    assert core.ports["data"].bits == ("data[0]", "data[1]", "data[2]", "data[3]")
    assert core.clocks == ("clk",)
    assert core.cells == {"inner_2", "inner_2/found", "inner_2/rows"}


def test_a_clock_that_goes_through_a_primitive(tmp_path):
    path = tmp_path / "top.v"
    inner = "  EHXPLLL  pll (\n    .CLKI(pad),\n    .CLKOP(clk)\n  );\n"
    text = VERILOG.replace("input wire clk, ", "input wire pad, ")
    path.write_text(text.replace("  wire [3:0] inner__data;\n", inner))
    assert read_core(path).clocks == ("pad",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have one top module, not none; give a file of mcos verilog"),
        (f"{VERILOG}\nmodule other (a);\nendmodule\n", "not top, other; give"),
        (None, r"must be Verilog that can be read, not this \(No such file"),
    ],
)
def test_what_cannot_be_read(text, message, tmp_path):
    path = tmp_path / "top.v"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_core(path)
