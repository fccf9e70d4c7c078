"""Verilog-2005 of a component, in one text that says what it is and that lints clean."""

import itertools
import re
from collections.abc import Mapping, Sequence, Set
from types import MappingProxyType

from amaranth.back import verilog
from amaranth.lib import wiring

from mcos_hw.targets.ports import Port, groups

__all__ = [
    "WAIVERS",
    "declarations",
    "verilog_text",
    "without_empty_wires",
]


WAIVERS: Mapping[str, str] = {
    "CASEINCOMPLETE": "A Switch without a default keeps the assignment before it, on purpose.",
    "DECLFILENAME": "One file holds the whole tree of modules.",
    "UNUSEDSIGNAL": "Every field of a record has a wire, read or not.",
    "WIDTH": "Amaranth's widths are exact; Yosys writes an extension as a plain assignment.",
}
"""Verilator's rules that the text switches off for itself, and why.

All of them are known to every Verilator from 5.000 on, where an unknown one would be an error.
"""

_NONE: Mapping[str, str] = MappingProxyType({})

_ESCAPED = re.compile(r"\\(\S+) ")
_MODULE = re.compile(r"^module \\(\S+) ", re.MULTILINE)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_EMPTY = re.compile(r"^  (?:wire|reg) \[-1:0\] .*;\n", re.MULTILINE)
_OF_WAVEFORMS = re.compile(r"probe\.\S+[^\]]")
"""Names of the probe that mappings of waveforms use; none looks like a bit."""
_DECLARED_VALUE = re.compile(
    r"^  (?P<kind>reg (?:\[\d+:\d+\] )?)(?P<name>\S+) +?= (?P<value>[^;]+);$", re.MULTILINE
)


def verilog_text(
    component: wiring.Component,
    *,
    name: str,
    head: Sequence[str],
    ports: Sequence[Port] = (),
    attributes: Mapping[str, str] = _NONE,
    platform: object = None,
) -> str:
    """A component and everything in it as Verilog-2005.

    The same component gives the same text. Modules are called by the way to them,
    ``mcos_controller_channel``. Names are plain identifiers, because mappers stumble over escaped
    ones that end like a bit, ``\\queue[3]``; only the probe's signals, ``\\probe.channel.open``,
    keep the names that waveforms know them by.

    Parameters
    ----------
    component : wiring.Component
        Top module; its ports are the members of its signature, and ``clk`` and ``rst``.
    name : str
        Name of the top module.
    head : Sequence[str]
        Lines of the comment at the top.
    ports : Sequence[Port]
        All ports of the top module, in the order in which they are to be declared, each with its
        meaning; without them the top is as Yosys writes it, in no order.
    attributes : Mapping[str, str]
        Attributes of these ports by their name, as Verilog has them without its brackets.
    platform : object
        Platform that components elaborate for; None for none.

    Raises
    ------
    ValueError
        If two modules would have the same name, or the top module has other ports.
    """
    text = verilog.convert(
        component, name=name, platform=platform, emit_src=False, strip_internal_attrs=True
    )
    text = _with_plain_names(_with_plain_module_names(without_empty_wires(text)))
    text = _DECLARED_VALUE.sub(_initial, text)
    if ports:
        text = _with_ports_in_order(text, name, ports, attributes)
    lines = [f"// {line}" for line in head]
    lines += ["", "// verilator lint_save"]
    for rule, reason in WAIVERS.items():
        lines += [f"// {reason}", f"// verilator lint_off {rule}"]
    return "\n".join([*lines, "", text.strip(), "", "// verilator lint_restore", ""])


def without_empty_wires(text: str) -> str:
    """Verilog of Yosys without the declarations of signals that have no bits.

    Nothing names them, as Amaranth leaves them out of every expression; ``[-1:0]`` would be two
    bits.
    """
    return _EMPTY.sub("", text)


def _with_plain_module_names(text: str) -> str:
    """Modules ``\\mcos.a.b$12 `` of Amaranth's as ``mcos_a_b``."""
    plain = {
        module: re.sub(r"\$\d+", "", module).replace(".", "_") for module in _MODULE.findall(text)
    }
    repeated = sorted(set(plain) - set({name: module for module, name in plain.items()}.values()))
    if repeated:
        raise ValueError(f"modules must have different names without punctuation, not {repeated!r}")
    return _ESCAPED.sub(
        lambda match: f"{plain[match[1]]} " if match[1] in plain else match[0], text
    )


def _with_plain_names(text: str) -> str:
    """Every signal ``\\bucket$2[3].level `` as ``bucket_2_3_level``, the same in all modules.

    A submodule's port and what its parent connects to it have to be called alike.
    """
    # A name that is escaped as it is would be a keyword.
    taken = {*_PLAIN.findall(_ESCAPED.sub(" ", text)), *_ESCAPED.findall(text)}
    plain: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        name = match[1]
        if _OF_WAVEFORMS.fullmatch(name):
            return match[0]
        if name not in plain:
            plain[name] = _free(re.sub(r"\W", "_", name.replace("]", "")), taken)
            taken.add(plain[name])
        return f"{plain[name]} "

    return _ESCAPED.sub(rename, text)


def _with_ports_in_order(
    text: str, name: str, ports: Sequence[Port], attributes: Mapping[str, str]
) -> str:
    """The top module with its ports declared where they are listed, in groups."""
    found = re.search(rf"^module {name}\((.*?)\);\n(.*?)^endmodule", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no module {name}"
    listed, body = re.findall(r"\w+", found[1]), found[2]
    named = [port.name for port in ports]
    if sorted(listed) != sorted(named):
        raise ValueError(f"ports must be those of the module, {sorted(listed)}, not {named}")
    names = "|".join(named)
    body = re.sub(
        rf"^  (input|output|wire) (\[\d+:0\] )?({names});\n", "", body, flags=re.MULTILINE
    )
    head = f"module {name} (\n{declarations(ports, attributes)}\n);\n"
    return text[: found.start()] + head + body + text[found.end() - len("endmodule") :]


def declarations(ports: Sequence[Port], attributes: Mapping[str, str] = _NONE) -> str:
    """Declarations of a module's ports, one a line, with what each means.

    Attributes of a port stand in a line before it.
    """
    rows = [(f"  {port.direction} wire {port.range}{port.name}", port) for port in ports]
    width = max(len(text) for text, _ in rows) + 1
    texts = {port.name: text for text, port in rows}
    lines = []
    for group, members in groups(ports):
        lines += ["", f"  // {group}"]
        for port in members:
            if port.name in attributes:
                lines.append(f"  (* {attributes[port.name]} *)")
            comma = "" if port is ports[-1] else ","
            lines.append(f"{texts[port.name] + comma:{width}}  // {port.meaning}")
    return "\n".join(lines[1:])


def _free(name: str, taken: Set[str]) -> str:
    """The name, or the first of ``name_2``, ``name_3``, ... that nothing else has."""
    if name not in taken:
        return name
    return next(each for k in itertools.count(2) if (each := f"{name}_{k}") not in taken)


def _initial(match: re.Match[str]) -> str:
    """A value at reset, apart from the declaration: Verilator warns where it is in one."""
    kind, name, value = match["kind"], match["name"], match["value"]
    space = " " if name.startswith("\\") else ""
    return f"  {kind}{name}{space};\n  initial {name}{space} = {value};"
