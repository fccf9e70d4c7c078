"""Pictures of a result."""

import copy
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from mcos_sim.report.pictures import latency_picture, share_picture, sweep_picture
from tests.sim.report.sample import result

SVG = "{http://www.w3.org/2000/svg}"


def sweep() -> str:
    rows = result(sweeps=True)["sweeps"]["window"]
    return sweep_picture(rows, "prefill_window", "prefill window")


PICTURES = {
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


def test_latency_names_decoders_and_says_each_ratio_to_alone():
    found = texts(latency_picture(result()))

    for name in ("decode-a", "decode-b", "decode-c"):
        assert found.count(name) == 2
    assert "prefill" not in found
    for ratio in ("5.00", "2.00", "1.50", "1.01"):
        assert found.count(ratio) == 6
    assert "1.00" not in found
    legend = ["alone", "FCFS", "round robin", "fixed priority", "MCOS"]
    assert [text for text in found if text in legend] == legend


def test_latency_has_a_logarithmic_axis_only_for_large_differences():
    large = copy.deepcopy(result())
    for tenant in large["scenarios"]["loaded"]["fcfs"]["tenants"][1:]:
        tenant["p99_clocks"] *= 100
    ticks = set(texts(latency_picture(large)))

    # 25 us alone to 30 ms: decades.
    assert {"100", "1000", "10000"} <= ticks
    assert "1000" not in texts(latency_picture(large | {"scenarios": result()["scenarios"]}))


def test_share_names_every_tenant_and_the_target():
    found = texts(share_picture(result()))

    for name in ("prefill", "decode-a", "decode-b", "decode-c"):
        assert found.count(name) == 2
    assert {"target", "FCFS", "MCOS"} <= set(found)
    assert "alone" not in found


def test_a_name_is_neither_mathematics_nor_markup():
    name = "$a_b$ <i>&"
    assert name in texts(share_picture(result(prefill=name)))


def test_sweep_marks_every_setting():
    found = texts(sweep())
    assert {"64", "1200", "prefill window", "FCFS, loaded", "MCOS, saturated"} <= set(found)
