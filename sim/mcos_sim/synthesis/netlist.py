"""A flat netlist of words, as Yosys writes it in JSON, to look registers and paths up in."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

__all__ = [
    "Netlist",
    "Register",
    "plain_name",
]


Register = tuple[str, int]
"""Name of a register and number of the bit in it."""

_COPY = re.compile(r"\$\d+")

_PROBE = re.compile(r"(^|\.)probe\.")


def plain_name(name: str) -> str:
    """A hierarchical name without Yosys's backslash and Amaranth's ``$12`` of a repeated name."""
    return _COPY.sub("", name.lstrip("\\"))


class Netlist:
    """Cells and nets of one module.

    A bit is the number that Yosys gives to a net; constants are no bits.

    Parameters
    ----------
    module : Mapping[str, Any]
        A module of Yosys's JSON.
    """

    def __init__(self, module: Mapping[str, Any]) -> None:
        self.cells: Mapping[str, Mapping[str, Any]] = module["cells"]
        self._netnames: Mapping[str, Mapping[str, Any]] = module["netnames"]

    @classmethod
    def read(cls, path: Path, *, top: str = "mcos") -> Self:
        """The module ``top`` of a file."""
        return cls(json.loads(path.read_text(encoding="utf-8"))["modules"][top])

    @cached_property
    def _names(self) -> Mapping[int, Register]:
        """The best name of each named bit.

        That in the deepest block that has it, its own or one that it enters, but not that of the
        probe, which repeats what is elsewhere. Of names in blocks as deep, the shortest: what
        enters another block is a part of something there.
        """

        def rank(name: str) -> tuple[bool, int, int, str]:
            depth = len(self.block(plain_name(name)))
            return bool(_PROBE.search(name)), -depth, len(name), name

        names: dict[int, Register] = {}
        public = [name for name, net in self._netnames.items() if not net.get("hide_name")]
        for name in sorted(public, key=rank):
            for index, bit in enumerate(self._netnames[name]["bits"]):
                if isinstance(bit, int):
                    names.setdefault(bit, (plain_name(name), index))
        return names

    @cached_property
    def _aliases(self) -> Mapping[str, Sequence[int | str]]:
        return {
            plain_name(name): net["bits"]
            for name, net in self._netnames.items()
            if not net.get("hide_name")
        }

    def name(self, bit: int) -> Register | None:
        """The name of a bit, or None where no signal of the design has it."""
        return self._names.get(bit)

    def bit(self, name: str, index: int) -> int | None:
        """The bit of a signal, under any of its names; None where there is none such."""
        bits = self._aliases.get(plain_name(name), ())
        found = bits[index] if index < len(bits) else None
        return found if isinstance(found, int) else None

    @cached_property
    def modules(self) -> frozenset[str]:
        """Hierarchical names of the modules that became this one."""
        return frozenset(
            plain_name(name) for name, cell in self.cells.items() if cell["type"] == "$scopeinfo"
        )

    def block(self, name: str) -> tuple[str, ...]:
        """The modules that a signal is in, the outermost first, by the name of the signal."""
        parts = name.split(".")[:-1]
        while parts and ".".join(parts) not in self.modules:
            parts.pop()
        return tuple(parts)

    @property
    def registers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Flip-flops, with their cells' names."""
        return (item for item in self.cells.items() if "dff" in item[1]["type"])

    @property
    def memories(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Memories, with their cells' names."""
        return (item for item in self.cells.items() if item[1]["type"] == "$mem_v2")
