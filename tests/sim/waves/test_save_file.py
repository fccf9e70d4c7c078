"""The files for viewers name what the window has, and open where it starts."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.waves import PortEvents, WindowWriter

FIRST = 4_000


@pytest.fixture
def window(tmp_path: Path) -> Path:
    with WindowWriter(
        tmp_path / "w.vcd",
        config=ChannelConfig(tenants=4),
        names={0: "prefill", 1: "decode a", 2: "port"},
        clock_ns=Fraction(5, 4),
        first_clock=FIRST,
    ) as writer:
        writer.sample(FIRST, 0, PortEvents())
    return tmp_path


def declared(vcd: Path) -> dict[str, int]:
    """Width of every signal of a VCD, by path."""
    scope, signals = [], {}
    for words in map(str.split, vcd.read_text().splitlines()):
        if words[0] == "$scope":
            scope.append(words[2])
        elif words[0] == "$upscope":
            scope.pop()
        elif words[0] == "$var":
            signals[".".join([*scope, words[4]])] = int(words[2])
    return signals


def groups(save: Path) -> dict[str, list[str]]:
    """Traces of each group, as GTKWave names them."""
    found: dict[str, list[str]] = {}
    title = None
    for line in save.read_text().splitlines():
        if line.startswith("-"):
            title = line[1:] if title is None else None
        elif line.startswith("+{"):
            assert title is not None
            found.setdefault(title, []).append(line.partition("} ")[2])
    return found


def test_it_names_only_signals_that_exist(window: Path):
    signals = declared(window / "w.vcd")
    names = {path if width == 1 else f"{path}[{width - 1}:0]" for path, width in signals.items()}
    traced = [trace for traces in groups(window / "w.gtkw").values() for trace in traces]

    assert traced
    assert set(traced) <= names
    assert len(traced) == len(set(traced))


def test_groups(window: Path):
    found = groups(window / "w.gtkw")

    assert list(found) == [
        "time",
        "arbiter",
        "tenants.prefill",
        "tenants.decode_a",
        "tenants.port",
        "buckets",
        "port",
        "events.request",
        "events.offer",
        "events.command",
        "events.completion",
        "events.response",
    ]
    plain = {title: [re.sub(r"\[.*", "", t) for t in traces] for title, traces in found.items()}
    assert plain["buckets"] == [
        f"mcos.tenants.{scope}.{bucket}_bytes"
        for scope in ("prefill", "decode_a", "port")
        for bucket in ("committed", "peak")
    ]
    assert "mcos.tenants.decode_a.class" in plain["tenants.decode_a"]
    assert "mcos.tenants.decode_a.class_code" not in plain["tenants.decode_a"]
    assert "mcos.arbiter.tenant_name" in plain["arbiter"]


def test_it_opens_at_the_start(window: Path):
    lines = (window / "w.gtkw").read_text().splitlines()
    start = FIRST * 1_250

    assert f"[timestart] {start}" in lines
    assert '[dumpfile] "w.vcd"' in lines
    zoom = next(line for line in lines if line.startswith("*"))
    assert zoom.split()[1] == str(start)
    # 32 clocks in 1000 pixels, 200 pixels to GTKWave's frame.
    assert 2 ** -float(zoom.split()[0][1:]) == pytest.approx(32 * 1_250 / 5, rel=1e-5)


def test_surfer_shows_the_same(window: Path):
    signals = declared(window / "w.vcd")
    lines = (window / "w.sucl").read_text().splitlines()
    found: dict[str, list[str]] = {}
    for verb, _, rest in (line.partition(" ") for line in lines):
        if verb == "divider_add":
            found[rest] = []
        elif verb == "variable_add":
            assert rest in signals
            found[list(found)[-1]].append(rest)
    plain = {
        title: [re.sub(r"\[.*", "", trace) for trace in traces]
        for title, traces in groups(window / "w.gtkw").items()
    }
    assert found == plain
    assert lines[-2:] == [f"cursor_set {FIRST * 1_250}", "goto_cursor"]
