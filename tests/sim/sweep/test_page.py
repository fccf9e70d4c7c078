"""The page of a sweep, and what it says first."""

import dataclasses
import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcos_sim.engines.dispatch import Engine
from mcos_sim.memory.name import MemoryName
from mcos_sim.sweep.findings import findings, middles
from mcos_sim.sweep.grid import Contender, Grid, Workload
from mcos_sim.sweep.page import write_page
from tests.sim.report.browser import needs_browser, opened, require_fits, require_on_first_screen

ALONE = {"decode-a": 1_000, "decode-b": 2_000}
SLOWDOWN = {
    "alone": {16: 1, 32: 1, 1200: 1},
    "fcfs": {16: 10, 32: 10, 1200: 20},
    "mcos": {16: 1.02, 32: 1.02, 1200: 1.04},
}
"""p99 over alone, by arbiter and prefill window."""


def grid(**values: Any) -> Grid:
    """A grid of one point, of which some axes have other values."""
    one: dict[str, Any] = {
        "contract": ["mine.toml"],
        "workload": [Workload.LOADED],
        "arbiter": [Contender.ALONE, Contender.FCFS, Contender.MCOS],
        "engine": [Engine.REFERENCE],
        "memory": [MemoryName.SIMPLE],
        "channels": [1],
        "ports": [None],
        "seed": [1, 2],
        "clocks": [20_000],
        "prefill_window": [16],
        "decoder_window": [16],
        "prefill_beats": [None],
        "decoder_beats": [None],
        "credit": [1],
        "pacer": [True],
    }
    return Grid(values=one | values)


def table(of: Grid, slowdown: Callable[[Any], float] | None = None) -> list[dict[str, Any]]:
    """The rows of a grid."""

    def times(point: Any) -> float:
        return SLOWDOWN[point.arbiter][point.prefill_window]

    rows = []
    for point in of:
        for name, clocks in ALONE.items():
            late = int(clocks * (slowdown or times)(point))
            rows.append(row(point, name, p99_clocks=late, share=0.23))
        if point.arbiter != Contender.ALONE:
            rows.append(row(point, "prefill", p99_clocks=None, share=0.3))
    return rows


def row(point: Any, tenant: str, **found: Any) -> dict[str, Any]:
    return {**dataclasses.asdict(point), "tenant": tenant, **found}


WINDOWS = grid(prefill_window=[16, 1200])


def test_the_sentence_says_what_each_arbiter_does_and_where_mcos_is_worst():
    said = findings(WINDOWS, table(WINDOWS))
    assert said == (
        "Against alone, the decoders' slowest steps (p99) take 1.02 to 1.04 times as long under "
        "MCOS and 10 to 20 under FCFS. MCOS is at its worst, 1.04 times, with prefill window 1200."
    )


def test_the_sentence_is_true_of_other_sweeps():
    seeds = grid()
    assert findings(seeds, table(seeds)).endswith(
        "1.02 times as long under MCOS and 10 under FCFS."
    )

    without = grid(arbiter=[Contender.FCFS, Contender.MCOS])
    assert findings(without, table(without)) == (
        "The decoders' slowest steps (p99) take 1,020 to 2,040 clocks under MCOS and 10,000 to "
        "20,000 clocks under FCFS."
    )
    only = grid(arbiter=[Contender.ALONE])
    assert findings(only, table(only)).endswith("(p99) take 1,000 to 2,000 clocks alone.")

    short = [found | {"p99_clocks": None} for found in table(seeds)]
    assert findings(seeds, short) == "No decoder ended a step at any point; give more clocks."

    missing = [found for found in table(seeds) if found["seed"] == 1 or found["arbiter"] != "mcos"]
    assert findings(seeds, missing).endswith(" 1 of 6 points are missing.")


def test_mcos_slower_than_fcfs_is_said_as_it_is():
    seeds = grid()
    rows = table(seeds, lambda point: {"alone": 1, "fcfs": 1.5, "mcos": 3}[point.arbiter])
    assert "take 3 times as long under MCOS and 1.5 under FCFS." in findings(seeds, rows)


def test_a_ratio_is_to_the_same_point_alone():
    """Alone with another seed, or of another tenant, is no measure."""
    seeds = grid()
    rows = table(
        seeds, lambda point: point.seed * {"alone": 1, "fcfs": 9, "mcos": 2}[point.arbiter]
    )
    assert "take 2 times as long under MCOS and 9 under FCFS." in findings(seeds, rows)


def test_all_points_together():
    found = middles(table(grid()))
    assert found[0] == {
        "arbiter": "alone",
        "tenant": "decode-a",
        "median": 1_000,
        "least": 1_000,
        "largest": 1_000,
        "share": 0.23,
    }
    assert [each["median"] for each in found if each["tenant"] == "prefill"] == [None, None]


def test_axes_say_what_they_are(tmp_path: Path):
    def written(of: Grid, slowdown: Callable[[Any], float] | None = None) -> str:
        write_page(tmp_path / "p.html", of, table(of, slowdown))
        return (tmp_path / "p.html").read_text(encoding="utf-8").split("</script>", 1)[1]

    wide = written(WINDOWS)
    assert "prefill window, log axis" in wide
    assert "p99 of steps, clocks, log axis" in wide
    near = written(grid(prefill_window=[16, 32]), lambda _: 1.5)
    assert "log axis" not in near
    assert '"range":[0,' in near
    words = written(grid(workload=list(Workload)), lambda _: 1.5)
    assert '"type":"category"' in words
    assert "lines+markers" not in words
    files = written(grid(contract=["/long/way/a.toml", "/long/way/b.toml"]))
    assert '"x":["a","b"]' in files
    files = written(grid(contract=["/one/a.toml", "/other/a.toml"]))
    assert "/other/a.toml" in files


def test_the_page_is_the_same_for_the_same_table_and_escapes_names(tmp_path: Path):
    of = grid(contract=["<b>mine</b>.toml"])
    rows = [found | {"tenant": f"<i>{found['tenant']}"} for found in table(of)]
    for name in ("a.html", "b.html"):
        write_page(tmp_path / name, of, rows)
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.html").read_text(encoding="utf-8")
    assert "<i>decode-a" not in text
    assert "<i>decode-a" in html.unescape(text)
    assert "<b>mine" not in text


@needs_browser
@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_it_fits_every_screen_and_opens_with_the_sentence(tmp_path: Path, browser, screen: str):
    write_page(tmp_path / "p.html", WINDOWS, table(WINDOWS))
    with opened(browser, tmp_path / "p.html", screen) as view:
        view.wait_for_selector(".main-svg")
        require_on_first_screen(view, ".lead", ".js-plotly-plot .main-svg")
        require_fits(view)
        plots = view.locator(".js-plotly-plot").count()
        assert plots == 2 + 3  # p99 of the decoders, share of all
