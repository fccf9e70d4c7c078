"""Amounts as sentences write them."""

import pytest

from mcos_sim.report.amounts import bandwidth, duration, enumerated, percent, rounded, span

KHZ = 800_000
"""800 clocks are a microsecond."""


@pytest.mark.parametrize(
    ("clocks", "digits", "text"),
    [
        (0, 3, "0 ns"),
        (1, 3, "1.25 ns"),
        (798, 3, "998 ns"),
        (799.7, 3, "1 µs"),  # 999.6 ns, to three digits
        (800, 3, "1 µs"),
        (1_351, 2, "1.7 µs"),
        (24_895, 2, "31 µs"),
        (100_000, 2, "125 µs"),
        (799_900, 3, "1 ms"),
        (800_000_000, 3, "1 s"),
        (800_000_000 * 5_000, 3, "5,000 s"),
    ],
)
def test_duration(clocks, digits, text):
    assert duration(clocks, KHZ, digits=digits) == text


@pytest.mark.parametrize(
    ("clocks", "text"),
    [
        ((24_895, 24_960), "31 µs"),
        ((41_432, 51_032, 40_462), "51 to 64 µs"),
        ((400, 1_600), "500 ns to 2 µs"),
    ],
)
def test_a_span_says_its_unit_once_where_both_ends_have_it(clocks, text):
    assert span(clocks, KHZ) == text


def test_numbers_have_few_digits_and_no_powers():
    assert [rounded(value) for value in (0, 0.00425, 1.0188, 999.6, 12_345)] == [
        *("0", "0.00425", "1.02", "1,000", "12,300"),
    ]
    assert (bandwidth(180), bandwidth(40.96)) == ("180 GB/s", "40.96 GB/s")
    assert [percent(part) for part in (1, 1.0721, 0.996, 0.0042)] == [
        *("100 %", "107 %", "99.6 %", "0.42 %"),
    ]


def test_items_are_joined():
    assert enumerated(["a"]) == "a"
    assert enumerated(["a", "b", "c"]) == "a, b and c"
    assert enumerated(["a", "b"], "or") == "a or b"
