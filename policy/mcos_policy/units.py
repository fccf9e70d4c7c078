"""Quantities with units, read and shown exactly.

This is the only place that converts units. Everything beyond it is in bytes, seconds and bytes
per second, as :class:`fractions.Fraction`.
"""

import dataclasses
import decimal
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from mcos_policy.diagnostics import RuleError

__all__ = [
    "DURATION",
    "RATE",
    "SIZE",
    "Bare",
    "Quantity",
    "exact",
]


_TEXT = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?) *([A-Za-z\u00b5\u03bc/]+)")
_MICRO = str.maketrans("\u00b5\u03bc", "uu")
"""Both signs that keyboards have for micro: the micro sign and the Greek letter."""

_MOST_DIGITS = 24
_LARGEST_EXPONENT = 40
_WRITTEN = (
    f"a number of at most {_MOST_DIGITS} digits in 1e-{_LARGEST_EXPONENT}..1e{_LARGEST_EXPONENT}"
)
"""Exact arithmetic with more than that takes time and means nothing."""

_SHOWN_DIGITS = 15


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bare:
    """A number whose unit is in its key, as in ``guaranteed_gbps = 120``.

    Parameters
    ----------
    value : object
        What the file gave: an integer or a :class:`~decimal.Decimal`, if it is right.
    unit : str
        The unit the key names, one of the quantity's own.
    """

    value: object
    unit: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantity:
    """A kind of quantity and its units.

    Parameters
    ----------
    noun : str
        What it is called, with its article.
    example : str
        A text that :meth:`parse` accepts.
    units : Mapping[str, Fraction]
        Units by rising size, each as a multiple of the base unit. Spelling and case matter.
    """

    noun: str
    example: str
    units: Mapping[str, Fraction]

    def parse(self, value: object, *, zero: bool = False) -> Fraction:
        """The quantity in its base unit.

        Parameters
        ----------
        value : object
            Text with a number and a unit, or a :class:`Bare` number.
        zero : bool
            Whether 0 is allowed.

        Raises
        ------
        RuleError
            If it is not such a quantity, not finite, negative, or zero where that is not allowed.
        """
        number = self._bare(value) if isinstance(value, Bare) else self._text(value)
        if number < 0 or (number == 0 and not zero):
            low = "at least" if zero else "over"
            raise RuleError(f"must be {low} 0", f'write {self.noun} such as "{self.example}"')
        return number

    def show(self, number: Fraction) -> str:
        """The quantity in the largest unit that leaves at least 1, to 15 digits."""
        prefixes = [(unit, size) for unit, size in self.units.items() if "i" not in unit]
        unit, size = prefixes[0]
        for candidate in prefixes:
            if number >= candidate[1]:
                unit, size = candidate
        scaled = number / size
        with decimal.localcontext(prec=_SHOWN_DIGITS):
            rounded = Decimal(scaled.numerator) / Decimal(scaled.denominator)
        text = f"{rounded:f}"
        return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"

    def _text(self, value: object) -> Fraction:
        known = ", ".join(self.units)
        rule = f'must be {self.noun} such as "{self.example}"'
        if not isinstance(value, str):
            raise RuleError(rule, f"write it in quotes with one of the units {known}")
        match = _TEXT.fullmatch(value.strip())
        if match is None:
            raise RuleError(rule, f"write a finite number and one of the units {known}")
        number, unit = exact(_decimal(match[1])), match[2].translate(_MICRO)
        if unit not in self.units:
            raise RuleError(rule, f"use one of the units {known}")
        if number is None:
            raise RuleError(rule, f"write {_WRITTEN}")
        return number * self.units[unit]

    def _bare(self, bare: Bare) -> Fraction:
        value = bare.value
        if type(value) is int:
            value = Decimal(value)
        if not isinstance(value, Decimal) or not value.is_finite():
            raise RuleError(
                f"must be a finite number of {bare.unit}",
                "write it without quotes, or use the key without a unit",
            )
        number = exact(value)
        if number is None:
            raise RuleError(f"must be {_WRITTEN}, of {bare.unit}", "correct it")
        return number * self.units[bare.unit]


def exact(number: Decimal) -> Fraction | None:
    """The number itself; None for one that is not finite, or has too many digits or zeros."""
    if not number.is_finite():
        return None
    if not number:
        return Fraction(0)
    digits = len(number.as_tuple().digits)
    if digits > _MOST_DIGITS or abs(number.adjusted()) > _LARGEST_EXPONENT:
        return None
    return Fraction(number)


def _decimal(text: str) -> Decimal:
    """The number that a text writes; infinite if its exponent is none that a number has."""
    try:
        return Decimal(text)
    except decimal.InvalidOperation:
        return Decimal("inf")


def _powers(suffix: str, base: str) -> dict[str, Fraction]:
    decimals = {
        base: 1,
        "k" + base: 10**3,
        "M" + base: 10**6,
        "G" + base: 10**9,
        "T" + base: 10**12,
    }
    binaries = {"Ki" + base: 2**10, "Mi" + base: 2**20, "Gi" + base: 2**30, "Ti" + base: 2**40}
    return {unit + suffix: Fraction(size) for unit, size in (decimals | binaries).items()}


SIZE = Quantity(noun="a size", example="8 GiB", units=_powers("", "B"))
"""Sizes in bytes."""

RATE = Quantity(noun="a rate", example="120 GB/s", units=_powers("/s", "B"))
"""Rates in bytes per second; GB/s is 10**9 bytes per second."""

DURATION = Quantity(
    noun="a duration",
    example="2 ms",
    units={
        "ps": Fraction(1, 10**12),
        "ns": Fraction(1, 10**9),
        "us": Fraction(1, 10**6),
        "ms": Fraction(1, 10**3),
        "s": Fraction(1),
    },
)
"""Durations in seconds; the u of us may be either micro sign."""
