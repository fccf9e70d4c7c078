"""What must hold of SDC and XDC."""

import dataclasses
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from mcos_sim.constraints.core import Core
from mcos_sim.constraints.finding import Finding
from mcos_sim.constraints.names import CLOCK, named, near, number
from mcos_sim.constraints.tcl import Command, read_tcl

__all__ = [
    "check_tcl",
]


_FINDERS = ("get_cells", "get_clocks", "get_nets", "get_pins", "get_ports")
_REGISTER_BIT = re.compile(r"_reg(\[\d+\])*$")
"""What synthesis adds to the name of a register."""
_BIT = re.compile(r"\[\d+\]$")


def check_tcl(path: Path, core: Core, *, period_ns: Fraction | None = None) -> list[Finding]:
    """Check an SDC or XDC file against the Verilog that it constrains.

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
    commands, findings = read_tcl(path)
    if any(each.rule == "syntax" for each in findings):
        # What stands behind the mistake was not read, so nothing can be said to be missing.
        return sorted(findings)
    return sorted([*findings, *_File(path, core, commands).check(period_ns)])


@dataclasses.dataclass
class _Covered:
    """Bits of ports with a constraint of each kind."""

    delays: set[str] = dataclasses.field(default_factory=set)
    pins: set[str] = dataclasses.field(default_factory=set)
    standards: set[str] = dataclasses.field(default_factory=set)


class _File:
    """One file's commands against one core."""

    def __init__(self, path: Path, core: Core, commands: list[Command]) -> None:
        self.path = path
        self.core = core
        self.commands = commands
        self.clocks: dict[str, tuple[Fraction | None, tuple[str, ...]]] = {}
        self.covered = _Covered()
        self.findings: list[Finding] = []

    def check(self, period_ns: Fraction | None) -> list[Finding]:
        for command in self.commands:
            if command.name in ("create_clock", "create_generated_clock"):
                self._clock(command, period_ns)
        for command in self.commands:
            self._names(command)
            if command.name in ("set_input_delay", "set_output_delay"):
                self._delay(command)
            elif command.name == "set_false_path" and "-hold" not in command.options:
                self._exempt(command)
            elif command.name == "set_property":
                self._property(command)
        self._missing()
        return self.findings

    def _wrong(self, line: int, rule: str, text: str) -> None:
        self.findings.append(Finding(file=self.path, line=line, rule=rule, text=text))

    def _clock(self, command: Command, period_ns: Fraction | None) -> None:
        ports = tuple(bit for word in command.arguments for bit in self._bits(command, word))
        name = command.value("-name") or (ports[0] if ports else "")
        period = command.value("-period")
        length = number(period)
        if not name:
            self._wrong(command.line, "clock", "a clock must have a name or a port, not neither")
        if command.name == "create_generated_clock":
            self.clocks[name] = (None, ports)
            return
        if length is None or length <= 0:
            self._wrong(
                command.line,
                "clock",
                f"clock {name} must have a period in ns, not {period or 'none'}; "
                "give create_clock -period",
            )
        elif CLOCK in ports and period_ns and abs(length - period_ns) > Fraction(1, 1000):
            self._wrong(
                command.line,
                "clock",
                f"clock {name} must have the period that the Verilog was built for, "
                f"{float(period_ns):.3f} ns, not {float(length):g}; write the constraints again, "
                "or the Verilog with --clock",
            )
        self.clocks[name] = (length, ports)

    def _names(self, command: Command) -> None:
        """Every pattern of a command must mean something."""
        for inner in command.inner.values():
            self._names(inner)
        if command.name not in _FINDERS:
            return
        kind = command.name.removeprefix("get_").removesuffix("s")
        place = "the file" if kind == "clock" else self.core.top
        for word in command.arguments:
            for pattern in command.objects(word):
                if isinstance(pattern, str) and not self._found(command, kind, pattern):
                    self._wrong(
                        command.line,
                        "name",
                        f"a {kind} must be one of {place}, not {pattern}; "
                        f"{near(pattern, self._all(kind))}",
                    )

    def _all(self, kind: str) -> list[str]:
        if kind == "port":
            return list(self.core.bits)
        if kind == "net":
            return sorted(self.core.nets)
        return sorted(self.clocks if kind == "clock" else self.core.cells)

    def _found(self, command: Command, kind: str, pattern: str) -> bool:
        if kind == "port":
            return bool(self._named_bits(pattern))
        if kind == "clock":
            return bool(named(pattern, self._all(kind)))
        if "-hierarchical" in command.options:
            # The pattern is of a name on any level.
            pattern = pattern if "/" in pattern else f"*/{pattern}"
        if kind == "net":
            return bool(named(_BIT.sub("", pattern), self.core.nets))
        # A pin is a cell's.
        plain = _REGISTER_BIT.sub("", pattern)
        options = [plain, plain.rpartition("/")[0]] if kind == "pin" else [plain]
        return any(named(each, self.core.cells) for each in options if each)

    def _named_bits(self, pattern: str) -> list[str]:
        """Bits that a pattern means; in SDC the name of a vector means all of its bits."""
        found = named(pattern, self.core.bits)
        if found or self.path.suffix != ".sdc":
            return found
        ports = named(pattern, self.core.ports)
        return [bit for port in ports for bit in self.core.ports[port].bits]

    def _bits(self, command: Command, word: str) -> Iterator[str]:
        """Bits of ports that a word means."""
        for each in command.objects(word):
            if isinstance(each, str):
                yield from self._named_bits(each)
            elif each.name == "get_ports":
                for argument in each.arguments:
                    yield from self._bits(each, argument)
            elif each.name in ("all_inputs", "all_outputs"):
                way = each.name.removeprefix("all_").removesuffix("s")
                yield from (
                    bit
                    for bit, port in self.core.bits.items()
                    if port.direction in (way, "inout")
                    and not ("-no_clocks" in each.options and port.name in self.core.clocks)
                )

    def _delay(self, command: Command) -> None:
        way = "input" if command.name == "set_input_delay" else "output"
        text, *words = command.arguments or ("",)
        clock = command.value("-clock")
        names = [] if clock is None else list(self._clock_names(command, clock))
        delay = number(text)
        for name in names:
            if name not in self.clocks:
                self._wrong(
                    command.line,
                    "clock",
                    f"{command.name} must name a clock of the file, not {name}; "
                    f"{near(name, self.clocks)}",
                )
        if clock is None:
            self._wrong(
                command.line, "clock", f"{command.name} must name a clock, not none; give -clock"
            )
        if delay is None:
            self._wrong(
                command.line,
                "delay",
                f"{command.name} must have a delay in ns, not {command.shown(text)}",
            )
        for name in names:
            period = self.clocks.get(name, (None, ()))[0]
            if delay is not None and period is not None and delay >= period:
                self._wrong(
                    command.line,
                    "delay",
                    f"a delay must be less than the period of {name}, {float(period):g} ns, "
                    f"not {float(delay):g}; nothing is left for the core",
                )
        for bit in (bit for word in words for bit in self._bits(command, word)):
            port = self.core.bits[bit]
            if port.direction not in (way, "inout"):
                self._wrong(
                    command.line,
                    "delay",
                    f"{command.name} must be of an {way}, not of {port.name}, an {port.direction}; "
                    "move it",
                )
            if "-min" not in command.options or "-max" in command.options:
                self.covered.delays.add(bit)

    def _clock_names(self, command: Command, text: str) -> Iterator[str]:
        for each in command.objects(text):
            if isinstance(each, str):
                yield each
            elif each.name == "get_clocks":
                for word in each.arguments:
                    for pattern in each.objects(word):
                        if isinstance(pattern, str):
                            yield from named(pattern, self.clocks)

    def _exempt(self, command: Command) -> None:
        for option in ("-from", "-to"):
            for word in command.options.get(option, ()):
                self.covered.delays |= set(self._bits(command, word))

    def _property(self, command: Command) -> None:
        given = command.value("-dict")
        if given is not None:
            words = given.split()
            pairs = dict(zip(words[::2], words[1::2], strict=False))
            targets = command.arguments
        else:
            key, value, *targets = (*command.arguments, "", "")[: max(2, len(command.arguments))]
            pairs = {key: value}
        bits = {bit for word in targets for bit in self._bits(command, word)}
        if "PACKAGE_PIN" in pairs:
            self.covered.pins |= bits
        if "IOSTANDARD" in pairs:
            self.covered.standards |= bits

    def _missing(self) -> None:
        of_clocks = {bit for _, bits in self.clocks.values() for bit in bits}
        for name in self.core.clocks:
            if name not in of_clocks:
                self._wrong(
                    1,
                    "clock",
                    f"every clock must have create_clock, and {name} has none; add "
                    f"create_clock -name {name} -period NS [get_ports {name}]",
                )
        board = bool(self.covered.pins)
        rows = [
            ("a delay or a false path", self.covered.delays | of_clocks, "delay", True),
            ("PACKAGE_PIN", self.covered.pins, "pin", board),
            ("IOSTANDARD", self.covered.standards, "standard", board),
        ]
        for what, covered, way_out, wanted in rows:
            for port in self.core.ports.values() if wanted else ():
                bits = [bit for bit in port.bits if bit not in covered]
                if bits and port.name not in self.core.clocks:
                    name = port.name if len(bits) == len(port.bits) else ", ".join(bits)
                    self._wrong(
                        1,
                        "port",
                        f"every port must have {what}, and {name} has none; give it a {way_out}",
                    )
