"""The report's page: whole, alone, safe and the same every time."""

import html
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mcos_sim.report import page
from mcos_sim.report.headline import headline
from tests.sim.report.browser import (
    needs_browser,
    opened,
    require_fits,
    require_on_first_screen,
    require_whole_tables,
)
from tests.sim.report.sample import result

CONTRACT = '[[tenant]]\nname = "prefill"  # <b>bold</b> & "quoted"\n'
FILES = {"result": "build/demo/result.json", "waveform": "build/demo/window.vcd"}


class Reader(HTMLParser):
    """Collects what a browser would fetch, run or look up, and the text it shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.handlers: list[str] = []
        self.shown: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "style":
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "data", "action"):
                self.targets.append(value)
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_endtag(self, tag):
        if tag == "style":
            self.open.pop()

    def handle_data(self, data):
        if data.strip() and not self.open:
            self.shown.append(" ".join(data.split()))


def written(path: Path, found: dict, contract: str = CONTRACT) -> str:
    page.write(found, contract, FILES, path, command="mcos demo x.toml")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("page") / "report.html", result(sweeps=True))


def test_it_needs_nothing_else(text: str):
    reader = Reader(text)

    assert reader.tags.isdisjoint({"script", "link", "iframe", "img", "object", "embed", "base"})
    assert reader.handlers == []
    assert "@import" not in text
    assert text.count("url(") == text.count("url(#")
    assert reader.targets
    assert {target[0] for target in reader.targets} == {"#"}


def test_every_id_is_one_of_a_kind_and_every_reference_finds_its_own(text: str):
    reader = Reader(text)
    references = {part.split(")")[0] for part in text.split("url(#")[1:]}
    references |= {target[1:] for target in reader.targets}

    assert len(set(reader.ids)) == len(reader.ids)
    assert references
    assert references <= set(reader.ids)


def test_it_shows_every_tenant_and_figure(text: str):
    shown = Reader(text).shown

    for name in ("prefill", "decode-a", "decode-b", "decode-c"):
        assert name in shown
    for scenario in ("loaded", "saturated"):
        assert scenario in shown
    # Of decode-b under FCFS: p50, p99 in clocks and microseconds, ratio, share, target.
    for figure in ("135,000", "168.75", "150,000", "187.50", "5.000", "23.1%", "23.4%", "345"):
        assert figure in shown
    for figure in ("1.010", "0.991", "0.996", "0.42%", "123,456"):
        assert figure in shown
    for figure in ("4.321", "1.234", "0.987"):
        assert figure in shown
    assert any("91.7 % under FCFS" in line for line in shown)
    assert "97.8%" in shown


def test_it_shows_contract_settings_files_and_how_to_repeat_it(text: str):
    found = result()
    shown = Reader(text).shown

    assert CONTRACT in html.unescape(text)
    assert CONTRACT not in text
    assert shown[shown.index("workload.windows") + 1] == "1200, 16"
    assert shown[shown.index("clock_khz") + 1] == "800000"
    assert "build/demo/window.vcd" in shown
    assert "mcos demo x.toml" in shown
    assert any(found["config_hash"] in line and "7" in line for line in shown)


def test_a_sentence_and_a_picture_come_first_and_marks_last(text: str):
    reader = Reader(text)
    title, heading, sentence, *_ = reader.shown
    assert title == "MCOS against three arbiters"
    assert heading == f"{title}, in RTL"
    assert sentence.replace("\u00a0", " ") == headline(result(), "loaded")
    order = [text.index(part) for part in ('class="lead"', "<svg", "<h2>Latency", "<h2>Contract")]
    assert order == sorted(order)
    assert text.index("<h2>Marks") == text.rindex("<h2>")


def test_failed_marks_are_told_on_top(tmp_path: Path):
    found = result()
    text = written(tmp_path / "a.html", found)
    assert "FAIL" not in text
    assert "marks fail" not in text
    found["scenarios"]["loaded"]["ratios"]["mcos_over_alone"] = 1.06
    text = written(tmp_path / "b.html", found)
    assert "FAIL" in text
    told = "1 of 17 marks fails: loaded: MCOS p99 / alone 1.060 (≤ 1.050)."
    assert " ".join(Reader(text).shown).index(told) < text.index('class="lead"')


@needs_browser
@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_it_opens_with_the_sentence_and_the_picture(tmp_path: Path, browser, screen: str):
    written(tmp_path / "report.html", result(sweeps=True))
    with opened(browser, tmp_path / "report.html", screen) as view:
        require_on_first_screen(view, ".lead", "header svg")
        require_fits(view)
        if screen == "desktop":
            require_whole_tables(view)
        marks = view.locator(".marks").bounding_box()
        assert marks["x"] + marks["width"] <= view.viewport_size["width"]


@needs_browser
def test_long_names_fit_a_phone(tmp_path: Path, browser):
    """A tenant's name has up to 32 characters, W being the widest."""
    written(tmp_path / "report.html", result(sweeps=True, prefill="W" * 32))
    with opened(browser, tmp_path / "report.html", "phone") as view:
        require_fits(view)


def test_without_sweeps_there_is_no_section_of_them(tmp_path: Path):
    text = written(tmp_path / "report.html", result())
    assert "Sweeps" not in text


def test_names_and_contract_are_text(tmp_path: Path):
    attack = '"><script>alert(1)</script>'
    found = result(prefill=attack)
    found["settings"]["note"] = attack
    text = written(tmp_path / "report.html", found, attack)

    assert "<script" not in text
    assert Reader(text).shown.count(attack) >= 5


def test_the_same_result_gives_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        written(tmp_path / f"{name}.html", result(sweeps=True))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
