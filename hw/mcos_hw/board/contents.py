"""What every word of a board's memories holds, so that whoever reads can tell what is wrong."""

from amaranth.hdl import Cat, Const, Value

__all__ = [
    "WORD_BYTES",
    "contents",
    "contents_value",
]


WORD_BYTES = 8
"""Bytes of a word of memory, which is a beat."""

_MASKS = (0x0000, 0xA5C3, 0x5A3C, 0xFFFF)
"""By which each 16 bits of a word differ from its number."""


def contents(number: int) -> int:
    """The word of a number under 2**16."""
    return sum((number ^ mask) << (16 * k) for k, mask in enumerate(_MASKS))


def contents_value(number: Value) -> Value:
    """The same in hardware."""
    wide = Cat(number, Const(0, 16 - len(number))) if len(number) < 16 else number
    return Cat(wide ^ Const(mask, 16) for mask in _MASKS)
