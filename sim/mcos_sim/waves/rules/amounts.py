"""Numbers for people: with as many digits as tell apart what differs."""

from collections.abc import Sequence
from fractions import Fraction

__all__ = [
    "amount",
    "amounts",
]


_DIGITS = 64
"""Digits behind the point, at most; those of a register's fractions are at most 31."""


def amounts(values: Sequence[Fraction], *, apart: int, adds_up: bool = False) -> list[str]:
    """Numbers with one number of digits behind the point, as few as will do.

    Parameters
    ----------
    values : Sequence[Fraction]
        The numbers.
    apart : int
        So many of the first ones must differ in print where they differ.
    adds_up : bool
        Whether the second number is the sum of those behind it, and must be in print.
    """
    distinct = len(set(values[:apart]))
    for digits in range(1, _DIGITS):
        rounded = [round(value, digits) for value in values]
        told = len(set(rounded[:apart])) == distinct
        if told and (not adds_up or rounded[1] == sum(rounded[2:])):
            break
    return [amount(each) for each in rounded]


def amount(value: Fraction) -> str:
    """A number with its decimals, at most as many as it needs: ``1,024.5``."""
    digits = 0
    while digits < _DIGITS and round(value, digits) != value:
        digits += 1
    whole, decimals = divmod(int(abs(round(value, digits)) * 10**digits), 10**digits)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole:,}" + (f".{decimals:0{digits}d}" if digits else "")
