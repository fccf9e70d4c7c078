"""Bits of state of the channel, counted in the elaborated design."""

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mcos_sim.synthesis.netlist import Netlist, plain_name

__all__ = [
    "ESSAY_BUCKET_BYTES",
    "ESSAY_TENANTS",
    "StateBits",
    "count",
    "per_tenant",
    "rows",
    "summary",
]


ESSAY_BUCKET_BYTES = 64
"""Bucket state of one channel in the essay (docs/origins.md)."""

ESSAY_TENANTS = 8
"""Tenants of that channel."""

_CHANNEL = "controller.channel."

_NUMBER = re.compile(r"\d+")

_GROUPS = {
    "buckets": "bucket",
    "tags and order": "arbiter",
    "queues": "queue",
    "monitor": "monitor",
}
"""Groups of blocks of the channel, by what their names start with."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class StateBits:
    """Bits of state of a block.

    Parameters
    ----------
    block : str
        Its hierarchical name; ``*`` stands for numbers, so that it is all copies of it.
    flip_flops, memory : int
        Bits in flip-flops and in memories.
    """

    block: str
    flip_flops: int
    memory: int

    @property
    def bits(self) -> int:
        """Both."""
        return self.flip_flops + self.memory

    @property
    def group(self) -> str:
        """Group of blocks that this one belongs to; ``registers`` outside the channel."""
        if not self.block.startswith(_CHANNEL):
            return "registers"
        name = self.block.removeprefix(_CHANNEL)
        for group, start in _GROUPS.items():
            if name.startswith(start):
                return group
        return "rest of the channel"


def count(netlist: Netlist) -> list[StateBits]:
    """Bits of state of each block, by name; what is constant or unread is not there any more."""
    flip_flops: Counter[str] = Counter()
    memory: Counter[str] = Counter()
    for _, cell in netlist.registers:
        for bit in cell["connections"]["Q"]:
            known = netlist.name(bit) if isinstance(bit, int) else None
            flip_flops[_block(netlist, known[0] if known else "")] += 1
    for _, cell in netlist.memories:
        parameters = cell["parameters"]
        name = _block(netlist, plain_name(parameters["MEMID"]))
        memory[name] += int(parameters["SIZE"], 2) * int(parameters["WIDTH"], 2)
    return [
        StateBits(block=block, flip_flops=flip_flops[block], memory=memory[block])
        for block in sorted(flip_flops.keys() | memory.keys())
    ]


def summary(blocks: Sequence[StateBits]) -> dict[str, int]:
    """Bits of each group of blocks."""
    bits: Counter[str] = Counter()
    for block in blocks:
        bits[block.group] += block.bits
    return dict(sorted(bits.items()))


def per_tenant(
    here: dict[str, int], there: dict[str, int], *, tenants: int, other: int
) -> dict[str, float]:
    """Bits of each group that one more tenant takes: from the same design for ``other`` tenants."""
    return {
        group: round((bits - there.get(group, 0)) / (tenants - other), 1)
        for group, bits in here.items()
    }


def rows(blocks: Sequence[StateBits]) -> list[dict[str, Any]]:
    """Rows of ``blocks[]``, the largest first."""
    return [
        {"block": block.block, "flip_flops": block.flip_flops, "memory": block.memory}
        for block in sorted(blocks, key=lambda block: (-block.bits, block.block))
    ]


def _block(netlist: Netlist, register: str) -> str:
    """The block that a register is in, with ``*`` for numbers."""
    return _NUMBER.sub("*", ".".join(netlist.block(register))) or "top"
