"""Quantities with units, read and shown exactly.

This is the only place that converts units. Everything beyond it is in bytes, seconds, hertz,
bytes per second and watts, as :class:`fractions.Fraction`.
"""

import dataclasses
import decimal
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction

from mcos_policy.diagnostics import RuleError
from mcos_policy.foreign import (
    Meaning,
    duration_meanings,
    frequency_meanings,
    power_meanings,
    rate_meanings,
    size_meanings,
)

__all__ = [
    "DURATION",
    "FREQUENCY",
    "POWER",
    "RATE",
    "SIZE",
    "Bare",
    "Quantity",
    "exact",
]


_TEXT = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?) *([A-Za-z\u00b5\u03bc/]+)")
_LOOSE = re.compile(r"([+-]?[0-9][0-9_]*(?:[.,][0-9_]*)?(?:[eE][+-]?[0-9]+)?|[+-]?\.[0-9]+) *(.*)")
"""A number and its unit as people may write them."""
_MICRO = str.maketrans("\u00b5\u03bc", "uu")
"""Both signs that keyboards have for micro: the micro sign and the Greek letter."""

_MOST_DIGITS = 24
_LARGEST_EXPONENT = 40
_WRITTEN = (
    f"a number of at most {_MOST_DIGITS} digits in 1e-{_LARGEST_EXPONENT}..1e{_LARGEST_EXPONENT}"
)
"""Exact arithmetic with longer numbers takes time and gains nothing."""
_WHY = "numbers are kept exactly, and one beyond these limits is taken for a slip"
_BEYOND = f"write {_WRITTEN}; {_WHY}"

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
    usual : str
        The unit that is supposed where one is missing.
    foreign : Callable[[str], tuple[Meaning, ...]]
        What another unit may mean, the likeliest first.
    """

    noun: str
    example: str
    units: Mapping[str, Fraction]
    usual: str
    foreign: Callable[[str], tuple[Meaning, ...]]

    def parse(self, value: object, *, zero: bool = False) -> Fraction:
        """The quantity in its base unit.

        Parameters
        ----------
        value : object
            Text with a number and a unit, a :class:`Bare` number, or a :class:`Fraction` in the
            base unit; the number 0 needs no unit.
        zero : bool
            Whether 0 is allowed.

        Raises
        ------
        RuleError
            If it is not such a quantity, not finite, negative, or zero where that is not allowed.
        """
        if zero and type(value) is int and value == 0:
            return Fraction(0)
        number = value if isinstance(value, Fraction) else self._number(value)
        if number < 0 or (number == 0 and not zero):
            low = "at least" if zero else "over"
            raise RuleError(f"must be {low} 0", f'write {self.noun} such as "{self.example}"')
        return number

    def show(self, number: Fraction) -> str:
        """The quantity in the largest unit of which it is at least 1, to 15 digits."""
        prefixes = [(unit, size) for unit, size in self.units.items() if "i" not in unit]
        unit, size = prefixes[0]
        for candidate in prefixes:
            if number >= candidate[1]:
                unit, size = candidate
        return f"{_plain(number / size)} {unit}"

    def respelled(self, number: object, unit: str, *, key: str = "") -> str | None:
        """What to write for a number with any unit; None if the unit is not of this kind.

        Parameters
        ----------
        number : object
            An integer, a :class:`~decimal.Decimal` or a text that writes one.
        unit : str
            A unit, of a contract or not.
        key : str
            The key that it is for, named in what to write.
        """
        exactly = _exactly(number)
        spelt = unit.translate(_MICRO).strip().rstrip(".")
        meanings = (Meaning(unit=spelt),) if spelt in self.units else self.foreign(spelt)
        if exactly is None or not meanings:
            return None
        before = f"{key} = " if key else ""
        choices = [
            f'{before}"{_plain(exactly * each.factor)} {each.unit}" {each.condition}'.rstrip()
            for each in meanings
        ]
        return f"write {', or '.join(choices)}"

    def _number(self, value: object) -> Fraction:
        return self._bare(value) if isinstance(value, Bare) else self._text(value)

    def _text(self, value: object) -> Fraction:
        rule = f'must be {self.noun} such as "{self.example}"'
        if not isinstance(value, str):
            raise RuleError(rule, self._quoted(value))
        match = _TEXT.fullmatch(value.strip())
        if match is None or match[2].translate(_MICRO) not in self.units:
            raise RuleError(rule, self._unit_way_out(value.strip()))
        number = exact(_decimal(match[1]))
        if number is None:
            raise RuleError(rule, _BEYOND)
        return number * self.units[match[2].translate(_MICRO)]

    @property
    def _known(self) -> str:
        return f"one of the units {', '.join(self.units)}"

    @property
    def _positive(self) -> str:
        return f'write {self.noun} without a sign, such as "{self.example}"'

    def _quoted(self, value: object) -> str:
        """The way out for a value that is not text."""
        if isinstance(value, int | Decimal) and not Decimal(value).is_nan() and value < 0:
            return self._positive
        respelled = self.respelled(value, self.usual)
        if respelled is None:
            finite = isinstance(value, int | Decimal) and Decimal(value).is_finite()
            beyond = finite and not isinstance(value, bool)
            return _BEYOND if beyond else f"write it in quotes with {self._known}"
        return f"{respelled}, in quotes, or another of the units {', '.join(self.units)}"

    def _unit_way_out(self, text: str) -> str:
        """The way out for a text that is not a number with a unit."""
        match = _LOOSE.fullmatch(text)
        if match is None:
            return f"write a finite number and {self._known}"
        # A comma divides thousands or begins a fraction: which of them is not ours to say.
        if "," in match[1]:
            return 'write it without commas: a fraction begins with a point, as in "1.5"'
        if match[1].startswith("-"):
            return self._positive
        number, unit = match[1].replace("_", ""), re.sub(" */ *", "/", match[2])
        if _exactly(number) is None:
            return _BEYOND
        if not unit:
            respelled = self.respelled(number, self.usual)
            return f"{respelled}, or another of the units {', '.join(self.units)}"
        return self.respelled(number, unit) or f"use {self._known}"

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
            raise RuleError(f"must be {_WRITTEN}, of {bare.unit}", f"correct it; {_WHY}")
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


def _exactly(value: object) -> Fraction | None:
    """The number that a value is or writes, if it is one that a contract may have."""
    if isinstance(value, str):
        return exact(_decimal(value))
    if isinstance(value, Decimal):
        return exact(value)
    return exact(Decimal(value)) if type(value) is int else None


def _plain(number: Fraction) -> str:
    """A number in digits, without an exponent, rounded to 15 of them."""
    with decimal.localcontext(prec=_SHOWN_DIGITS):
        rounded = Decimal(number.numerator) / Decimal(number.denominator)
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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


SIZE = Quantity(
    noun="a size", example="8 GiB", units=_powers("", "B"), usual="B", foreign=size_meanings
)
"""Sizes in bytes."""

RATE = Quantity(
    noun="a rate",
    example="120 GB/s",
    units=_powers("/s", "B"),
    usual="GB/s",
    foreign=rate_meanings,
)
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
    usual="us",
    foreign=duration_meanings,
)
"""Durations in seconds; the u of us may be either micro sign."""

FREQUENCY = Quantity(
    noun="a frequency",
    example="100 MHz",
    units={
        "Hz": Fraction(1),
        "kHz": Fraction(10**3),
        "MHz": Fraction(10**6),
        "GHz": Fraction(10**9),
    },
    usual="MHz",
    foreign=frequency_meanings,
)
"""Frequencies in hertz."""

POWER = Quantity(
    noun="a power",
    example="78 W",
    units={"mW": Fraction(1, 1000), "W": Fraction(1), "kW": Fraction(1000)},
    usual="W",
    foreign=power_meanings,
)
"""Power in watts."""
