"""Constraints of one core for one target, as text."""

import dataclasses
import fnmatch
import json
import textwrap
from fractions import Fraction
from pathlib import Path

from mcos_sim.constraints.core import Core, TopPort
from mcos_sim.constraints.names import CLOCK
from mcos_sim.constraints.target import Delay, Target
from mcos_sim.errors import UserError

__all__ = [
    "Record",
    "constraints",
    "record_of",
]


_PICOSECONDS = 10**9
"""Of a millisecond: a period in ps is this over a frequency in kHz."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """What ``mcos verilog`` records of a core.

    Parameters
    ----------
    period_ns : Fraction
        Period of its clock.
    regenerate : str
        Command that writes it.
    """

    period_ns: Fraction
    regenerate: str


def record_of(verilog: Path) -> Record:
    """The record beside emitted Verilog.

    Raises
    ------
    UserError
        If there is none.
    """
    path = verilog.with_suffix(".json")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        config = found["config"]
        # A board's fabric, a fabric's channel.
        for key in ("fabric", "channel"):
            config = config.get(key, config)
        clock_khz = config["clock_khz"]
        return Record(
            period_ns=Fraction(_PICOSECONDS, clock_khz) / 1000,
            regenerate=found["regenerate"],
        )
    except (AttributeError, KeyError, OSError, TypeError, ValueError, ZeroDivisionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(
            f"{path} must be the record that mcos verilog writes beside {verilog.name}, "
            f"not this ({reason}); write both"
        ) from None


def constraints(target: Target, core: Core, record: Record) -> str:
    """The constraint file of a core, the same text for the same arguments.

    It has no variables and no loops, as Vivado's XDC demands.

    Parameters
    ----------
    target : Target
        Data of the target.
    core : Core
        The Verilog.
    record : Record
        Its record.

    Raises
    ------
    UserError
        If the data have no delay for a port, or the core has another clock.
    """
    if core.clocks != (CLOCK,):
        raise UserError(
            f"a core must have the clock {CLOCK} alone, not {', '.join(core.clocks) or 'none'}; "
            "write its constraints by hand"
        )
    period_ns = record.period_ns
    lines = [
        f"# {target.title}",
        f"# {core.top} at {float(1000 / period_ns):g} MHz.",
        f"# Generated from constraints/{target.name}/{target.file.name}; do not edit.",
        f"# Generate it again: mcos constraints write {target.name} --core {core.top}.v -o FILE",
        *textwrap.wrap(
            f"after {record.regenerate}",
            98,
            initial_indent="# ",
            subsequent_indent="#   ",
            break_on_hyphens=False,
        ),
        "",
    ]
    if target.units:
        lines += ["set_units -time ns", ""]
    lines.append(f"create_clock -name {CLOCK} -period {_ns(period_ns)} [get_ports {CLOCK}]")
    if target.uncertainty:
        early = _ns(period_ns * Fraction(str(target.uncertainty)))
        lines.append(f"set_clock_uncertainty -setup {early} [get_clocks {CLOCK}]")
    for delay, ports in _grouped(target, core):
        for way, part in (("input", delay.input), ("output", delay.output)):
            names = [_pattern(port) for port in ports if port.direction == way]
            if names:
                lines += [
                    "",
                    f"# {way.capitalize()}s {delay.ports}: {part:.0%} of a period are outside.",
                    f"set_{way}_delay -clock {CLOCK} {_ns(period_ns * Fraction(str(part)))} \\",
                    *_ports(names),
                ]
    if not target.hold_at_ports:
        lines += [
            "",
            "# Hold times at ports belong to the design around the core, with its clock tree.",
        ]
        for way, option in (("input", "from"), ("output", "to")):
            names = [
                _pattern(port)
                for port in core.ports.values()
                if port.direction == way and port.name != CLOCK
            ]
            lines += [f"set_false_path -hold -{option} \\", *_ports(names)]
    return "\n".join([*lines, ""])


def _grouped(target: Target, core: Core) -> list[tuple[Delay, list[TopPort]]]:
    groups: dict[Delay, list[TopPort]] = {delay: [] for delay in target.delays}
    for port in core.ports.values():
        if port.name == CLOCK:
            continue
        for delay in target.delays:
            if fnmatch.fnmatchcase(port.name, delay.ports):
                groups[delay].append(port)
                break
        else:
            raise UserError(
                f"{target.file} must have a delay for every port, and {port.name} has none; "
                "add a row of delays"
            )
    return [(delay, ports) for delay, ports in groups.items() if ports]


def _ports(names: list[str]) -> list[str]:
    """The ports of a command, on lines of their own."""
    text = f"[get_ports {{{' '.join(names)}}}]"
    wrapped = textwrap.wrap(
        text, 96, initial_indent="  ", subsequent_indent="    ", break_long_words=False
    )
    return [*(f"{line} \\" for line in wrapped[:-1]), wrapped[-1]]


def _pattern(port: TopPort) -> str:
    return port.name if port.width is None else f"{port.name}[*]"


def _ns(value: Fraction) -> str:
    return f"{float(value):.3f}"
