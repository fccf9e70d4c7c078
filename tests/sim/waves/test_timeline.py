"""The timeline page, in a real browser where there is one."""

import dataclasses
import shutil

import numpy as np
import pytest

from mcos_hw.channel.probe import NO_CLASS
from mcos_hw.config import ChannelConfig
from mcos_sim.lockstep.case import random_case
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.spans import spans
from mcos_sim.waves.timeline import write_timeline
from tests.sim.waves.windows import write_case

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("timeline")
    write_case(random_case(ChannelConfig(tenants=4), seed=4, clocks=1_500), folder / "w.vcd")
    waveform = read_waveform(folder / "w.vcd")
    write_timeline(folder / "w.html", waveform, focus=int(waveform.clocks[300]))
    return folder / "w.html", waveform


def test_every_request_is_a_span(page):
    _, waveform = page
    every = [each for tag in waveform.names for each in spans(waveform, tag)]
    assert len(every) == np.count_nonzero(waveform.events["request.valid"])
    assert all(each.granted is None or each.granted > each.accepted for each in every)
    assert all(each.answered is None or each.answered > each.granted for each in every)


def test_a_grant_without_a_class_is_drawn(page, tmp_path):
    """Hardware with a mistake in it may make one."""
    waveform = page[1]
    classes = np.full_like(waveform.channel["granted_class"], NO_CLASS)
    channel = {**waveform.channel, "granted_class": classes}
    write_timeline(tmp_path / "w.html", dataclasses.replace(waveform, channel=channel))
    assert '"name":"none"' in (tmp_path / "w.html").read_text(encoding="utf-8")


def test_the_page_needs_nothing_else(page):
    text = page[0].read_text(encoding="utf-8")
    assert "<script src=" not in text
    for name in page[1].names.values():
        assert name in text


@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
def test_the_page_zooms_in_a_browser(page):
    from playwright.sync_api import sync_playwright

    path, waveform = page
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        view = browser.new_page(viewport={"width": 1400, "height": 950})
        errors: list[str] = []
        view.on("pageerror", lambda error: errors.append(str(error)))
        view.goto(path.as_uri())
        view.wait_for_selector(".main-svg")

        def shown() -> list[float]:
            return view.evaluate(
                "document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range.map(Number)"
            )

        first, last = shown()
        focus = int(waveform.clocks[300])
        assert first < focus < last
        assert last - first == 128
        bars = view.evaluate("document.querySelectorAll('.barlayer .point').length")
        assert bars >= np.count_nonzero(waveform.events["request.valid"])

        plot = view.query_selector(".nsewdrag.drag").bounding_box()
        height = plot["y"] + plot["height"] / 2
        view.mouse.move(plot["x"] + plot["width"] * 0.25, height)
        view.mouse.down()
        view.mouse.move(plot["x"] + plot["width"] * 0.75, height, steps=8)
        view.mouse.up()
        view.wait_for_timeout(500)
        zoomed_first, zoomed_last = shown()
        assert first < zoomed_first < zoomed_last < last
        assert not errors
        browser.close()
