"""Rounding of exact numbers to a few digits."""

import math
from collections.abc import Callable
from fractions import Fraction

__all__ = [
    "rounded",
    "rounded_down",
    "rounded_up",
]


def rounded(number: Fraction, digits: int = 4) -> Fraction:
    """The nearest number of so many digits."""
    return _rounded(number, digits, round)


def rounded_down(number: Fraction, digits: int = 4) -> Fraction:
    """The largest number of so many digits that is at most ``number``."""
    return _rounded(number, digits, math.floor)


def rounded_up(number: Fraction, digits: int = 4) -> Fraction:
    """The smallest number of so many digits that is at least ``number``."""
    return _rounded(number, digits, math.ceil)


def _rounded(number: Fraction, digits: int, towards: Callable[[Fraction], int]) -> Fraction:
    if number <= 0:
        return Fraction(0)
    unit = Fraction(10) ** (_exponent(number) - digits + 1)
    return towards(number / unit) * unit


def _exponent(number: Fraction) -> int:
    """The exponent of a number over 0 in scientific notation, exactly."""
    bits = number.numerator.bit_length() - number.denominator.bit_length()
    guess = math.floor(bits * math.log10(2))
    while Fraction(10) ** (guess + 1) <= number:
        guess += 1
    while Fraction(10) ** guess > number:
        guess -= 1
    return guess
