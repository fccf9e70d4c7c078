"""Pictures of a result."""

import copy
import json
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from mcos_sim.report.colours import ARBITERS
from mcos_sim.report.drawing import svg_file
from mcos_sim.report.pictures import latency_picture, lead_picture, share_picture, sweep_picture
from mcos_sim.report.readme import write_picture
from mcos_sim.report.rows import RUNS
from tests.sim.report.sample import result

DOCS = Path(__file__).parents[3] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def sweep() -> str:
    rows = result(sweeps=True)["sweeps"]["window"]
    return sweep_picture(rows, "prefill_window", "prefill window")


PICTURES = {
    "lead": lambda: lead_picture(result(), "loaded"),
    "latency": lambda: latency_picture(result()),
    "share": lambda: share_picture(result()),
    "sweep": sweep,
}


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES.keys())
def test_the_same_numbers_give_the_same_bytes_without_a_date(draw):
    svg = draw()
    assert svg == draw()
    assert "metadata" not in svg


def test_settings_of_the_working_directory_change_nothing():
    """A ``matplotlibrc`` that is read there may ask for LaTeX, with a preamble of its own."""
    svg = latency_picture(result())
    with mpl.rc_context({"text.usetex": True, "text.latex.preamble": "x", "axes.titlesize": 30}):
        assert latency_picture(result()) == svg
        assert mpl.rcParams["text.usetex"]


@pytest.mark.parametrize("narrow", [False, True])
def test_the_first_picture_says_each_value_and_the_price(narrow: bool):
    found = texts(lead_picture(result(), "loaded", narrow=narrow))

    for name in ("decode-a", "decode-b", "decode-c", "prefill", "channel in use"):
        assert found.count(name) == 1
    # 20,000, 30,000 and 48,000 clocks at 800 MHz, 5 times as much, 1.01 times as much.
    for value in ("25 µs alone", "125 µs FCFS", "25.2 µs MCOS", "37.5 µs alone"):
        assert value in found
    assert found.count("97.8 % FCFS") == 1
    assert found.count("28.7 % MCOS") == 1
    assert "29.8 % is its share" in found
    assert "p99 of the decoders' steps, µs" in found
    # Bars begin at zero.
    assert found.count("0") == 2


def test_bars_are_as_long_as_their_values():
    """Read from the drawing: FCFS is five times alone."""
    svg = lead_picture(result(), "loaded")
    widths = {}
    for path in ElementTree.fromstring(svg).iter(f"{SVG}path"):
        style = path.get("style", "")
        for run in ("alone", "fcfs"):
            if f"fill: {ARBITERS[run]}" in style:
                across = [float(word) for word in path.get("d").split() if word[0].isdigit()][::2]
                widths.setdefault(run, max(across) - min(across))
    assert widths["fcfs"] == pytest.approx(5 * widths["alone"], rel=1e-3)


def test_latency_names_decoders_and_arbiters():
    found = texts(latency_picture(result()))

    for name in ("decode-a", "decode-b", "decode-c"):
        assert found.count(name) == 2
    assert "prefill" not in found
    assert set(RUNS.values()) <= set(found)


def test_latency_has_a_logarithmic_axis_only_for_large_differences_and_says_so():
    large = copy.deepcopy(result())
    for tenant in large["scenarios"]["loaded"]["fcfs"]["tenants"][1:]:
        tenant["p99_clocks"] *= 100
    found = texts(latency_picture(large))
    assert "p99 of steps, µs, log axis" in found
    assert {"100", "1,000", "10,000"} <= set(found)

    near = copy.deepcopy(result())
    for runs in near["scenarios"].values():
        for tenant in runs["fcfs"]["tenants"][1:]:
            tenant["p99_clocks"] //= 4
    found = texts(latency_picture(near))
    assert "p99 of steps, µs" in found
    assert "0" in found


def test_share_names_every_tenant_and_the_target():
    found = texts(share_picture(result()))

    for name in ("prefill", "decode-a", "decode-b", "decode-c"):
        assert found.count(name) == 2
    assert {"target", "FCFS", "MCOS"} <= set(found)
    assert "alone" not in found
    assert "0" in found


def test_a_name_is_neither_mathematics_nor_markup():
    name = "$a_b$ <i>&"
    assert name in texts(share_picture(result(prefill=name)))


def test_sweep_marks_every_setting():
    found = texts(sweep())
    assert {"64", "1200", "prefill window, log axis", "FCFS, loaded"} <= set(found)
    assert "decoder p99 / alone (a ratio)" in found


def test_a_picture_alone_is_on_white():
    root = ElementTree.fromstring(svg_file(latency_picture(result())))
    assert root[0].tag == f"{SVG}rect"
    assert root[0].get("fill") == "#ffffff"


def test_the_picture_of_the_readme_is_that_of_the_report(tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(result()), encoding="utf-8")
    write_picture(tmp_path / "result.json", tmp_path / "demo.svg")
    for name, narrow in (("demo.svg", False), ("demo-phone.svg", True)):
        drawn = texts((tmp_path / name).read_text(encoding="utf-8"))
        assert drawn == texts(lead_picture(result(), "loaded", narrow=narrow))


@pytest.mark.parametrize(("name", "narrow"), [("demo.svg", False), ("demo-phone.svg", True)])
def test_the_picture_in_the_readme_has_its_form(name: str, narrow: bool):
    """Other figures are another run's; other words are another program's."""
    committed = texts((DOCS / name).read_text(encoding="utf-8"))
    drawn = texts(lead_picture(result(), "loaded", narrow=narrow))
    words = [
        [text for text in each if not any(map(str.isdigit, text))] for each in (committed, drawn)
    ]
    assert words[0] == words[1]
