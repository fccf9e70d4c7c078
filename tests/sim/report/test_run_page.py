"""The report of a run: answered on the first screen, whole, alone and the same every time."""

import json
from pathlib import Path

import pytest

from mcos_sim.report.answer import answer
from mcos_sim.report.run_page import write_run
from tests.sim.report.browser import (
    needs_browser,
    opened,
    require_fits,
    require_on_first_screen,
    require_whole_tables,
)
from tests.sim.report.run_sample import best_effort, found, idle, late, tenant
from tests.sim.report.test_page import CONTRACT, FILES, Reader

LONG = "a-tenant-of-thirty-two-letters-x"
WIDEST = "W" * 32

RUNS = {
    "four": found(),
    "one": found(tenant("chat")),
    "sixteen": found(
        *(tenant(f"service-{place}") for place in range(11)),
        *(late(f"shard-{place}") for place in range(3)),
        best_effort(LONG),
        idle("docs"),
    ),
    "without objectives": found(best_effort("a"), tenant("b", slo_clocks=None, verdict=None)),
    "idle": found(idle("a"), idle("b", best_effort=True, slo_clocks=None, guaranteed_gbps=0.0)),
    "unanswered": found(
        tenant("a", latency_clocks=None, worst=None, latency_histogram=None), tenant("b")
    ),
    "long names": found(tenant(WIDEST), late(LONG), idle(WIDEST[:31] + "X")),
}


def written(path: Path, run: dict, contract: str = CONTRACT) -> str:
    write_run(run, contract, FILES, path, command="mcos run x.toml")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=RUNS)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """The page of each run, and the run."""
    path = tmp_path_factory.mktemp("run") / "report.html"
    written(path, RUNS[request.param])
    return path, RUNS[request.param]


def test_it_needs_nothing_else_and_is_the_same_from_json(page, tmp_path: Path):
    text, run = page[0].read_text(encoding="utf-8"), page[1]
    reader = Reader(text)

    assert reader.tags.isdisjoint({"script", "link", "iframe", "img", "object", "embed", "base"})
    assert reader.handlers == []
    assert text.count("url(") == text.count("url(#")
    assert {target[0] for target in reader.targets} <= {"#"}
    assert len(set(reader.ids)) == len(reader.ids)
    references = {part.split(")")[0] for part in text.split("url(#")[1:]}
    assert references | {target[1:] for target in reader.targets} <= set(reader.ids)
    assert written(tmp_path / "b.html", json.loads(json.dumps(run))) == text


def test_the_answer_comes_first_then_every_tenant_and_figure(tmp_path: Path):
    text = written(tmp_path / "report.html", found())
    shown = [line.replace("\u00a0", " ") for line in Reader(text).shown]

    assert shown[1:3] == ["mine.toml: 100,000 clocks (125 µs) under MCOS", answer(found())]
    order = [text.index(part) for part in ('class="lead"', "<svg", "<h2>Latency", "<h2>Contract")]
    assert order == sorted(order)
    # Of search: p50, p99, slowest, wait in its own queue, rest of a latency, and what is promised.
    row = shown[shown.index("20,000") - 4 :]
    assert row[:11] == [
        *("search", "17 late, 17 by own queue", "2 µs", "holds", "20,000"),
        *("500 ns", "1.88 µs", "5.1 µs", "1.25 µs", "1.12 µs", "1.4 µs"),
    ]
    for figure in ("180 GB/s", "131 GB/s", "100 GB/s", "32 %", "backlogged, 512 B requests"):
        assert figure in shown
    for figure in ("own queue: 4.2 µs", "fabric: 750 ns", "memory: 150 ns", "request 19,003"):
        assert figure in shown
    for name in ("chat", "search", "batch"):
        assert f"Requests of {name} by latency" in shown
    assert "Requests of docs by latency" not in shown


def test_it_shows_contract_settings_files_and_how_to_repeat_it(tmp_path: Path):
    shown = Reader(written(tmp_path / "report.html", found())).shown

    assert shown[shown.index("port_credit_bytes") + 1] == "9216"
    assert "build/demo/window.vcd" in shown
    assert "mcos run x.toml" in shown
    assert any("one of 8 channels" in line for line in shown)
    assert any("the one channel" in line for line in Reader(one_channel(tmp_path)).shown)


def test_it_shows_each_channel_and_whose_it_is(tmp_path: Path):
    several = found(channels_run=2, channel_utilisation=[0.97, 0.5])
    for row in several["tenants"]:
        row["channel_shares"] = [0.0, 0.0]
    several["tenants"][1]["channel_shares"] = [0.97, 0.5]
    name = several["tenants"][1]["name"]
    text = written(tmp_path / "report.html", several)
    shown = [line.replace("\u00a0", " ") for line in Reader(text).shown]
    place = shown.index("Channels")
    assert "channel 0" in shown[place:]
    assert f"channel 1: {name}: 50 %" in text.replace("\u00a0", " ") or f"{name}: 50" in text
    assert "width: 97.0%" in text
    assert "width: 50.0%" in text
    assert "<h2>Channels" not in written(tmp_path / "one.html", found())


def one_channel(folder: Path) -> str:
    return written(folder / "one.html", found(channels=1))


def test_names_and_contract_are_text(tmp_path: Path):
    attack = '"><script>alert(1)</script>'
    rows = [tenant(attack, traffic=attack), late(attack)]
    text = written(tmp_path / "report.html", found(*rows, contract={"name": attack}), attack)

    assert "<script" not in text
    assert Reader(text).shown.count(attack) >= 5


@needs_browser
@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_it_fits_every_screen_and_opens_with_the_answer(page, browser, screen: str):
    path, run = page
    with opened(browser, path, screen) as view:
        # The picture of sixteen tenants is longer than what is left of a phone.
        whole = screen == "desktop" or len(run["tenants"]) <= 4
        require_on_first_screen(view, ".lead", *(["header figure svg"] if whole else []))
        picture = view.locator("header figure svg").locator("visible=true").first
        assert picture.bounding_box()["y"] < 500
        require_fits(view)
        require_whole_tables(view)


@needs_browser
@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_no_name_is_torn(browser, screen: str, tmp_path: Path):
    """Neither in the answer nor in a table: every name of 32 letters is one line high."""
    path = tmp_path / "report.html"
    names = (LONG, "tenant-with-name-of-32-letters01", "chat")
    written(path, found(*map(late, names)))
    with opened(browser, path, screen) as tab:
        words = tab.locator(".lead .whole, tbody th .name")
        assert words.count() > 4
        torn = words.evaluate_all(
            "all => all.filter(each => each.getBoundingClientRect().height >"
            " 1.7 * parseFloat(getComputedStyle(each).fontSize)).map(each => each.textContent)"
        )
    assert torn == []
