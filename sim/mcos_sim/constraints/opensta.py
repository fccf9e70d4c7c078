"""An SDC file, read by OpenSTA with a netlist."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from mcos_sim.errors import UserError
from mcos_sim.synthesis.tool import OPENSTA, has_opensta, run_tool

__all__ = [
    "StaReport",
    "read_sdc",
]


_COMPLAINT = re.compile(r"^(?:Error|Warning): (?!\S*\.lib, line).*(?:\n  \S+)*", re.MULTILINE)
"""Anything but what it says of a library."""
_SLACK = re.compile(r"^SLACK (\S+) (\S+)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StaReport:
    """What OpenSTA makes of constraints.

    Parameters
    ----------
    complaints : tuple[str, ...]
        What it says of the SDC file, and of ports without a delay.
    slack_ns : dict[str, float]
        Worst setup slack of the paths ``from`` inputs, ``within`` the core and on from its
        registers, ``to`` outputs, and ``through`` from inputs to outputs; without those that do
        not exist.
    """

    complaints: tuple[str, ...]
    slack_ns: dict[str, float]


def read_sdc(
    sdc: Path, *, top: str, netlist: Path, liberties: Sequence[Path], directory: Path
) -> StaReport:
    """Read an SDC file with a netlist, and time it.

    Parameters
    ----------
    sdc : Path
        The file, in ns.
    top : str
        Name of the top module.
    netlist : Path
        Structural Verilog.
    liberties : Sequence[Path]
        Libraries of its cells.
    directory : Path
        Folder for the script and the log.

    Raises
    ------
    UserError
        If OpenSTA is not installed.
    """
    if not has_opensta():
        raise UserError(
            "an SDC with a netlist is read by OpenSTA, which is not installed; "
            "install it (Debian and Ubuntu: apt install opensta)"
        )
    lines = [f"read_liberty {path.resolve()}" for path in liberties]
    lines += [
        f"read_verilog {netlist.resolve()}",
        f"link_design {top}",
        "set_cmd_units -time ns",
        f"read_sdc {sdc.resolve()}",
        "check_setup -no_input_delay -no_clock -verbose",
        "proc show {name arguments} {",
        "  foreach path [find_timing_paths -group_count 1 -endpoint_count 1 {*}$arguments] {",
        '    puts "SLACK $name [get_property $path slack]"',
        "  }",
        "}",
        "show from [list -from [all_inputs]]",
        "set clocked [all_registers -clock_pins]",
        "if {[llength $clocked]} { show within [list -from $clocked] }",
        "show to [list -to [all_outputs]]",
        "show through [list -from [all_inputs] -to [all_outputs]]",
        "exit",
    ]
    (directory / "read.tcl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    log = run_tool([OPENSTA, "-exit", "read.tcl"], directory=directory, log="read.log")
    return StaReport(
        complaints=tuple(" ".join(each.split()) for each in _COMPLAINT.findall(log)),
        slack_ns={name: float(slack) for name, slack in _SLACK.findall(log)},
    )
