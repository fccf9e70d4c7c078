"""Axes that say what they are, and text that fits."""

import pytest
from matplotlib.figure import Figure

from mcos_sim.report.drawing import (
    LEAST_TEXT,
    Picture,
    axis_from_zero,
    fitted,
    honest_axis,
    svg,
    text_width,
)


def axes():
    return Figure().subplots()


def test_an_axis_from_zero_begins_there_and_has_no_tick_beyond_what_is_shown():
    one = axes()
    one.set_xlim(30, 150)
    axis_from_zero(one, last=100)
    assert one.get_xlim() == (0, 150)
    ticks = list(one.get_xticks())
    assert ticks[0] == 0
    assert ticks[-1] == 100


@pytest.mark.parametrize(("most", "scale"), [(7.9, "linear"), (8, "log")])
def test_an_axis_is_logarithmic_where_values_differ_eight_times(most: float, scale: str):
    one = axes()
    honest_axis(one, [1, most], "latency", narrow=False)
    assert one.get_xscale() == scale
    assert one.get_xlabel() == ("latency, log axis" if scale == "log" else "latency")
    first, last = one.get_xlim()
    assert first < 1
    assert last > most
    assert (first == 0) == (scale == "linear")


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("most", [8, 60, 499, 500, 1e6])
@pytest.mark.parametrize("least", [0.101, 0.16, 0.3, 0.77])
def test_a_logarithmic_axis_has_two_ticks_at_least(least: float, most: float, narrow: bool):
    one = axes()
    honest_axis(one, [least, least * most], "latency", narrow=narrow)
    first, last = one.get_xlim()
    assert sum(first <= tick <= last for tick in one.get_xticks()) >= 2


def test_an_axis_of_nothing_is_drawn():
    honest_axis(axes(), [], "latency", narrow=True)


def test_text_that_fits_stays_as_it_is():
    wide = text_width("decode-a", 14)
    assert fitted("decode-a", 14, wide) == ("decode-a", 14)


def test_text_that_is_too_wide_shrinks_and_is_cut_only_where_that_is_not_enough():
    name = "a-tenant-of-thirty-two-letters-x"
    wide = text_width(name, 14)
    text, size = fitted(name, 14, wide * 0.9)
    assert text == name
    assert text_width(text, size) == pytest.approx(wide * 0.9, rel=0.01)
    assert LEAST_TEXT < size < 14

    text, size = fitted(name, 14, wide * 0.4)
    assert size == LEAST_TEXT
    assert text.endswith("…")
    assert text_width(text, size) <= wide * 0.4
    assert name.startswith(text[:-1])


def test_bold_text_is_wider():
    assert text_width("decode-a", 14, bold=True) > text_width("decode-a", 14)


def test_two_pictures_of_a_page_share_no_identifier():
    text = svg("one", (100, 50), lambda figure: figure.subplots().plot([1, 2]))
    versions = [Picture.of(name, "<what>", every=text).versions[0][1] for name in ("a", "b")]
    assert 'id="a-every-' in versions[0]
    assert 'id="a-every-' not in versions[1]
    assert 'aria-label="&lt;what&gt;"' in versions[0]
    assert "max-width: 100px" in versions[0]
