"""Kinds of values in tables: how each is read from plain values, and how it is written."""

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from mcos_policy.diagnostics import RuleError
from mcos_policy.units import SIZE, Quantity, exact

__all__ = [
    "Kind",
    "array_of",
    "choice",
    "integer",
    "number",
    "quantity",
    "size",
    "switch",
    "table_of",
    "text",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of values.

    Parameters
    ----------
    noun : str
        What a table of keys in the docs calls it.
    parse : Callable[[object], Any]
        The value that a plain value stands for. It raises :class:`RuleError` if there is none.
    write : Callable[[Any], str]
        The value as people read it.
    quantity : Quantity or None
        The quantity that it is, if it has a unit.
    scale : int
        Base units of the quantity in one of an integer's.
    relative : bool
        Whether a change of the value is also told as a ratio.
    table : type[Table] or None
        Model of the table, for a value that is one.
    several : bool
        Whether the value is an array of such tables.
    """

    noun: str
    parse: Callable[[object], Any]
    write: Callable[[Any], str] = str
    quantity: Quantity | None = None
    scale: int = 1
    relative: bool = False
    table: Any = None
    several: bool = False


def _parsed_by_its_keys(value: object) -> object:
    return value


def table_of(model: type, *, write: Callable[[Any], str] = str) -> Kind:
    """A table; its model has the keys."""
    return Kind(noun="table", parse=_parsed_by_its_keys, write=write, table=model)


def array_of(model: type) -> Kind:
    """An array of at least one such table."""
    return Kind(noun="array of tables", parse=_parsed_by_its_keys, table=model, several=True)


def quantity(kind: Quantity, *, zero: bool = False) -> Kind:
    """A quantity with its unit, over 0, or at least 0 with ``zero``; exact, in its base unit."""
    return Kind(
        noun=kind.noun.split()[-1],
        parse=lambda value: kind.parse(value, zero=zero),
        write=kind.show,
        quantity=kind,
        relative=True,
    )


def size(*, power: bool = False) -> Kind:
    """A size in whole bytes; with ``power`` a power of two."""

    def parse(value: object) -> int:
        found = SIZE.parse(value)
        if found.denominator != 1:
            raise RuleError("must be a whole number of bytes", "round it")
        count = int(found)
        if power and count & (count - 1):
            raise RuleError("must be a power of two", 'write a size such as "4 KiB"')
        return count

    def write(value: int) -> str:
        return SIZE.show(Fraction(value))

    return Kind(noun="size", parse=parse, write=write, quantity=SIZE, relative=True)


def integer(
    low: int,
    high: int | None = None,
    *,
    relative: bool = False,
    write: Callable[[Any], str] = str,
) -> Kind:
    """An integer of at least ``low``, and at most ``high`` if that is given."""
    rule = f"must be an integer of at least {low}"
    if high is not None:
        rule = f"must be an integer in {low}..{high}"

    def parse(value: object) -> int:
        if type(value) is not int or value < low or (high is not None and value > high):
            raise RuleError(rule, "write a whole number without quotes")
        return value

    return Kind(noun="integer", parse=parse, write=write, relative=relative)


def number(low: int, high: int, *, rule: str = "") -> Kind:
    """An exact number in ``low..high``.

    Parameters
    ----------
    low, high : int
        The limits.
    rule : str
        What is said to follow "must be a number in low..high".
    """

    def parse(value: object) -> Fraction:
        found = None
        if isinstance(value, Fraction):
            found = value
        elif isinstance(value, int | Decimal) and not isinstance(value, bool):
            found = exact(Decimal(value))
        if found is None or not low <= found <= high:
            raise RuleError(f"must be a number in {low}..{high}{rule}", "write it without quotes")
        return found

    def write(value: Fraction) -> str:
        return f"{float(value):g}"

    return Kind(noun="number", parse=parse, write=write, relative=True)


def switch() -> Kind:
    """True or false."""

    def parse(value: object) -> bool:
        if type(value) is not bool:
            raise RuleError("must be true or false", "write one of them without quotes")
        return value

    def write(value: bool) -> str:
        return str(value).lower()

    return Kind(noun="switch", parse=parse, write=write)


def choice(*options: str) -> Kind:
    """One of some words."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in options:
            shown = " or ".join(f'"{each}"' for each in options)
            raise RuleError(f"must be {shown}", "choose one of them")
        return value

    return Kind(noun=" or ".join(f'`"{each}"`' for each in options), parse=parse)


def text(
    parse: Callable[[object], Any], *, noun: str = "text", write: Callable[[Any], str] = str
) -> Kind:
    """A value with a rule of its own."""
    return Kind(noun=noun, parse=parse, write=write)
