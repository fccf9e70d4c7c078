"""Timing paths in words."""

import pytest

from mcos_sim.synthesis.netlist import Netlist
from mcos_sim.synthesis.paths import End, Path, Route, bundles, short
from tests.sim.synthesis.small import netlist


@pytest.fixture
def route():
    return Route(Netlist(netlist()["modules"]["mcos"]))


def path(start, end, delay=100.0):
    return Path(delay_ps=delay, start=start, end=end, cells=3)


def test_words_tell_the_operations_between_registers(route):
    found = path(
        route.end("controller.probe.tenants[0].tag.start[1]"),
        route.end("\\controller.channel.lane_1.tag\\[0\\]"),
    )
    assert route.words(found) == "lane_0.tag -> add, select -> lane_1.tag"


def test_words_of_a_path_to_a_memory(route):
    found = path(
        route.end("controller.channel.lane_1.tag[0]"),
        route.end("controller.channel.queues.rows/w0_data[1]"),
    )
    assert route.words(found) == "lane_1.tag -> add, select -> queues.rows (w_data)"


def test_words_of_a_path_from_a_memory(route):
    found = path(
        route.end("controller.channel.queues.rows/r0_data[0]"),
        route.end("controller.channel.lane_0.tag[0]"),
    )
    assert route.words(found) == "queues.rows (r_data) -> lane_0.tag"


def test_unknown_ends_keep_their_names(route):
    found = path(route.end("controller.control.loader.word[7]"), route.end("_1234_"))
    assert route.words(found) == "loader.word -> _1234_"


def test_rings_of_words_end():
    text = netlist()
    cells = text["modules"]["mcos"]["cells"]
    cells["$add"]["connections"]["B"] = [40, 41]
    route = Route(Netlist(text["modules"]["mcos"]))
    found = path(
        route.end("controller.channel.lane_0.tag[0]"),
        route.end("controller.channel.lane_1.tag[0]"),
    )
    assert "select" in route.words(found)


def test_bundles_keep_the_worst_of_registers_that_differ_by_number():
    start = End(name="vote")
    ends = [End(name=f"lane_{i}.tag", bit=b) for i in range(2) for b in range(2)]
    paths = [path(start, end, delay=100.0 + i) for i, end in enumerate(ends)]
    memory = [path(start, End(name="rows", pin=pin), delay=50.0) for pin in ("w_en", "w_data")]
    assert bundles([*memory, *paths]) == [paths[-1], *memory]


def test_short_names_leave_out_the_channel():
    assert short("controller.channel.arbiter.vote") == "arbiter.vote"
    assert short("controller.control.bank.row") == "bank.row"
    assert short("rst") == "rst"
