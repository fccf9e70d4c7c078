"""The word of a counter: a count that says when it was too large."""

from amaranth import *
from amaranth.hdl import Value

from mcos_hw.primitive.select import spread

__all__ = [
    "COUNT_WIDTH",
    "counted",
    "shown",
]


COUNT_WIDTH = 31
"""Bits of a count; bit 31 of its register says that it saturated."""


def counted(count: Value, amount: Value) -> Value:
    """The counter word {overflow, count} after adding ``amount`` to the word ``count``.

    Beyond its width a count goes round; its overflow bit stays set.
    """
    total = count[:COUNT_WIDTH] + amount
    return Cat(total[:COUNT_WIDTH], count[COUNT_WIDTH] | total[COUNT_WIDTH:].any())


def shown(count: Value) -> Value:
    """A counter word as software reads it: saturated where it overflowed."""
    return count | spread(count[COUNT_WIDTH], COUNT_WIDTH + 1)
