"""Static timing with OpenSTA: ideal clock, no wires."""

import re
from collections.abc import Sequence
from pathlib import Path

from mcos_sim.errors import InternalError
from mcos_sim.synthesis.paths import Path as TimingPath
from mcos_sim.synthesis.paths import Route
from mcos_sim.synthesis.tool import OPENSTA, run_tool

__all__ = [
    "parse",
    "run_sta",
    "script",
]


_PERIOD_PS = 1000
"""Any period does: what a path needs is this less its slack."""

_ENDPOINTS = 100_000
"""More than there are; OpenSTA takes no word for all."""

_LINE = re.compile(r"(?P<kind>PATH|PORT) (?P<slack>\S+) (?P<cells>\d+) (?P<start>\S+) (?P<end>\S+)")

_SUFFIX = re.compile(r"\$_DFF_P_/(?:QN|Q|D|CLK)$")
"""What the flow adds to the name of a register to name its cell, and the pin."""


def script(*, top: str, liberties: Sequence[str], netlist: str) -> str:
    """The Tcl that prints the worst path into each register, then those from inputs.

    Inputs have no arrival time at first, so that only paths between registers are found.
    """
    lines = [f"read_liberty {file}" for file in liberties]
    lines += [
        f"read_verilog {netlist}",
        f"link_design {top}",
        f"create_clock -name clk -period {_PERIOD_PS} clk",
        "proc show {kind paths} {",
        "  foreach path $paths {",
        "    set ends {}",
        "    foreach end {startpoint endpoint} {",
        "      lappend ends [get_full_name [get_property $path $end]]",
        "    }",
        "    set cells [llength [get_property $path points]]",
        '    puts "$kind [get_property $path slack] $cells [lindex $ends 0] [lindex $ends 1]"',
        "  }",
        "}",
        f"show PATH [find_timing_paths -group_count {_ENDPOINTS} -endpoint_count 1]",
        "set_input_delay 0 -clock clk [all_inputs]",
        "show PORT [find_timing_paths -from [all_inputs] -group_count 1 -endpoint_count 1]",
        "exit",
    ]
    return "\n".join(lines) + "\n"


def parse(text: str, route: Route) -> tuple[list[TimingPath], list[TimingPath]]:
    """Paths that OpenSTA printed: those between registers, and those from ports."""
    found: dict[str, list[TimingPath]] = {"PATH": [], "PORT": []}
    for match in _LINE.finditer(text):
        found[match["kind"]].append(
            TimingPath(
                delay_ps=round(_PERIOD_PS - float(match["slack"]), 1),
                start=route.end(_SUFFIX.sub("", match["start"])),
                end=route.end(_SUFFIX.sub("", match["end"])),
                cells=int(match["cells"]) // 2,
            )
        )
    return found["PATH"], found["PORT"]


def run_sta(
    *, directory: Path, top: str, liberties: Sequence[Path], netlist: str, route: Route
) -> tuple[list[TimingPath], list[TimingPath]]:
    """Time a mapped netlist in ``directory``; see :func:`parse` for what is returned."""
    text = script(top=top, liberties=[str(path) for path in liberties], netlist=netlist)
    (directory / "sta.tcl").write_text(text, encoding="utf-8")
    printed = run_tool([OPENSTA, "-exit", "sta.tcl"], directory=directory, log="sta.log")
    # It goes on after what it cannot read, with a netlist that lacks it.
    if errors := [line for line in printed.splitlines() if line.startswith("Error")]:
        raise InternalError(f"OpenSTA must read everything, but said: {errors[0]}")
    return parse(printed, route)
