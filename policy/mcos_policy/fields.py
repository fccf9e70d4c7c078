"""Validators of values in a TOML file; each refuses with the rule and the way out."""

from pydantic import PlainValidator

from mcos_policy.diagnostics import RuleError
from mcos_policy.units import SIZE, Quantity

__all__ = [
    "integer",
    "quantity",
    "switch",
    "whole_bytes",
]


def quantity(kind: Quantity, *, zero: bool = False) -> PlainValidator:
    """A quantity with its unit, over 0, or at least 0 with ``zero``."""
    return PlainValidator(lambda value: kind.parse(value, zero=zero))


def whole_bytes(value: object) -> int:
    """A size in whole bytes.

    Raises
    ------
    RuleError
        If it is none.
    """
    size = SIZE.parse(value)
    if size.denominator != 1:
        raise RuleError("must be a whole number of bytes", "round it")
    return int(size)


def integer(low: int, high: int | None = None) -> PlainValidator:
    """An integer of at least ``low``, and at most ``high`` if that is given."""
    rule = f"must be an integer of at least {low}"
    if high is not None:
        rule = f"must be an integer in {low}..{high}"

    def parse(value: object) -> int:
        if type(value) is not int or value < low or (high is not None and value > high):
            raise RuleError(rule, "write a whole number without quotes")
        return value

    return PlainValidator(parse)


def switch(value: object) -> bool:
    """True or false.

    Raises
    ------
    RuleError
        If it is neither.
    """
    if type(value) is not bool:
        raise RuleError("must be true or false", "write one of them without quotes")
    return value
