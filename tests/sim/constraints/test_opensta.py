"""SDC files, read by OpenSTA: with a netlist that has the ports alone, and with a mapped one."""

import shutil

import pytest

from mcos_sim.cli import main
from mcos_sim.constraints import opensta
from mcos_sim.constraints.core import read_core
from mcos_sim.constraints.opensta import read_sdc
from mcos_sim.constraints.target import read_target
from mcos_sim.constraints.write import constraints, record_of
from mcos_sim.errors import UserError
from mcos_sim.synthesis.library import find_library

HAS_OPENSTA = pytest.mark.skipif(shutil.which("sta") is None, reason="OpenSTA is not installed")

LIBRARY = """\
library (tiny) {
  delay_model : table_lookup; time_unit : "1ns"; capacitive_load_unit (1,pf);
  input_threshold_pct_rise : 50; input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50; output_threshold_pct_fall : 50;
  slew_lower_threshold_pct_rise : 10; slew_lower_threshold_pct_fall : 10;
  slew_upper_threshold_pct_rise : 90; slew_upper_threshold_pct_fall : 90;
}
"""


def _ports_alone(core):
    ports = [
        f"  {port.direction} {f'[{port.width - 1}:0] ' if port.width else ''}{port.name};"
        for port in core.ports.values()
    ]
    return "\n".join([f"module {core.top} ({', '.join(core.ports)});", *ports, "endmodule", ""])


@HAS_OPENSTA
def test_it_finds_every_port_and_every_mistake(tmp_path):
    core_file = tmp_path / "top.v"
    core_file.write_text(
        "module top (\n  input clk,\n  input rst,\n  input [3:0] s_axil_wdata,\n"
        "  output [1:0] found\n);\n  always @(posedge clk)\nendmodule\n"
    )
    core_file.with_suffix(".json").write_text('{"config": {"clock_khz": 1000}, "regenerate": "x"}')
    core = read_core(core_file)
    sdc = tmp_path / "top.sdc"
    text = constraints(read_target("asic"), core, record_of(core_file))
    (tmp_path / "tiny.lib").write_text(LIBRARY)
    (tmp_path / "ports.v").write_text(_ports_alone(core))

    def complaints(text):
        sdc.write_text(text)
        return read_sdc(
            sdc,
            top="top",
            netlist=tmp_path / "ports.v",
            liberties=[tmp_path / "tiny.lib"],
            directory=tmp_path,
        ).complaints

    assert complaints(text) == ()
    assert complaints(text.replace("rst s_axil", "s_axil").replace("{rst}", "{rest}", 1)) == (
        "Warning: top.sdc, 18 port 'rest' not found.",
        "Warning: There is 1 input port missing set_input_delay. rst",
    )


@pytest.mark.soak
@HAS_OPENSTA
@pytest.mark.skipif(find_library() is None, reason="ASAP7 is not in pdk/ below MCOS_SHARED")
def test_the_mapped_netlist_of_a_compact_channel_meets_its_constraints(tmp_path):
    sizes = ["--tenants", "4", "--grant-interval", "8"]
    for words in (
        ["verilog", *sizes, "-o", tmp_path / "verilog"],
        ["timing", *sizes, "--target", "asap7-blackbox", "-o", tmp_path / "timing"],
        ["constraints", "write", "asic", "--core", tmp_path / "verilog" / "mcos.v"],
    ):
        more = ["-o", tmp_path / "mcos.sdc"] if words[0] == "constraints" else []
        with pytest.raises(SystemExit) as caught:
            main([str(word) for word in (*words, *more)])
        assert not caught.value.code
    (netlist,) = tmp_path.glob("timing/*/mapped.v")
    report = read_sdc(
        tmp_path / "mcos.sdc",
        top="mcos",
        netlist=netlist,
        liberties=[*sorted(tmp_path.glob("timing/asap7/*.lib")), netlist.parent / "memories.lib"],
        directory=tmp_path,
    )
    assert report.complaints == ()
    # No path goes from an input to an output without a register.
    assert report.slack_ns.keys() == {"from", "within", "to"}
    assert min(report.slack_ns.values()) > 0, report.slack_ns


def test_without_opensta_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(opensta, "has_opensta", lambda: False)
    with pytest.raises(UserError, match=r"^an SDC .* OpenSTA, which is not installed; install it"):
        read_sdc(tmp_path, top="", netlist=tmp_path, liberties=[], directory=tmp_path)
