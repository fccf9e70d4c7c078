"""One difference, in words and units."""

import dataclasses
from fractions import Fraction
from typing import Any

from mcos_policy.units import Quantity

__all__ = [
    "Change",
    "relative",
    "shown_pair",
]


_DIGITS = 6
_MOST_PERCENT = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """A value that two contracts or two images have differently.

    Parameters
    ----------
    subject : str
        What has it: a table of the file, or a tenant.
    key : str
        What it is.
    before, after : str
        The values with their units.
    by : float or None
        The difference as part of the value before; None where that says nothing.
    """

    subject: str
    key: str
    before: str
    after: str
    by: float | None = None

    @property
    def words(self) -> str:
        """The relation of the two values: a percentage, or a factor where that is large."""
        if self.by is None:
            return ""
        if 100 * self.by >= _MOST_PERCENT:
            return f"x {1 + self.by:.4g}"
        return f"{100 * self.by:+.3g} %"

    def as_mapping(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return dataclasses.asdict(self)


def relative(before: Fraction | None, after: Fraction | None) -> float | None:
    """The difference of two values as part of the first; None where one of them is none or 0."""
    if not before or not after:
        return None
    return float(after / before - 1)


def shown_pair(quantity: Quantity, before: Fraction, after: Fraction) -> tuple[str, str]:
    """Two values in their units, to as many digits as it takes to see that they differ."""
    told = quantity.show(_rounded(before)), quantity.show(_rounded(after))
    if told[0] == told[1] and before != after:
        return quantity.show(before), quantity.show(after)
    return told


def _rounded(number: Fraction) -> Fraction:
    return Fraction(f"{float(number):.{_DIGITS}g}")
