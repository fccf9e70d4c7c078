"""OpenSTA's script and what is read from its output."""

from mcos_sim.synthesis.netlist import Netlist
from mcos_sim.synthesis.paths import Route
from mcos_sim.synthesis.sta import parse, script
from tests.sim.synthesis.small import netlist

PRINTED = r"""
OpenSTA 2.0.17
PATH 1.775e+02 12 controller.channel.lane_0.tag\[1\]$_DFF_P_/QN controller.channel.lane_1.tag\[0\]$_DFF_P_/D
PATH -2.5e+01 8 controller.channel.queues.rows/r0_data[2] controller.channel.lane_0.tag\[0\]$_DFF_P_/D
PORT 4.0e+02 6 rst controller.channel.lane_0.tag\[0\]$_DFF_P_/D
"""  # noqa: E501 - as OpenSTA prints it


def test_parse_tells_paths_of_registers_from_those_of_ports():
    inner, ports = parse(PRINTED, Route(Netlist(netlist()["modules"]["mcos"])))
    assert [path.delay_ps for path in inner] == [822.5, 1025.0]
    assert [path.cells for path in inner] == [6, 4]
    assert str(inner[0].start) == "lane_0.tag"
    assert (inner[0].start.bit, inner[0].end.bit) == (1, 0)
    assert str(inner[1].start) == "queues.rows (r_data)"
    assert [path.delay_ps for path in ports] == [600.0]


def test_script_constrains_inputs_after_the_paths_between_registers():
    text = script(top="mcos", liberties=["a.lib", "b.lib"], netlist="mapped.v")
    assert "read_liberty a.lib\nread_liberty b.lib\nread_verilog mapped.v" in text
    assert text.index("show PATH") < text.index("set_input_delay") < text.index("show PORT")
