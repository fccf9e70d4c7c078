"""Names of registers in a netlist of words."""

import json

from mcos_sim.synthesis.netlist import Netlist, plain_name
from tests.sim.synthesis.small import netlist


def test_names_are_the_blocks_own_and_not_the_probes(tmp_path):
    path = tmp_path / "words.json"
    path.write_text(json.dumps(netlist()))
    found = Netlist.read(path)
    assert found.name(11) == ("controller.channel.lane_0.tag", 1)
    assert found.name(41) is None


def test_bits_are_found_under_every_name():
    found = Netlist(netlist()["modules"]["mcos"])
    assert found.bit("controller.probe.tenants[0].tag.start", 1) == 11
    assert found.bit("\\controller.channel.lane_1.tag", 0) == 20
    assert found.bit("controller.channel.lane_1.tag", 2) is None
    assert found.bit("nothing", 0) is None


def test_registers_and_memories_are_told_from_logic():
    found = Netlist(netlist()["modules"]["mcos"])
    assert [name for name, _ in found.registers] == ["$first", "$second"]
    assert [name for name, _ in found.memories] == ["$memory"]


def test_plain_name_drops_what_tools_add():
    assert plain_name("\\controller.age$303.oldest") == "controller.age.oldest"
