"""The picture of what a viewer shows."""

import dataclasses
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.lockstep.case import random_case
from mcos_sim.report.colours import VIOLATION
from mcos_sim.waves.groups import groups
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import check_waveform
from mcos_sim.waves.signals import Sampler
from mcos_sim.waves.views.drawing import write_drawing
from tests.sim.waves.windows import write_case

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def waveform(tmp_path_factory):
    path = tmp_path_factory.mktemp("drawing") / "w.vcd"
    write_case(random_case(ChannelConfig(tenants=4), seed=4, clocks=1_500), path)
    return read_waveform(path)


def texts(path) -> list[str]:
    return [each.text for each in ElementTree.parse(path).iter(f"{SVG}text")]


def test_it_has_the_groups_of_the_viewers_with_the_arbiter_on_top(waveform, tmp_path):
    at = int(waveform.clocks[waveform.channel["granted"].argmax()])
    write_drawing(tmp_path / "w.svg", waveform, at=at)
    shown = texts(tmp_path / "w.svg")
    found = groups(Sampler(waveform.config, waveform.names).signals)
    titles = [each for each in shown if each in found]
    assert titles[0] == "arbiter"
    assert 1 < len(titles) <= 5
    assert all(title.startswith("tenants.") for title in titles[1:])
    for title in titles:
        begin = shown.index(title)
        labels = iter(shown[begin:])
        assert all(label in labels for label, _ in found[title]), title
    assert f"{at:,}" in shown


def test_values_are_those_of_the_clock(waveform, tmp_path):
    row = int(np.flatnonzero(waveform.channel["granted"])[5])
    write_drawing(tmp_path / "w.svg", waveform, at=int(waveform.clocks[row]))
    shown = texts(tmp_path / "w.svg")
    name = waveform.names[int(waveform.channel["tenant"][row])]
    assert any(name == each or name.startswith(each.rstrip("+")) for each in shown if each)
    assert any(
        f"{int(waveform.channel['virtual_time'][row]):x}".startswith(each.rstrip("+"))
        for each in shown
        if re.fullmatch(r"[0-9a-f]{4,}\+?", each)
    )


def test_clocks_of_violations_are_red(waveform, tmp_path):
    load = waveform.channel["load"].copy()
    load[300] ^= 1
    broken = dataclasses.replace(waveform, channel={**waveform.channel, "load": load})
    violations, _ = check_waveform(broken)
    for at, red in ((violations[0].clock, 1), (violations[0].clock + 200, 0)):
        write_drawing(tmp_path / "w.svg", broken, at=at, violations=violations)
        bands = ElementTree.parse(tmp_path / "w.svg").iter(f"{SVG}rect")
        assert sum(each.get("fill") == VIOLATION for each in bands) == red


def test_the_same_waveform_gives_the_same_picture(waveform, tmp_path):
    for name in ("a", "b"):
        write_drawing(tmp_path / name, waveform, at=int(waveform.clocks[9]))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_ends_of_a_waveform_are_drawn_whole(waveform, tmp_path):
    for row in (0, -1):
        write_drawing(tmp_path / "w.svg", waveform, at=int(waveform.clocks[row]))
    for clock in (int(waveform.clocks[0]) - 1, int(waveform.clocks[-1]) + 1):
        with pytest.raises(UserError, match="--at must be a clock that is shown, not"):
            write_drawing(tmp_path / "w.svg", waveform, at=clock)


def test_a_name_is_text(waveform, tmp_path):
    names = dict.fromkeys(waveform.names, "<b>&")
    write_drawing(
        tmp_path / "w.svg",
        dataclasses.replace(waveform, names=names),
        at=int(waveform.clocks[waveform.channel["granted"].argmax()]),
    )
    assert "<b>&" in texts(tmp_path / "w.svg")
