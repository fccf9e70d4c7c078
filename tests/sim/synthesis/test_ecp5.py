"""Reading nextpnr's report."""

import pytest

from mcos_sim.errors import InternalError
from mcos_sim.synthesis.ecp5 import (
    critical_path,
    fmax_mhz,
    placed_cells,
    register_name,
    utilisation,
    without_indices,
)
from mcos_sim.synthesis.netlist import Netlist
from mcos_sim.synthesis.paths import Route
from tests.sim.synthesis.small import netlist

FIRST, SECOND = "mcos.controller.channel.lane_0.tag", "mcos.controller.channel.lane_1.tag"


def part(kind, delay, start, end, **more):
    return {
        "type": kind,
        "delay": delay,
        "from": {"cell": start, "loc": [1, 1], "port": "Q"},
        "to": {"cell": end, "loc": [2, 2], "port": "DI"},
        **more,
    }


REPORT = {
    "fmax": {
        "$glbnet$clk$TRELLIS_IO_IN": {"achieved": 61.2345, "constraint": 150.0},
        "$glbnet$scan_clk$TRELLIS_IO_IN": {"achieved": 300.0, "constraint": 150.0},
    },
    "utilization": {
        "TRELLIS_COMB": {"available": 83640, "used": 9000},
        "TRELLIS_FF": {"available": 83640, "used": 5000},
        "DP16KD": {"available": 208, "used": 3},
        "MULT18X18D": {"available": 156, "used": 2},
        "TRELLIS_RAMW": {"available": 10455, "used": 40},
    },
    "critical_paths": [
        {
            "from": "posedge $glbnet$clk$TRELLIS_IO_IN",
            "to": "posedge $glbnet$clk$TRELLIS_IO_IN",
            "path": [
                part("clk-to-q", 0.5, f"{FIRST}_TRELLIS_FF_Q_1", f"{FIRST}_TRELLIS_FF_Q_1"),
                part("routing", 1.5, "", "x_LUT4_Z", net=f"{FIRST}[1]"),
                part("logic", 0.25, "x_LUT4_Z", "x_LUT4_Z"),
                part("routing", 0.75, "", f"{SECOND}_TRELLIS_FF_Q", net="x"),
                part("setup", 0.25, f"{SECOND}_TRELLIS_FF_Q", f"{SECOND}_TRELLIS_FF_Q"),
            ],
        },
        {
            "from": "posedge $glbnet$scan_clk$TRELLIS_IO_IN",
            "to": "posedge $glbnet$clk$TRELLIS_IO_IN",
            "path": [part("routing", 99.0, "rst", f"{FIRST}_TRELLIS_FF_Q", net="rst")],
        },
    ],
}


def test_figures_of_the_report():
    assert fmax_mhz(REPORT) == 61.23
    assert utilisation(REPORT) == {
        "luts": 9000,
        "ffs": 5000,
        "brams": 3,
        "dsps": 2,
        "lutram_cells": 40,
    }


def test_critical_path_lies_between_registers():
    route = Route(Netlist(netlist()["modules"]["mcos"]))
    found = critical_path(REPORT, route)
    assert found is not None
    assert (found.delay_ps, found.cells) == (3250.0, 1)
    assert route.words(found) == "lane_0.tag -> add, select -> lane_1.tag"


def test_no_path_between_registers_is_none():
    report = {"critical_paths": REPORT["critical_paths"][1:]}
    assert critical_path(report, Route(Netlist(netlist()["modules"]["mcos"]))) is None


def test_missing_clock_is_an_error():
    clock = {"achieved": 1.0}
    with pytest.raises(InternalError, match=r"the clock clk once, not \['\$glbnet\$scan_clk'\]"):
        fmax_mhz({"fmax": {"$glbnet$scan_clk": clock}})


def test_register_name_of_a_cell():
    assert register_name(f"{FIRST}_TRELLIS_FF_Q_12") == FIRST.removeprefix("mcos.")
    assert register_name("other") == "other"


def test_a_name_like_a_bit_survives_synthesis():
    rtlil = "  wire width 4 \\x\n  wire \\x[2]\n  connect \\x[2] \\x [2]\n"
    changed = without_indices(rtlil)
    assert changed == "  wire width 4 \\x\n  wire \\x{2}\n  connect \\x{2} \\x [2]\n"
    assert register_name("mcos.a.x{2}_TRELLIS_FF_Q_1") == "a.x[2]"


def test_cells_of_a_placement_that_is_not_routed():
    log = (
        "Info: Device utilisation:\n"
        "Info: \t          TRELLIS_IO:       4/    365     1%\n"
        "Info: \t              DP16KD:      30/    208    14%\n"
        "Info: \t          MULT18X18D:       3/    156     1%\n"
        "Info: \t          TRELLIS_FF:   10402/  83640    12%\n"
        "Info: \t        TRELLIS_COMB:   24278/  83640    29%\n"
        "Info: \t        TRELLIS_RAMW:      72/  10455     0%\n"
    )
    assert placed_cells(log) == {
        "luts": 24_278,
        "ffs": 10_402,
        "brams": 30,
        "dsps": 3,
        "lutram_cells": 72,
    }
