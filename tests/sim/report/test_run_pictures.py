"""Pictures of a run."""

from xml.etree import ElementTree

import pytest

from mcos_sim.report.colours import VIOLATION, tenant_colour
from mcos_sim.report.run_pictures import histogram_picture, served_picture
from mcos_sim.report.served import Served
from tests.sim.report.run_sample import best_effort, idle, late, tenant
from tests.sim.report.test_pictures import texts

KHZ = 800_000


def drawn(*rows: dict, narrow: bool = False) -> str:
    return served_picture([Served.of(row) for row in rows], KHZ, narrow=narrow)


@pytest.mark.parametrize("narrow", [False, True])
def test_every_tenant_has_its_name_and_its_outcome(narrow: bool):
    found = texts(drawn(tenant("chat"), late(), best_effort(), idle(), narrow=narrow))
    for text in ("chat", "kept", "search", "17 late", "batch", "best effort", "docs"):
        assert found.count(text) == 1
    assert "no requests" in found


def test_the_axis_of_latency_is_logarithmic_only_for_large_differences_and_says_so():
    near = {"p50": 400, "p90": 500, "p99": 640, "p999": 900, "max": 960}
    found = texts(drawn(tenant("a", latency_clocks=near)))
    assert "latency, µs" in found
    assert found.count("0") == 2
    far = texts(drawn(tenant("a", latency_clocks=near | {"p50": 200})))
    assert "latency, µs, log axis" in far
    assert far.count("0") == 1  # of the bandwidth


@pytest.mark.parametrize(("most", "unit"), [(799, "ns"), (800, "µs"), (800_000, "ms")])
def test_the_unit_is_that_of_the_largest(most: int, unit: str):
    latency = {"p50": 100, "p90": 100, "p99": 100, "p999": 100, "max": most}
    row = tenant("a", latency_clocks=latency, slo_clocks=None, bound_clocks=None)
    assert any(text.startswith(f"latency, {unit}") for text in texts(drawn(row)))


def test_only_a_late_tenant_is_in_the_colour_of_violations():
    assert VIOLATION in drawn(late())
    assert VIOLATION not in drawn(tenant("a"))
    assert tenant_colour(0) in drawn(tenant("a"))


def test_what_a_backlogged_tenant_asked_for_does_not_stretch_the_axis():
    """It says how deep its window is."""
    row = tenant("a", asked_gbps=9_000.0)
    assert "8,000" in texts(drawn(row))
    assert "8,000" not in texts(drawn(row | {"traffic": "backlogged"}))


def test_names_are_whole_but_the_widest_on_a_phone():
    wide, long = "W" * 32, "a-tenant-of-thirty-two-letters-x"
    assert {wide, long} <= set(texts(drawn(tenant(wide), tenant(long))))
    found = texts(drawn(tenant(wide), tenant(long), narrow=True))
    assert long in found
    assert any(text.startswith("W" * 20) and text.endswith("…") for text in found)
    assert "$a_b$ <i>&" in texts(drawn(tenant("$a_b$ <i>&")))


def test_a_histogram_marks_what_is_late():
    one = Served.of(late())
    svg = histogram_picture(one, KHZ, place=1, limits=(200, 5_000))
    assert VIOLATION in svg
    assert tenant_colour(1) in svg
    assert {"0", "9,000", "1 µs"} <= set(texts(svg))
    svg = histogram_picture(Served.of(tenant("a")), KHZ, place=1, limits=(200, 5_000))
    assert VIOLATION not in svg


def test_a_histogram_needs_counts():
    with pytest.raises(ValueError, match="tenant must have a histogram, 'docs' has none"):
        histogram_picture(Served.of(idle()), KHZ, place=0, limits=(1, 2))


def test_the_drawing_is_well_formed():
    ElementTree.fromstring(drawn(tenant("a")))
