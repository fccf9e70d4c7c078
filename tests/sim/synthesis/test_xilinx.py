"""Counting UltraScale+ cells."""

from mcos_sim.synthesis.xilinx import resources


def test_memories_in_luts_count_as_luts():
    found = resources(
        {
            "LUT2": 10,
            "LUT6": 20,
            "INV": 1,
            "RAM32M16": 3,
            "RAM64X1D": 2,
            "SRL16E": 4,
            "FDRE": 50,
            "FDSE": 5,
            "CARRY4": 7,
            "RAMB36E2": 2,
            "RAMB18E2": 3,
            "DSP48E2": 6,
            "BUFG": 1,
        }
    )
    assert found == {
        "luts": 31 + 3 * 8 + 2 * 2 + 4,
        "lutrams": 28,
        "ffs": 55,
        "carries": 7,
        "brams": 4,
        "dsps": 6,
    }
