"""Timing paths in the design's own words."""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from mcos_sim.synthesis.netlist import Netlist, plain_name

__all__ = [
    "End",
    "Path",
    "Route",
    "bundles",
    "short",
]


_BLOCKS = ("controller.channel.", "controller.control.", "controller.")
"""Where most of the design is; left out of the names that people read."""

_INDEX = re.compile(r"\d+")

_INPUTS = {"D", "EN", "SRST", "ARST", "AD", "ALOAD"}
"""Inputs of a word-level flip-flop that a path can end at."""

_OPERATIONS: Mapping[str, tuple[str, int, int]] = {
    # Word of the operation; its depth in gates: a constant, and a factor of log2 of its width.
    "add": ("add", 2, 2),
    "sub": ("subtract", 2, 2),
    "neg": ("subtract", 2, 2),
    "alu": ("add", 2, 2),
    "macc": ("multiply", 4, 4),
    "mul": ("multiply", 4, 4),
    "lt": ("compare", 2, 2),
    "le": ("compare", 2, 2),
    "gt": ("compare", 2, 2),
    "ge": ("compare", 2, 2),
    "eq": ("match", 1, 1),
    "ne": ("match", 1, 1),
    "mux": ("select", 2, 0),
    "pmux": ("select", 2, 1),
    "bmux": ("select", 0, 2),
    "demux": ("decode", 1, 1),
    "shl": ("shift", 0, 2),
    "shr": ("shift", 0, 2),
    "sshl": ("shift", 0, 2),
    "sshr": ("shift", 0, 2),
    "shift": ("shift", 0, 2),
    "shiftx": ("select", 0, 2),
    "reduce_and": ("all", 0, 1),
    "reduce_or": ("any", 0, 1),
    "reduce_bool": ("any", 0, 1),
    "reduce_xor": ("parity", 0, 2),
    "logic_not": ("any", 0, 1),
    "logic_and": ("logic", 1, 1),
    "logic_or": ("logic", 1, 1),
    "mem_v2": ("read", 8, 0),
}
"""What cells do, and about how deep they are: enough to tell which way round is the long one."""

_LOGIC = ("logic", 1, 0)
"""Every other cell."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class End:
    """Where a path starts or ends.

    Parameters
    ----------
    name : str
        Hierarchical name of the register, memory or port.
    bit : int
        Which bit of it.
    pin : str or None
        For a memory, which port of it.
    """

    name: str
    bit: int = 0
    pin: str | None = None

    def __str__(self) -> str:
        return short(self.name) + (f" ({self.pin})" if self.pin else "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Path:
    """A timing path.

    Parameters
    ----------
    delay_ps : float
        The clock period that it needs, clock-to-output and setup included.
    start, end : End
        Its ends.
    cells : int
        Cells on it.
    """

    delay_ps: float
    start: End
    end: End
    cells: int


def short(name: str) -> str:
    """A hierarchical name as people read it, ``arbiter.elected``."""
    for block in _BLOCKS:
        if name.startswith(block):
            return name.removeprefix(block)
    return name


def bundles(paths: Iterable[Path]) -> list[Path]:
    """The worst path of each bundle of end registers, worst first.

    Registers whose names differ by numbers only, like ``lane_3.start`` and ``lane_4.start``, are
    one bundle.
    """
    worst: dict[tuple[str, str | None], Path] = {}
    for path in sorted(paths, key=lambda path: -path.delay_ps):
        worst.setdefault((_INDEX.sub("*", path.end.name), path.end.pin), path)
    return list(worst.values())


class Route:
    """Finds what lies between two registers in the netlist of words.

    A mapped netlist has forgotten what its gates were. So this is the deepest chain of operations
    between the two ends of a path before mapping, by a rough depth of each; not gate by gate the
    path that was timed.

    Parameters
    ----------
    netlist : Netlist
        Netlist of words.
    """

    def __init__(self, netlist: Netlist) -> None:
        self._netlist = netlist

    def end(self, name: str) -> End:
        """An end by its name in a tool's report: ``\\block.register[3]`` or ``memory/port[3]``."""
        name, _, pin = plain_name(name.replace("\\", "")).partition("/")
        match = re.fullmatch(r"(.*?)\[(\d+)\]", name)
        name, index = (match[1], int(match[2])) if match else (name, 0)
        if pin:
            return End(name=name, bit=index, pin=_INDEX.sub("", pin.partition("[")[0]))
        bit = self._netlist.bit(name, index)
        better = None if bit is None else self._netlist.name(bit)
        return End(name=better[0], bit=better[1]) if better else End(name=name, bit=index)

    def words(self, path: Path) -> str:
        """A path as ``arbiter.elected -> select, compare, select -> lane_3.start``."""
        operations = self._operations(path.start, path.end)
        return " -> ".join(
            part for part in (str(path.start), ", ".join(operations), str(path.end)) if part
        )

    @cached_property
    def _inputs(self) -> Mapping[str, Sequence[int]]:
        """Bits that go into each combinational cell."""
        return {
            name: [
                bit
                for port, bits in cell["connections"].items()
                if not _is_output(cell, port)
                for bit in bits
                if isinstance(bit, int)
            ]
            for name, cell in self._netlist.cells.items()
            if not _is_register(cell)
        }

    @cached_property
    def _driver(self) -> Mapping[int, str]:
        """The cell that drives each bit, flip-flops and memories included."""
        return {
            bit: name
            for name, cell in self._netlist.cells.items()
            for port, bits in cell["connections"].items()
            if _is_output(cell, port)
            for bit in bits
            if isinstance(bit, int)
        }

    def _sources(self, end: End) -> list[int]:
        """Bits that go into a register or a memory."""
        if end.pin is not None:
            cells = [
                cell
                for _, cell in self._netlist.memories
                if plain_name(cell["parameters"]["MEMID"]) == end.name
            ]
            return [
                bit
                for cell in cells
                for port, bits in cell["connections"].items()
                if port != "RD_DATA" and not port.endswith("CLK")
                for bit in bits
                if isinstance(bit, int)
            ]
        bit = self._netlist.bit(end.name, end.bit)
        cell = None if bit is None else self._netlist.cells.get(self._driver.get(bit, ""))
        if bit is None or cell is None or "dff" not in cell["type"]:
            return []
        index = cell["connections"]["Q"].index(bit)
        found = [
            bits[index] if port == "D" else bits[0]
            for port, bits in cell["connections"].items()
            if port in _INPUTS
        ]
        return [bit for bit in found if isinstance(bit, int)]

    def _operations(self, start: End, end: End) -> list[str]:
        """What is done from one end to the other, runs of the same operation once."""
        depths: dict[str, tuple[int, str | None] | None] = {}
        starting = self._starting_bits(start)

        def deepest(bits: Iterable[int]) -> tuple[int, str | None] | None:
            """Depth of the deepest chain from the start to one of some bits, and its last cell."""
            best: tuple[int, str | None] | None = None
            for bit in bits:
                if bit in starting:
                    found: tuple[int, str | None] | None = (0, None)
                elif (cell := self._driver.get(bit)) in self._inputs:
                    reached = depths.get(cell)
                    found = None if reached is None else (reached[0], cell)
                else:
                    found = None
                if found is not None and (best is None or found[0] > best[0]):
                    best = found
            return best

        sources = self._sources(end)
        for name in self._in_order(sources, starting):
            before = deepest(self._inputs[name])
            if before is not None:
                cell = self._netlist.cells[name]
                depths[name] = (before[0] + _depth(cell), before[1])
        found = deepest(sources)
        chain: list[str] = []
        name = found[1] if found else None
        while name is not None:
            operation = _operation(self._netlist.cells[name])[0]
            if not chain or chain[-1] != operation:
                chain.append(operation)
            reached = depths[name]
            name = reached[1] if reached else None
        return chain[::-1]

    def _starting_bits(self, start: End) -> set[int]:
        if start.pin is not None:
            return {
                bit
                for _, cell in self._netlist.memories
                if plain_name(cell["parameters"]["MEMID"]) == start.name
                for bit in cell["connections"]["RD_DATA"]
                if isinstance(bit, int)
            }
        bit = self._netlist.bit(start.name, start.bit)
        return set() if bit is None else {bit}

    def _in_order(self, bits: Iterable[int], starting: set[int]) -> list[str]:
        """Combinational cells before some bits, each after those that feed it.

        Where cells of words feed each other in a ring, because different bits of them do, the ring
        is cut anywhere.
        """
        order: list[str] = []
        seen: set[str] = set()
        for first in bits:
            stack: list[tuple[int, bool]] = [(first, False)]
            while stack:
                bit, done = stack.pop()
                cell = self._driver.get(bit)
                if cell is None or bit in starting or cell not in self._inputs:
                    continue
                if done:
                    order.append(cell)
                elif cell not in seen:
                    seen.add(cell)
                    stack.append((bit, True))
                    stack += [(source, False) for source in self._inputs[cell]]
        return order


def _is_output(cell: Mapping[str, Any], port: str) -> bool:
    return cell["port_directions"][port] == "output"


def _is_register(cell: Mapping[str, Any]) -> bool:
    return "dff" in cell["type"] or cell["type"] in ("$mem_v2", "$scopeinfo")


def _operation(cell: Mapping[str, Any]) -> tuple[str, int, int]:
    return _OPERATIONS.get(cell["type"].lstrip("$"), _LOGIC)


def _depth(cell: Mapping[str, Any]) -> int:
    _, constant, factor = _operation(cell)
    width = max(len(bits) for bits in cell["connections"].values())
    return constant + factor * (width - 1).bit_length()
