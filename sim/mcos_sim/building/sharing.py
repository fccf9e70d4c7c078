"""Designs in which equal modules are one."""

import re
from collections.abc import Mapping

__all__ = [
    "repeated",
    "shared",
]


_MODULE = re.compile(r"^(?:attribute [^\n]*\n)*module (\S+)\n.*?^end\n", re.MULTILINE | re.DOTALL)

_CELL = re.compile(r"^  cell (\S+) \S+\n.*?^  end\n", re.MULTILINE | re.DOTALL)

_CONNECTION = re.compile(r"^    connect (\S+)", re.MULTILINE)

_NUMBERED = re.compile(r"\\port\$\d+\$\d+")
"""Ports for signals that cross a module's boundary, which Amaranth counts through all modules."""


def shared(design: str) -> str:
    """A design's RTLIL with one module in place of those that are equal but for their names.

    Amaranth writes a module for each instance. Tools that work module by module then do the same
    work for each channel and each port.

    Parameters
    ----------
    design : str
        RTLIL, a module before those that it instantiates.
    """
    instead: dict[str, str] = {}
    ports: dict[str, Mapping[str, str]] = {}
    known: dict[str, str] = {}
    kept: list[str] = []
    begin = len(design)
    # From the leaves up, so that equal modules instantiate the same ones.
    for match in reversed(list(_MODULE.finditer(design))):
        name, text = match[1], match[0]
        begin = match.start()
        # The ports of its cells by the names of their modules, and then its own by their order.
        text = _CELL.sub(lambda cell: _connected(cell[0], cell[1], instead, ports), text)
        own = dict.fromkeys(_NUMBERED.findall(text))
        ports[name] = {port: f"\\crossing_{place}" for place, port in enumerate(own)}
        text = _NUMBERED.sub(lambda port, names=ports[name]: names[port[0]], text)
        body = text.replace(f"module {name}\n", "module\n", 1)
        instead[name] = known.setdefault(body, name)
        if instead[name] == name:
            kept.append(text)
    return design[:begin] + "\n".join(reversed(kept))


def repeated(design: str, parent: str) -> tuple[str, list[str]]:
    """A shared design whose repeated blocks have plain names.

    Parameters
    ----------
    design : str
        RTLIL, as :func:`shared` gives it.
    parent : str
        Module that instantiates them, without its backslash.

    Returns
    -------
    design : str
        The design.
    blocks : list[str]
        Names of those modules that the parent instantiates several times and that have modules
        inside.
    """
    texts = {match[1]: match[0] for match in _MODULE.finditer(design)}

    def instances(name: str) -> list[str]:
        return [cell for cell in _CELL.findall(texts[name]) if cell in texts]

    inside = instances(f"\\{parent}")
    blocks = []
    for name in dict.fromkeys(inside):
        if inside.count(name) > 1 and instances(name):
            plain = re.sub(r"\W", "_", name[1:])
            design = design.replace(f"{name}\n", f"\\{plain}\n").replace(f"{name} ", f"\\{plain} ")
            blocks.append(plain)
    return design, blocks


def _connected(
    text: str, module: str, instead: Mapping[str, str], ports: Mapping[str, Mapping[str, str]]
) -> str:
    """A cell of the module that stands for its own one, connected by that one's names."""
    if module not in instead:
        return text
    names = ports[module]
    text = text.replace(f"cell {module} ", f"cell {instead[module]} ", 1)
    return _CONNECTION.sub(
        lambda match: f"    connect {names.get(match[1], match[1])}",
        text,
    )
