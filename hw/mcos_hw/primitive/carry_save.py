"""Sums of three terms with one chain of carries."""

from amaranth.hdl import Cat, Const, Value

__all__ = ["carry_save"]


def carry_save(first: Value, second: Value, third: Value, width: int) -> tuple[Value, Value]:
    """Two terms with the same sum as three, modulo ``2**width``, without carrying.

    The lowest bit of the second one is 0, and may carry in a 1. Synthesis tools do this by
    themselves for some sums and not for others.
    """
    carries = (first & second) | ((first | second) & third)
    return (first ^ second ^ third)[:width], Cat(Const(0, 1), carries)[:width]
