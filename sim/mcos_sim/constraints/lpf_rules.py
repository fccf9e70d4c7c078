"""What must hold of LPF."""

import re
from fractions import Fraction
from pathlib import Path

from mcos_sim.constraints.core import Core
from mcos_sim.constraints.finding import Finding
from mcos_sim.constraints.lpf import Preference, read_lpf
from mcos_sim.constraints.names import CLOCK, named, near, number

__all__ = ["check_lpf"]


_HERTZ = {"HZ": 1, "KHZ": 10**3, "MHZ": 10**6, "GHZ": 10**9}

_SITE = re.compile(r"[A-Z]{1,2}[1-9]\d?|\d{1,3}")
"""A ball of a grid, or a pin of a quad package."""


def check_lpf(path: Path, core: Core, *, period_ns: Fraction | None = None) -> list[Finding]:
    """Check an LPF file against the Verilog that it constrains.

    Parameters
    ----------
    path : Path
        The file.
    core : Core
        Names of the Verilog.
    period_ns : Fraction or None
        Period of the port ``clk`` that the hardware was built for; None for any.

    Returns
    -------
    list[Finding]
        What is wrong, in order of the lines.
    """
    preferences, findings = read_lpf(path)
    if findings:
        # What was not read may be what would be missing.
        return sorted(findings)
    return sorted(_File(path, core, preferences).check(period_ns))


class _File:
    """One file's preferences against one core."""

    def __init__(self, path: Path, core: Core, preferences: list[Preference]) -> None:
        self.path = path
        self.core = core
        self.preferences = preferences
        self.findings: list[Finding] = []

    def check(self, period_ns: Fraction | None) -> list[Finding]:
        for each in self.preferences:
            if each.kind in ("locate", "iobuf") and each.name not in self.core.bits:
                self._wrong(
                    each.line,
                    "name",
                    f"a port must be one of {self.core.top}, not {each.name}; "
                    f"{near(each.name, self.core.bits)}",
                )
        self._sites()
        self._frequencies(period_ns)
        self._missing()
        return self.findings

    def _wrong(self, line: int, rule: str, text: str) -> None:
        self.findings.append(Finding(file=self.path, line=line, rule=rule, text=text))

    def _of(self, kind: str) -> list[Preference]:
        return [each for each in self.preferences if each.kind == kind]

    def _sites(self) -> None:
        taken: dict[str, str] = {}
        for each in self._of("locate"):
            if not _SITE.fullmatch(each.value):
                self._wrong(each.line, "pin", f"a site must be a pin such as G2, not {each.value}")
            elif taken.setdefault(each.value, each.name) != each.name:
                self._wrong(
                    each.line,
                    "pin",
                    f"a pin must have one port, and {each.value} has {taken[each.value]} and "
                    f"{each.name}; move one",
                )

    def _frequencies(self, period_ns: Fraction | None) -> None:
        for each in self._of("frequency"):
            names = self.core.bits if each.what.upper() == "PORT" else self.core.nets
            kind = each.what.lower()
            if not named(each.name.replace(".", "/"), names):
                self._wrong(
                    each.line,
                    "name",
                    f"a {kind} must be one of {self.core.top}, not {each.name}; "
                    f"{near(each.name, names)}",
                )
            value = number(each.value)
            if not value:
                self._wrong(
                    each.line,
                    "clock",
                    f"clock {each.name} must have a frequency over 0, not {each.value}; give one",
                )
                continue
            length = Fraction(10**9) / (value * _HERTZ[each.unit.upper()])
            if (
                period_ns is not None
                and each.name == CLOCK
                and abs(length - period_ns) > Fraction(1, 1000)
            ):
                self._wrong(
                    each.line,
                    "clock",
                    f"clock {each.name} must have the period that the Verilog was built for, "
                    f"{float(period_ns):.3f} ns, not {float(length):g}; change the frequency, "
                    "or the Verilog with --clock",
                )

    def _missing(self) -> None:
        clocked = {each.name for each in self._of("frequency")}
        for name in self.core.clocks:
            if name not in clocked:
                self._wrong(
                    1,
                    "clock",
                    f"every clock must have a frequency, and {name} has none; add "
                    f'FREQUENCY PORT "{name}" N MHZ;',
                )
        located = {each.name for each in self._of("locate")}
        typed = {each.name for each in self._of("iobuf") if "IO_TYPE" in each.settings}
        for what, covered in (("LOCATE COMP", located), ("IOBUF PORT with IO_TYPE", typed)):
            for port in self.core.ports.values() if located else ():
                bits = [bit for bit in port.bits if bit not in covered]
                if bits:
                    name = port.name if len(bits) == len(port.bits) else ", ".join(bits)
                    self._wrong(1, "port", f"every port must have {what}, and {name} has none")
