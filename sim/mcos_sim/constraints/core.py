"""The names of emitted Verilog that a constraint can mean."""

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from mcos_sim.errors import UserError
from mcos_sim.inputs import read_whole

__all__ = [
    "Core",
    "TopPort",
    "read_core",
]


_MODULE = re.compile(r"^module\s+(\S+?)\s*\((.*?)^endmodule", re.MULTILINE | re.DOTALL)
_PORT = re.compile(
    r"^\s*(input|output|inout)\s+(?:wire\s+|reg\s+)?(?:\[(\d+):0\]\s*)?(\\\S+ |\w+)", re.MULTILINE
)
_INSTANCE = re.compile(
    r"^  (\w+)\s+(?:#\s*\(.*?\)\s*)?(\\\S+ |\w+)\s*\(\n(.*?)^  \);", re.MULTILINE | re.DOTALL
)
_PIN = re.compile(r"\.(\w+)\s*\(\s*(\\\S+ |\w*)")
_SIGNAL = re.compile(r"^  (reg|wire) (?:\[[\d:]+\] )?(\\\S+ |\w+)", re.MULTILINE)
_EDGE = re.compile(r"@\(posedge\s+(\\\S+ |\w+)")
_ALIAS = re.compile(r"^  assign (\\\S+ |\w+)\s*=\s*(\\\S+ |\w+)\s*;", re.MULTILINE)
_COMMENT = re.compile(r"//[^\n]*")

_CLOCK_PINS = ("CLKI", "CLKIN1", "CLK", "C", "I")
"""Pins of primitives, which have no module here, whose input is a clock."""

_CLOCK_CELLS = ("EHXPLLL", "MMCM", "PLL", "BUFG", "DCCA", "IBUF")
"""What the names of primitives that pass a clock on begin with."""

_KEYWORDS = ("module", "assign", "always", "initial", "reg", "wire", "input", "output", "if")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TopPort:
    """A port of the top module.

    Parameters
    ----------
    name : str
        Name.
    direction : str
        ``input``, ``output`` or ``inout``.
    width : int or None
        Bits of a vector; None for a plain bit, which constraints name without an index.
    """

    name: str
    direction: str
    width: int | None

    @property
    def bits(self) -> tuple[str, ...]:
        """Names of its bits, as constraints have them."""
        if self.width is None:
            return (self.name,)
        return tuple(f"{self.name}[{i}]" for i in range(self.width))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Core:
    """What can be named in a top module.

    Parameters
    ----------
    top : str
        Name of the top module.
    ports : Mapping[str, TopPort]
        Its ports by name.
    clocks : tuple[str, ...]
        Input ports that clock a register, also deep in the hierarchy.
    cells : frozenset[str]
        Instances and registers by the way to them, ``controller/channel/grants``.
    nets : frozenset[str]
        Wires and registers, by the way to them.
    """

    top: str
    ports: Mapping[str, TopPort]
    clocks: tuple[str, ...]
    cells: frozenset[str]
    nets: frozenset[str]

    @functools.cached_property
    def bits(self) -> dict[str, TopPort]:
        """The port of each bit."""
        return {bit: port for port in self.ports.values() for bit in port.bits}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Module:
    ports: Mapping[str, TopPort]
    instances: tuple[tuple[str, str, Mapping[str, str]], ...]
    cells: tuple[str, ...]
    nets: tuple[str, ...]
    edges: tuple[str, ...]
    aliases: Mapping[str, str]


def read_core(path: Path, *, top: str | None = None) -> Core:
    """Read the names of emitted Verilog.

    It reads what Yosys and :mod:`mcos_hw.targets.verilog` write, not Verilog in general.

    Parameters
    ----------
    path : Path
        The file.
    top : str or None
        The top module; None for the one that no other has.

    Raises
    ------
    UserError
        If the file cannot be read, has no module, or not one top.
    """
    try:
        text = read_whole(path).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UserError(
            f"{path} must be Verilog that can be read, not this ({reason}); mcos verilog writes it"
        ) from None
    text = _COMMENT.sub("", text)
    modules = {match[1].lstrip("\\"): _module(match[2]) for match in _MODULE.finditer(text)}
    used = {kind for module in modules.values() for kind, _, _ in module.instances}
    tops = [name for name in modules if name not in used] if top is None else [top]
    if len(tops) != 1 or tops[0] not in modules:
        raise UserError(
            f"{path} must have one top module, not {', '.join(tops) or 'none'}; "
            "give a file of mcos verilog, or name the top"
        )
    name = tops[0]
    return Core(
        top=name,
        ports=modules[name].ports,
        clocks=_clocks(modules, name),
        cells=frozenset(_named(modules, name, lambda module: module.cells)),
        nets=frozenset(_named(modules, name, lambda module: module.nets)),
    )


def _module(body: str) -> _Module:
    ports = {}
    for direction, high, name in _PORT.findall(body):
        plain = name.strip()
        ports[plain] = TopPort(
            name=plain, direction=direction, width=int(high) + 1 if high else None
        )
    instances = tuple(
        (kind, name.strip(), {pin: net.strip() for pin, net in _PIN.findall(pins)})
        for kind, name, pins in _INSTANCE.findall(body)
        if kind not in _KEYWORDS
    )
    signals = [(kind, name.strip()) for kind, name in _SIGNAL.findall(body)]
    registers = [name for kind, name in signals if kind == "reg"]
    return _Module(
        ports=ports,
        instances=instances,
        cells=(*registers, *(name for _, name, _ in instances)),
        nets=(*ports, *(name for _, name in signals)),
        edges=tuple(name.strip() for name in _EDGE.findall(body)),
        aliases={left.strip(): right.strip() for left, right in _ALIAS.findall(body)},
    )


def _clocks(modules: Mapping[str, _Module], top: str) -> tuple[str, ...]:
    """Input ports from which a clock comes, seen from the registers upward."""
    found: dict[str, tuple[str, ...]] = {}

    def clocks(name: str) -> tuple[str, ...]:
        if name not in found:
            module = modules[name]
            nets = set(module.edges)
            for kind, _, pins in module.instances:
                if kind in modules:
                    nets |= {pins.get(pin, "") for pin in clocks(kind)}
                elif kind.startswith(_CLOCK_CELLS):
                    nets |= {pins[pin] for pin in _CLOCK_PINS if pin in pins}
            for _ in module.aliases:
                more = {module.aliases[net] for net in nets if net in module.aliases}
                if more <= nets:
                    break
                nets |= more
            found[name] = tuple(
                port.name
                for port in module.ports.values()
                if port.name in nets and port.direction != "output"
            )
        return found[name]

    return clocks(top)


def _named(
    modules: Mapping[str, _Module], top: str, names: Callable[[_Module], Iterable[str]]
) -> Iterator[str]:
    """Names of every module by the way to it."""
    ways = [("", top)]
    for way, kind in ways:
        module = modules[kind]
        yield from (way + name for name in names(module))
        ways += [(f"{way}{name}/", kind) for kind, name, _ in module.instances if kind in modules]
