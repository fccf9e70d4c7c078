"""Rounding to digits, in both directions."""

from fractions import Fraction

import pytest

from mcos_policy.rounding import rounded, rounded_down, rounded_up


@pytest.mark.parametrize(
    ("number", "digits", "down", "up"),
    [
        ("1234.5", 4, "1234", "1235"),
        ("1234", 4, "1234", "1234"),
        ("0.0123456", 3, "0.0123", "0.0124"),
        ("99.99", 2, "99", "100"),
        ("1000", 1, "1000", "1000"),
        ("0", 3, "0", "0"),
    ],
)
def test_rounding(number: str, digits: int, down: str, up: str) -> None:
    assert rounded_down(Fraction(number), digits) == Fraction(down)
    assert rounded_up(Fraction(number), digits) == Fraction(up)


def test_the_nearest() -> None:
    assert rounded(Fraction("1234.6")) == 1235
    assert rounded(Fraction("1234.4")) == 1234
    assert rounded(Fraction("0.0123456"), 2) == Fraction("0.012")
