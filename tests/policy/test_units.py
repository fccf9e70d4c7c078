"""Quantities: exact, with their units, or refused."""

import re
from decimal import Decimal
from fractions import Fraction

import pytest

from mcos_policy.diagnostics import RuleError
from mcos_policy.units import DURATION, RATE, SIZE, Bare, Quantity


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (RATE, "120 GB/s", Fraction(120 * 10**9)),
        (RATE, "102.4GB/s", Fraction(102_400_000_000)),
        (RATE, " 1 GiB/s ", Fraction(2**30)),
        (RATE, "1e3 kB/s", Fraction(10**6)),
        (RATE, Bare(value=120, unit="GB/s"), Fraction(120 * 10**9)),
        (RATE, Bare(value=Decimal("0.1"), unit="GB/s"), Fraction(10**8)),
        (DURATION, "2 ms", Fraction(1, 500)),
        (DURATION, "0.1 ns", Fraction(1, 10**10)),
        (DURATION, Bare(value=25, unit="us"), Fraction(25, 10**6)),
        (DURATION, "20 \N{MICRO SIGN}s", Fraction(20, 10**6)),
        (DURATION, "20 \N{GREEK SMALL LETTER MU}s", Fraction(20, 10**6)),
        (RATE, "9" * 24 + " B/s", Fraction(10**24 - 1)),
        (RATE, "1e40 B/s", Fraction(10**40)),
        (RATE, Bare(value=Decimal("1e-40"), unit="GB/s"), Fraction(10**9, 10**40)),
        (SIZE, "8 GiB", Fraction(8 * 2**30)),
        (SIZE, "14 KiB", Fraction(14336)),
    ],
)
def test_parse(kind: Quantity, value: object, expected: Fraction) -> None:
    assert kind.parse(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "120",
        "GB/s",
        "120 Gb/s",
        "120 GBps",
        "120 ms",
        "nan GB/s",
        "inf GB/s",
        "1e999 GB/s",
        "1_0 GB/s",
        "0x10 GB/s",
        "1 GB/s 2",
        "\N{ARABIC-INDIC DIGIT ONE} GB/s",
        "9" * 25 + " GB/s",
        120,
        120.0,
        True,
        None,
        ["1 GB/s"],
        "0 GB/s",
        "-1 GB/s",
        Bare(value="120", unit="GB/s"),
        Bare(value=True, unit="GB/s"),
        Bare(value=0, unit="GB/s"),
        Bare(value=-1, unit="GB/s"),
        Bare(value=10**40, unit="GB/s"),
        Bare(value=Decimal("nan"), unit="GB/s"),
        Bare(value=Decimal("-inf"), unit="GB/s"),
        Bare(value=Decimal("1e999999999"), unit="GB/s"),
        Bare(value=Decimal("1e-999999999"), unit="GB/s"),
    ],
)
def test_refused(value: object) -> None:
    with pytest.raises(RuleError, match=r"^must be "):
        RATE.parse(value)


@pytest.mark.parametrize(
    ("value", "way_out"),
    [
        ("9" * 26 + " B/s", "write a number of at most 24 digits in 1e-40..1e40"),
        ("1e41 B/s", "write a number of at most 24 digits in 1e-40..1e40"),
        ("1e-300 GB/s", "write a number of at most 24 digits in 1e-40..1e40"),
        ("1e99999999999999999999 GB/s", "write a number of at most 24 digits in 1e-40..1e40"),
        ("1e-300", "write a number of at most 24 digits in 1e-40..1e40; numbers are kept exactly"),
        (Decimal("1e-300"), "write a number of at most 24 digits in 1e-40..1e40"),
        ("100 GB / s", 'write "100 GB/s"'),
        ("100 Gb / s", 'write "12.5 GB/s" if bits are meant'),
        ("1,5 GB/s", 'write it without commas: a fraction begins with a point, as in "1.5"'),
        ("1,000 GB/s", "write it without commas"),
        (-5, 'write a rate without a sign, such as "120 GB/s"'),
        ("-5", 'write a rate without a sign, such as "120 GB/s"'),
        ("-5 GBs", 'write a rate without a sign, such as "120 GB/s"'),
        ("nan GB/s", "write a finite number and one of the units "),
        ("1 \N{MICRO SIGN}B/s", "use one of the units "),
        (
            Bare(value=Decimal("nan"), unit="GB/s"),
            "write it without quotes, or use the key without",
        ),
    ],
)
def test_the_way_out(value: object, way_out: str) -> None:
    with pytest.raises(RuleError) as caught:
        RATE.parse(value)
    assert caught.value.way_out.startswith(way_out)


def test_a_bare_number_beyond_reason() -> None:
    for value in (10**26 + 1, Decimal("1e-300"), Decimal("1e41"), Decimal("1." + "3" * 100_000)):
        with pytest.raises(RuleError) as caught:
            RATE.parse(Bare(value=value, unit="GB/s"))
        assert caught.value.rule == (
            "must be a number of at most 24 digits in 1e-40..1e40, of GB/s"
        )


def test_zero_where_allowed() -> None:
    assert DURATION.parse("0 ms", zero=True) == 0
    with pytest.raises(RuleError, match=r"^must be over 0$"):
        DURATION.parse("0 ms")
    with pytest.raises(RuleError, match=r"^must be at least 0$"):
        DURATION.parse("-1 ms", zero=True)


@pytest.mark.parametrize(
    ("kind", "number", "text"),
    [
        (RATE, Fraction(348_160_000_000), "348.16 GB/s"),
        (RATE, Fraction(348_160_000_001), "348.160000001 GB/s"),
        (RATE, Fraction(999), "999 B/s"),
        (RATE, Fraction(10**15), "1000 TB/s"),
        (DURATION, Fraction(5, 4 * 10**9), "1.25 ns"),
        (DURATION, Fraction(1, 100), "10 ms"),
        (DURATION, Fraction(0), "0 ps"),
        (SIZE, Fraction(14336), "14.336 kB"),
    ],
)
def test_show(kind: Quantity, number: Fraction, text: str) -> None:
    assert kind.show(number) == text


BITS = "if bits are meant, eight to a byte"
BYTES = "if bytes are meant"


@pytest.mark.parametrize(
    ("kind", "value", "way_out"),
    [
        (RATE, "40 GBps", 'write "40 GB/s"'),
        (RATE, "40 GB/sec", 'write "40 GB/s"'),
        (RATE, "40 GB per second", 'write "40 GB/s"'),
        (RATE, "40 GBs", 'write "40 GB/s"'),
        (RATE, "40 GB", 'write "40 GB/s"'),
        (RATE, "40 G", 'write "40 GB/s"'),
        (RATE, "40 gB/s", 'write "40 GB/s"'),
        (RATE, "40 KB/s", 'write "40 kB/s"'),
        (RATE, "40 GIB/S", 'write "40 GiB/s"'),
        (RATE, "40 gib/s", 'write "40 GiB/s"'),
        (RATE, "40 Gbps", f'write "5 GB/s" {BITS}, or "40 GB/s" {BYTES}'),
        (RATE, "1 Gb/s", f'write "0.125 GB/s" {BITS}, or "1 GB/s" {BYTES}'),
        (RATE, "40 Gbit/s", f'write "5 GB/s" {BITS}, or "40 GB/s" {BYTES}'),
        (RATE, "40 gigs", f"use one of the units {', '.join(RATE.units)}"),
        (RATE, "40 gbps", f'write "40 GB/s" {BYTES}, or "5 GB/s" {BITS}'),
        (RATE, "40 gb/s", f'write "40 GB/s" {BYTES}, or "5 GB/s" {BITS}'),
        (RATE, "40 b/s", f'write "40 B/s" {BYTES}, or "5 B/s" {BITS}'),
        (RATE, "40 us", f"use one of the units {', '.join(RATE.units)}"),
        (RATE, "40 GB/s/s", f"use one of the units {', '.join(RATE.units)}"),
        (RATE, "1_000 GB/s", 'write "1000 GB/s"'),
        (RATE, ".5 GB/s", 'write "0.5 GB/s"'),
        (RATE, "40", f'write "40 GB/s", or another of the units {", ".join(RATE.units)}'),
        (RATE, 40, f'write "40 GB/s", in quotes, or another of the units {", ".join(RATE.units)}'),
        (SIZE, "8 gb", 'write "8 GB"'),
        (SIZE, "8 Gb", f'write "1 GB" {BITS}, or "8 GB" {BYTES}'),
        (SIZE, "8 Ki", 'write "8 KiB"'),
        (SIZE, "8 iB", f"use one of the units {', '.join(SIZE.units)}"),
        (SIZE, "9216 bytes", 'write "9216 B"'),
        (SIZE, 4096, f'write "4096 B", in quotes, or another of the units {", ".join(SIZE.units)}'),
        (DURATION, "2 sec", 'write "2 s"'),
        (DURATION, "2 msec", 'write "2 ms"'),
        (DURATION, "2 MS", 'write "2 ms"'),
        (DURATION, "2 milliseconds", 'write "2 ms"'),
        (DURATION, "2 \N{MICRO SIGN}sec", 'write "2 us"'),
        (DURATION, "2 microseconds", 'write "2 us"'),
        (DURATION, "2 nsec", 'write "2 ns"'),
        (DURATION, "1.5 min", 'write "90 s"'),
        (DURATION, "2 h", 'write "7200 s"'),
        (DURATION, "2 us.", 'write "2 us"'),
        (DURATION, "2 m", "use one of the units ps, ns, us, ms, s"),
        (DURATION, "2 clocks", "use one of the units ps, ns, us, ms, s"),
    ],
)
def test_units_of_others(kind: Quantity, value: object, way_out: str) -> None:
    with pytest.raises(RuleError) as caught:
        kind.parse(value)
    assert caught.value.way_out == way_out
    for quoted in re.findall('"(.*?)"', way_out):
        kind.parse(quoted)


def test_zero_needs_no_unit_where_it_is_allowed() -> None:
    assert DURATION.parse(0, zero=True) == 0
    for value, zero in ((0, False), (False, True), ("0", True), (1, True)):
        with pytest.raises(RuleError):
            DURATION.parse(value, zero=zero)
