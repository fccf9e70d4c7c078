"""SDC and XDC, read by a real Tcl interpreter with the commands of the vendor recorded."""

import dataclasses
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from mcos_sim.constraints.finding import Finding
from mcos_sim.errors import InternalError, UserError

__all__ = [
    "COMMANDS",
    "Command",
    "interpreter",
    "read_tcl",
]


_RECORDER = Path(__file__).with_name("record.tcl")

_IN_PYTHON = """
import sys, tkinter
tcl = tkinter.Tcl()
tcl.eval(open(sys.argv[1], encoding="utf-8").read())
print(tcl.call("mcos::record", *sys.argv[2:]))
"""

_LIMIT_SECONDS = 20

_XDC_KEEPS = ("set", "list", "expr")
"""Tcl's own commands that Vivado takes in an XDC file (AMD UG903, "About XDC Constraints")."""

COMMANDS: Mapping[str, str] = {
    "all_clocks": "",
    "all_inputs": "-no_clocks",
    "all_outputs": "",
    "all_registers": "-clock=",
    "create_clock": "-add -comment= -name= -period= -waveform=",
    "create_generated_clock": (
        "-add -comment= -divide_by= -invert -master_clock= -multiply_by= -name= -source="
    ),
    "current_design": "",
    "get_cells": "-hierarchical -quiet",
    "get_clocks": "-quiet",
    "get_nets": "-hierarchical -quiet",
    "get_pins": "-hierarchical -quiet",
    "get_ports": "-quiet",
    "group_path": "-from= -name= -through= -to= -weight=",
    "set_clock_groups": "-asynchronous -group= -logically_exclusive -name= -physically_exclusive",
    "set_clock_latency": "-early -late -max -min -source",
    "set_clock_transition": "-fall -max -min -rise",
    "set_clock_uncertainty": "-from= -hold -setup -to=",
    "set_driving_cell": "-lib_cell= -library= -pin=",
    "set_false_path": "-fall -from= -hold -rise -setup -through= -to=",
    "set_input_delay": "-add_delay -clock= -clock_fall -fall -max -min -rise",
    "set_input_transition": "-fall -max -min -rise",
    "set_load": "-max -min -pin_load",
    "set_max_delay": "-datapath_only -from= -through= -to=",
    "set_max_fanout": "",
    "set_max_transition": "",
    "set_min_delay": "-from= -through= -to=",
    "set_multicycle_path": "-end -from= -hold -setup -start -through= -to=",
    "set_output_delay": "-add_delay -clock= -clock_fall -fall -max -min -rise",
    "set_property": "-dict=",
    "set_units": "-capacitance= -current= -power= -resistance= -time= -voltage=",
}
"""Commands that are understood, with their options; those that take a value end in ``=``.

A command or an option that is not here is refused, so that nothing is taken for checked unread.
"""

_NOT_XDC = ("set_driving_cell", "set_input_transition", "set_max_fanout", "set_max_transition")
_NOT_SDC = ("set_property",)

_MARK = re.compile(r"_mcos_\d+_")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """A command of a constraint file.

    Parameters
    ----------
    name : str
        Its name.
    line : int
        Line on which it begins.
    options : Mapping[str, tuple[str, ...]]
        Values of each option that was given; those of a flag are empty strings.
    arguments : tuple[str, ...]
        What stands outside of options.
    inner : Mapping[str, Command]
        Commands in its brackets, by the marks that stand for them in options and arguments.
    """

    name: str
    line: int
    options: Mapping[str, tuple[str, ...]]
    arguments: tuple[str, ...]
    inner: Mapping[str, "Command"]

    def value(self, option: str) -> str | None:
        """The last value of an option, None without it."""
        values = self.options.get(option)
        return values[-1] if values else None

    def shown(self, text: str) -> str:
        """A word as a message shows it."""
        for mark, command in self.inner.items():
            text = text.replace(mark, f"[{command.name} ...]")
        return text or "none"

    def objects(self, text: str) -> Iterator["Command | str"]:
        """What a word names: commands that find objects, or names as they stand."""
        for word in text.replace("{", " ").replace("}", " ").split():
            yield self.inner.get(word, word)


def read_tcl(path: Path) -> tuple[list[Command], list[Finding]]:
    """Read a constraint file.

    Parameters
    ----------
    path : Path
        A file whose suffix is ``.xdc`` or ``.sdc``.

    Returns
    -------
    tuple[list[Command], list[Finding]]
        Its commands outside of brackets, in order, and what is wrong with how they are written.

    Raises
    ------
    UserError
        If the file cannot be read, or there is no Tcl.
    """
    is_xdc = path.suffix == ".xdc"
    rows = _run(path, kept=_XDC_KEEPS if is_xdc else ())
    commands: dict[str, Command] = {}
    used: set[str] = set()
    findings = []

    def wrong(line: int, rule: str, text: str) -> None:
        findings.append(Finding(file=path, line=line, rule=rule, text=text))

    excluded = _NOT_XDC if is_xdc else _NOT_SDC
    kind = path.suffix[1:].upper()
    for name, line, words, mark in rows:
        if not name:
            wrong(line, "syntax", f"the file must be Tcl, not this ({words[0]}); mend the command")
            continue
        if name not in COMMANDS or name in excluded:
            wrong(
                line, "command", f"a command must be one that {kind} has, not {name}; leave it out"
            )
            continue
        inner = {each: commands[each] for word in words for each in _MARK.findall(word)}
        used |= inner.keys()
        options: dict[str, tuple[str, ...]] = {}
        arguments = []
        known = COMMANDS[name].split()
        rest = iter(words)
        for word in rest:
            if not re.match(r"-[a-z]", word):
                arguments.append(word)
            elif f"{word}=" in known:
                value = next(rest, None)
                if value is None:
                    wrong(line, "command", f"{name} {word} must have a value, not none; give one")
                    continue
                options[word] = (*options.get(word, ()), value)
            elif word in known:
                options[word] = ("",)
            else:
                taken = ", ".join(each.removesuffix("=") for each in known) or "none"
                wrong(line, "command", f"an option of {name} must be one of {taken}, not {word}")
        commands[mark] = Command(
            name=name, line=line, options=options, arguments=tuple(arguments), inner=inner
        )
    return [each for mark, each in commands.items() if mark not in used], findings


def interpreter() -> list[str] | None:
    """The command that runs a Tcl script: Python with tkinter, or tclsh; None without both."""
    if importlib.util.find_spec("_tkinter") is not None:
        return [sys.executable, "-c", _IN_PYTHON]
    shell = shutil.which("tclsh")
    return None if shell is None else [shell]


def _run(path: Path, *, kept: tuple[str, ...]) -> list[tuple[str, int, list[str], str]]:
    if not path.is_file():
        raise UserError(f"{path} must be a file that can be read, not this; give another")
    command = interpreter()
    if command is None:
        raise UserError(
            "constraints are read by Tcl, which is not installed; install tclsh, or tkinter for "
            "this Python (Debian and Ubuntu: apt install tcl)"
        )
    # A process of its own, as no limit of Tcl ends a loop that is empty.
    try:
        done = subprocess.run(
            [*command, str(_RECORDER), str(path), " ".join(kept)],
            capture_output=True,
            encoding="utf-8",
            timeout=_LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise UserError(
            f"{path} must end within {_LIMIT_SECONDS} s of Tcl, not run on; mend its loops"
        ) from None
    if done.returncode:
        raise InternalError(f"Tcl must record {path}, not stop with {done.stderr.strip()[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]
