"""Memories as black boxes."""

import pytest

from mcos_sim.errors import InternalError
from mcos_sim.synthesis import memories
from mcos_sim.synthesis.memories import MemoryTiming
from tests.sim.synthesis.small import netlist

TIMING = MemoryTiming(access_ps=321, setup_ps=45, slew_ps=20, pin_ff=1.5)


@pytest.fixture
def boxed():
    text = netlist()
    macros = memories.extract(text, top="mcos", chosen=lambda name: True)
    return text, macros


def test_memory_becomes_a_cell_with_its_name(boxed):
    text, macros = boxed
    cells = text["modules"]["mcos"]["cells"]
    cell = cells["controller.channel.queues.rows"]
    assert "$memory" not in cells
    assert [macro.name for macro in macros] == ["memory_8x4_w1_ra"]
    assert cell["type"] == "buffered_memory_8x4_w1_ra"
    assert cell["connections"] == {
        "clk": [2],
        "w0_en": [4],
        "w0_addr": [20, 21, 10],
        "w0_data": [40, 41, 10, 11],
        "r0_addr": [10, 11, 20],
        "r0_data": [50, 51, 52, 53],
    }
    assert [name for name, way in cell["port_directions"].items() if way == "output"] == ["r0_data"]


def test_black_box_has_the_ports_of_its_cell(boxed):
    text, _ = boxed
    cell = text["modules"]["mcos"]["cells"]["controller.channel.queues.rows"]
    ports = text["modules"]["memory_8x4_w1_ra"]["ports"]
    widths = {name: len(port["bits"]) for name, port in ports.items()}
    assert widths == {name: len(bits) for name, bits in cell["connections"].items()}
    bits = [bit for port in ports.values() for bit in port["bits"]]
    assert len(set(bits)) == len(bits)


def test_clocked_reads_have_an_enable_and_another_type():
    text = netlist()
    text["modules"]["mcos"]["cells"]["$memory"]["parameters"]["RD_CLK_ENABLE"] = "1"
    (macro,) = memories.extract(text, top="mcos", chosen=lambda name: True)
    assert macro.name == "memory_8x4_w1_rs"
    assert "r0_en" in [port.name for port in macro.ports]


def test_other_memories_stay():
    text = netlist()
    asked = []

    def chosen(name):
        asked.append(name)
        return False

    assert memories.extract(text, top="mcos", chosen=chosen) == []
    assert asked == ["controller.channel.queues.rows"]
    assert text == netlist()


def test_transparent_ports_are_refused():
    text = netlist()
    text["modules"]["mcos"]["cells"]["$memory"]["parameters"]["RD_TRANSPARENCY_MASK"] = "1"
    with pytest.raises(InternalError, match=r"queues\.rows must be a memory without transparent"):
        memories.extract(text, top="mcos", chosen=lambda name: True)


def test_liberty_states_access_and_setup(boxed):
    _, macros = boxed
    text = memories.liberty(macros, TIMING)
    address = text[text.index("bus (r0_addr)") : text.index("bus (r0_data)")]
    data = text[text.index("bus (r0_data)") :]
    write = text[text.index("bus (w0_data)") : text.index("bus (r0_addr)")]
    assert "setup_rising" not in address, "the data follows the address in the same clock"
    assert 'related_pin : "r0_addr"' in data
    assert data.count('"321"') == 4
    assert write.count('"45"') == 2
    assert text.count("{") == text.count("}")


def test_every_input_pin_has_its_buffer(boxed):
    _, macros = boxed
    text = memories.pin_buffers(macros)
    assert text.count("\\$_BUF_ ") == 1 + 3 + 4 + 3
    assert '(* techmap_celltype = "buffered_memory_8x4_w1_ra" *)' in text
    assert "memory_8x4_w1_ra _TECHMAP_REPLACE_ (" in text
