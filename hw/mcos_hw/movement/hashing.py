"""Rows of the residency table in which an object may be."""

import random
from functools import reduce
from operator import xor

from amaranth import *
from amaranth.hdl import Value

from mcos_hw.link.movement import OBJECT_WIDTH

__all__ = [
    "row_bits",
    "row_of",
]


def row_bits(side: int, bits: int) -> list[int]:
    """The masks of a hash: bit k of the row is the parity of the name under mask k.

    The masks are random ones, drawn once, with a bit of the name of its own in each, so that names
    that count up go to rows that differ.

    Parameters
    ----------
    side : int
        Which half of the table.
    bits : int
        Bits of a row's number.
    """
    rng = random.Random(f"row of side {side}")
    return [(rng.getrandbits(OBJECT_WIDTH) & ~((1 << bits) - 1)) | 1 << k for k in range(bits)]


def row_of(name: Value, side: int, rows: int) -> Value:
    """The row of an object in a half of the table, in logic."""
    bits = (rows - 1).bit_length()
    return Cat(
        reduce(xor, [name[i] for i in range(OBJECT_WIDTH) if mask >> i & 1])
        for mask in row_bits(side, bits)
    )
