"""Registers of a board: how many lanes it has, and its traffic generators."""

import functools

from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field, RegisterMap

__all__ = [
    "BOARD_MAGIC",
    "GENERATOR_COUNTS",
    "board_map",
]


BOARD_MAGIC = int.from_bytes(b"MBRD", "little")
"""Word that identifies a board."""

GENERATOR_COUNTS = {
    "ANSWERED": ("requests", "Requests that were answered since the last CLEAR."),
    "LATENCY_SUM": ("clocks", "Their latencies, added up, modulo 2**32."),
    "LATENCY_MOST": ("clocks", "The longest of them; at most 65535."),
    "WRONG": ("beats", "Beats of read data that were wrong, and answers other than OKAY."),
}
"""What each generator counts: unit and description, by register."""


@functools.lru_cache(maxsize=16)
def board_map(lanes: int, tenants: int) -> RegisterMap:
    """The registers of a board.

    Parameters
    ----------
    lanes : int
        Channels side by side, each with an arbiter and a memory of its own.
    tenants : int
        Tenants of each, and so its generators.
    """
    build = Builder()
    build.add(
        "BOARD",
        Access.READ,
        "Identifies a board.",
        Field(name="magic", width=32, reset=BOARD_MAGIC, description='"MBRD" read as bytes.'),
    )
    build.add(
        "BOARD_SHAPE",
        Access.READ,
        "What the board was built with.",
        Field(name="lanes", width=8, reset=lanes, description="Channels side by side."),
        Field(name="tenants", low=8, width=8, reset=tenants, description="Generators of each."),
    )
    build.at(0x10)
    build.add(
        "PACE",
        Access.WRITE,
        "How often a generator asks; holds for the next write of GENERATOR.",
        Field(
            name="interval",
            width=16,
            unit="clocks",
            description="Clocks from a request to the next; 0 asks whenever the window allows.",
        ),
        Field(
            name="window",
            low=16,
            width=6,
            unit="requests",
            description="Requests under way at most.",
        ),
    )
    build.add(
        "GENERATOR",
        Access.WRITE,
        "Sets the generator of a tenant in every lane, from the next clock on.",
        Field(name="tenant", width=4, description="Tenant tag."),
        Field(name="on", low=4, width=1, description="It asks."),
        Field(name="random", low=5, width=1, description="Anywhere in its memory, not in order."),
        Field(
            name="beats_log2", low=8, width=3, description="Beats of a request, as a power of two."
        ),
        Field(name="writes", low=12, width=3, description="Quarters of the requests that write."),
    )
    build.add(
        "CLEAR",
        Access.WRITE,
        "Sets what generators count to zero.",
        Field(name="counts", width=1, description="Do so."),
    )
    build.at(0x100)
    count = 1 << (lanes * tenants - 1).bit_length()
    for name, (unit, description) in GENERATOR_COUNTS.items():
        build.add(
            name,
            Access.READ,
            f"{description} Element tenants * lane + tenant.",
            Field(name="count", width=32, unit=unit, description="Count."),
            count=count,
        )
    return RegisterMap(
        name="mcos_board",
        description="A board: channels side by side, and what asks them for memory.",
        registers=tuple(build.registers),
        address_width=10,
    )
