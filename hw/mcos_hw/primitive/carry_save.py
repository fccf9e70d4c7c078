"""Sums of three terms with one chain of carries."""

from amaranth.hdl import Cat, Const, Value

__all__ = ["carry_save"]


def carry_save(first: Value, second: Value, third: Value, width: int) -> tuple[Value, Value]:
    """Two terms with the same sum as three, modulo ``2**width``, without a chain of carries.

    The lowest bit of the second term is 0, so a caller may put a carry there. This is written out
    because synthesis does it by itself for some sums only.
    """
    carries = (first & second) | ((first | second) & third)
    return (first ^ second ^ third)[:width], Cat(Const(0, 1), carries)[:width]
