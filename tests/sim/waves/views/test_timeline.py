"""The timeline page, in a real browser where there is one."""

import dataclasses
import itertools
import shutil
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_policy.settings import Settings
from mcos_sim.lockstep.case import random_case
from mcos_sim.report.colours import CLASSES, QUEUED, VIOLATION, tenant_colour
from mcos_sim.waves.objectives import late_requests
from mcos_sim.waves.reading import Waveform, read_waveform
from mcos_sim.waves.rules import Wording, check_waveform
from mcos_sim.waves.spans import older_spans, spans
from mcos_sim.waves.summary import summarise
from mcos_sim.waves.views.figure import BEFORE, IN_FLIGHT, timeline_figure
from mcos_sim.waves.views.lanes import Lanes
from mcos_sim.waves.views.timeline import LISTED, write_timeline
from tests.sim.waves.windows import write_case

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")

FILE = Path("folder/w<b>.vcd")
"""A name that is no markup in the page."""

FROM = 300
"""Row from which the window begins: requests are queued then."""


@pytest.fixture(scope="module")
def waveform(tmp_path_factory):
    path = tmp_path_factory.mktemp("timeline") / "w.vcd"
    write_case(random_case(ChannelConfig(tenants=4), seed=4, clocks=3_000), path)
    found = read_waveform(path)
    return dataclasses.replace(found, images=objectives(found), contract="mine").rows(
        slice(FROM, None)
    )


def objectives(waveform: Waveform) -> tuple[tuple[int, Settings], ...]:
    """Its images with an objective that everybody misses."""
    return tuple(
        (
            since,
            dataclasses.replace(
                image,
                tenants=tuple(dataclasses.replace(each, latency_slo=100) for each in image.tenants),
            ),
        )
        for since, image in waveform.images
    )


def broken(waveform: Waveform, rows: np.ndarray) -> Waveform:
    """With a load that is wrong in some rows."""
    load = waveform.channel["load"].copy()
    load[rows] ^= 1
    return dataclasses.replace(waveform, channel={**waveform.channel, "load": load})


def write_page(path: Path, waveform: Waveform) -> int:
    """Write the page as the command does; how many violations it has."""
    violations, count = check_waveform(waveform)
    write_timeline(
        path,
        waveform,
        file=FILE,
        violations=violations,
        count=count,
        tenants=summarise(waveform),
    )
    return count


PAGES = {"none": [], "one": [700], "hundreds": list(range(400, 1_000, 2))}
"""Rows in which a rule is broken, by page."""


@pytest.fixture(scope="module")
def pages(waveform, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, rows in PAGES.items():
        shown = broken(waveform, np.array(rows, dtype=int))
        assert write_page(folder / f"{name}.html", shown) == len(rows)
        found[name] = folder / f"{name}.html"
    return found


def test_every_request_is_a_span(waveform):
    every = [each for tag in waveform.names for each in spans(waveform, tag)]
    assert len(every) == np.count_nonzero(waveform.events["request.valid"])
    assert all(each.granted is None or each.granted > each.accepted for each in every)
    assert all(each.answered is None or each.answered > each.granted for each in every)


def test_no_two_requests_share_a_lane_at_a_time(waveform):
    lanes = Lanes(waveform)
    by_lane: dict[int, list] = {}
    for each, lane in lanes.of.items():
        by_lane.setdefault(lane, []).append((each.begins, each.answered or lanes.last))
    for parts in by_lane.values():
        parts.sort()
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(parts))
    tags = {lane: each.tag for each, lane in lanes.of.items()}
    assert [tags[lane] for lane in sorted(tags)] == sorted(tags.values())


def test_what_was_queued_before_the_window_is_drawn_from_its_edge(waveform):
    figure = timeline_figure(waveform, [], [], [])
    (before,) = [trace for trace in figure.data if trace.name == "before"]
    older = [each for tag in waveform.names for each in older_spans(waveform, tag)]
    queued = sum(int(waveform.tenants["queued"][0, tag]) for tag in waveform.names)
    assert sum(each.is_queued for each in older) == queued > 0
    assert len(before.y) == len(older) > queued
    assert set(before.base) == {int(waveform.clocks[0])}
    assert before.marker.pattern.shape == "/"


def test_a_grant_without_a_class_is_drawn(waveform, tmp_path):
    """Hardware with a mistake in it may make one."""
    classes = np.full_like(waveform.channel["granted_class"], NO_CLASS)
    channel = {**waveform.channel, "granted_class": classes}
    write_page(tmp_path / "w.html", dataclasses.replace(waveform, channel=channel))
    assert '"name":"none"' in (tmp_path / "w.html").read_text(encoding="utf-8")


def test_every_violation_and_every_late_answer_has_a_mark(waveform):
    shown = broken(waveform, np.array([500, 700]))
    violations, _ = check_waveform(shown)
    told = [Wording(shown).sentence(each) for each in violations]
    late = [clock for tag in shown.names for clock in late_requests(shown, tag).violations]
    figure = timeline_figure(shown, violations, told, late)
    (marks,) = [trace for trace in figure.data if trace.name == "violation"]
    assert list(marks.x) == [each.clock for each in violations]
    assert "the channel says load" in marks.hovertext[0].replace("<br>", "")
    lines = [trace for trace in figure.data if trace.name == "violation line"]
    assert len(lines) == 4
    assert len(late) > 0
    (diamonds,) = [trace for trace in figure.data if trace.name == "late"]
    assert sorted(diamonds.x) == sorted(late)


def test_levels_have_axes_from_zero_to_what_there_is_room_for(waveform):
    layout = timeline_figure(waveform, [], [], []).layout
    images = [image for _, image in waveform.images]
    deepest = max(image.tenants[tag].committed_depth for image in images for tag in waveform.names)
    credit = max(image.channel.port_credit for image in images)
    tops = (waveform.config.queue_depth, deepest, credit)
    for axis, top in zip((layout.yaxis2, layout.yaxis3, layout.yaxis4), tops, strict=True):
        assert axis.range[0] == 0
        assert top <= axis.range[1] < 1.1 * top


def test_no_colour_stands_for_two_things(waveform):
    tenants = [tenant_colour(place) for place in range(16)]
    every = [*CLASSES.values(), *tenants, QUEUED, VIOLATION, BEFORE, IN_FLIGHT]
    assert len(set(every)) == len(every)


def test_the_page_needs_nothing_else_and_takes_names_as_text(pages):
    text = pages["one"].read_text(encoding="utf-8")
    assert "<script src=" not in text
    assert "w&lt;b&gt;.vcd" in text
    assert "w<b>" not in text


@pytest.fixture(scope="module")
def browser() -> Generator:
    if BROWSER is None:
        pytest.skip("needs chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


def opened(browser, page: Path, width: int):
    """A page at a width; errors in it and requests for anything else fail at once."""
    view = browser.new_page(viewport={"width": width, "height": 900})
    view.errors = []
    view.on("pageerror", lambda error: view.errors.append(str(error)))
    view.on("request", lambda each: view.errors.append(each.url) if "file:" not in each.url else 0)
    view.goto(page.as_uri())
    view.wait_for_selector(".main-svg")
    return view


def shown(view) -> list[float]:
    return view.evaluate(
        "document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range.map(Number)"
    )


@pytest.mark.parametrize(
    ("name", "width"), [("none", 390), ("one", 1_400), ("hundreds", 390), ("hundreds", 1_400)]
)
def test_a_page_says_marks_and_lists_what_is_wrong(name, width, pages, browser, waveform):
    view = opened(browser, pages[name], width)
    count = len(PAGES[name])
    first, end = int(waveform.clocks[0]), int(waveform.clocks[-1]) + 1
    lead = view.inner_text(".lead").replace("\u00a0", " ")
    begin = f"w<b>.vcd, clocks {first:,} to {end:,} of MCOS under mine: "
    verdicts = {
        "none": "no rule is broken; ",
        "one": f"1 violation of the rule load, in clock {first + 700:,}; ",
        "hundreds": f"300 violations of the rule load, the first in clock {first + 400:,}; ",
    }
    assert lead.startswith(begin + verdicts[name])
    assert "later than its SLO of" in lead
    assert view.locator(".late").count() > 0
    # Nothing is wider than the window, and the text is there before the picture.
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert view.locator(".lead").bounding_box()["y"] < view.locator("figure").bounding_box()["y"]
    box = view.locator("#timeline").bounding_box()
    assert box["height"] > 600
    assert box["x"] + box["width"] <= width

    listed = view.locator(".violations li")
    assert listed.count() == min(count, LISTED)
    inside = view.evaluate(
        """() => {
            const plot = document.querySelector('.js-plotly-plot');
            const [first, end] = plot._fullLayout.xaxis.range.map(Number);
            const marks = plot.data.filter((each) => each.name === 'violation');
            const clocks = marks.flatMap((each) => [...each.x]);
            return clocks.filter((x) => first <= x && x <= end).length;
        }"""
    )
    drawn = view.locator(".scatterlayer .point").count()
    assert inside <= drawn
    assert (inside > 0) == (count > 0)
    if count:
        assert "the channel says load" in listed.first.inner_text()
        told = view.inner_text("#listed")
        assert told.startswith(f"{count:,} violation{'s' if count > 1 else ''}")
        assert ("of which the first 200 are listed" in told) == (count > LISTED)
        last = listed.nth(min(count, LISTED) - 1)
        clock = int(last.get_attribute("data-clock"))
        last.locator("button").click()
        left, right = shown(view)
        assert left < clock < right
        assert right - left <= 128
    assert not view.errors
    view.close()


def test_the_picture_moves(pages, browser, waveform):
    view = opened(browser, pages["one"], 1_400)
    first, last = shown(view)
    focus = int(waveform.clocks[700])
    assert (first, last) == (focus - 64, focus + 64)
    bars = view.evaluate("document.querySelectorAll('.barlayer .point').length")
    assert bars >= np.count_nonzero(waveform.events["request.valid"])

    plot = view.query_selector(".nsewdrag.drag").bounding_box()
    height = plot["y"] + plot["height"] / 2
    view.mouse.move(plot["x"] + plot["width"] * 0.25, height)
    view.mouse.down()
    view.mouse.move(plot["x"] + plot["width"] * 0.75, height, steps=8)
    view.mouse.up()
    view.wait_for_timeout(500)
    zoomed_first, zoomed_last = shown(view)
    assert first < zoomed_first < zoomed_last < last

    view.click("#all")
    assert shown(view) == [int(waveform.clocks[0]), int(waveform.clocks[-1]) + 1]
    view.click("#closer")
    near, far = shown(view)
    view.click("#earlier")
    assert shown(view)[0] < near
    assert shown(view)[1] < far
    view.click("#all")
    view.click("#forth" if focus > sum(shown(view)) / 2 else "#back")
    assert shown(view) == [first, last]
    assert not view.errors
    view.close()
