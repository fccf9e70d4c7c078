"""A sweep's points, what it keeps of them, its table and its page."""

import csv
import dataclasses
import json
from concurrent.futures import CancelledError

import pyarrow.csv
import pyarrow.parquet
import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.engines.dispatch import Engine
from mcos_sim.errors import UserError
from mcos_sim.memory.name import MemoryName
from mcos_sim.sweep.cluster import Cluster
from mcos_sim.sweep.grid import AXES, Contender, Grid, Workload
from mcos_sim.sweep.page import write_page
from mcos_sim.sweep.point import COLUMNS, run_point
from mcos_sim.sweep.store import Store
from mcos_sim.sweep.table import require_format, write_table
from tests.sim.commands.command_line import run_command

CONTRACT = SAMPLES["decode-prefill"]

VALUES = {
    "contract": [str(CONTRACT)],
    "workload": [Workload.LOADED],
    "arbiter": [Contender.ALONE, Contender.MCOS],
    "engine": [Engine.REFERENCE],
    "memory": [MemoryName.SIMPLE],
    "channels": [1],
    "ports": [None],
    "seed": [1, 2],
    "clocks": [20_000],
    "prefill_window": [64],
    "decoder_window": [16],
    "prefill_beats": [None],
    "decoder_beats": [None],
    "credit": [1],
    "pacer": [True],
}


@pytest.fixture(scope="module")
def compiled():
    return compile_contract(CONTRACT, ChannelConfig())


@pytest.fixture(scope="module")
def swept(compiled, tmp_path_factory):
    grid = Grid(values=VALUES)
    folder = tmp_path_factory.mktemp("points")
    rows = [
        row
        for place, point in enumerate(grid)
        for row in run_point(point, compiled, directory=folder / str(place))
    ]
    return grid, rows


def test_points_are_the_product_in_order():
    grid = Grid(values=VALUES)
    points = list(grid)
    assert [(point.arbiter, point.seed) for point in points] == [
        ("alone", 1),
        ("alone", 2),
        ("mcos", 1),
        ("mcos", 2),
    ]
    assert grid.varied == ("arbiter", "seed")


@pytest.mark.parametrize("wrong", [{"seed": []}, {"seed": [1, 1]}, {"colour": ["red"]}])
def test_an_unfit_axis_is_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        Grid(values={**VALUES, **wrong})


def test_each_run_gives_a_row_a_tenant(swept):
    grid, rows = swept
    assert [len([r for r in rows if r["arbiter"] == a]) for a in ("alone", "mcos")] == [6, 8]
    for row in rows:
        assert tuple(row) == COLUMNS
        assert row["bytes_granted"] > 0
    assert {row["seed"] for row in rows} == set(grid.values["seed"])


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 9},
        {"clocks": 9_000},
        {"prefill_window": 9},
        {"decoder_window": 9},
        {"prefill_beats": 9},
        {"decoder_beats": 9},
        {"credit": 9},
        {"pacer": False},
        {"arbiter": Contender.FCFS},
        {"workload": Workload.SATURATED},
        {"memory": MemoryName.HBM3},
    ],
)
def test_every_axis_reaches_the_run(swept, compiled, tmp_path, change):
    point = next(each for each in Grid(values=VALUES) if each.arbiter is Contender.MCOS)
    other = dataclasses.replace(point, **change)
    rows = run_point(other, compiled, directory=tmp_path / "run")
    before = [r for r in swept[1] if r["arbiter"] == "mcos" and r["seed"] == point.seed]
    measured = [name for name in COLUMNS if name not in AXES]
    unlike = [[row[name] for name in measured] for row in rows] != [
        [row[name] for name in measured] for row in before
    ]
    assert all((row["row_changes"] is None) == (other.memory == "simple") for row in rows)
    # At the paced rate the port's credit is never short.
    assert unlike or change == {"credit": 9}


def test_channels_and_ports_are_axes(tmp_path, capsys):
    """Every channel adds its bandwidth, and the decoders feel as little of the prefill."""
    summary, table = tmp_path / "s.json", tmp_path / "t.csv"
    axes = ("--channels", 1, "--channels", 2, "--ports", 2, "--ports", 4)
    arguments = ("--arbiter", "mcos", "--clocks", 12_000, "--workers", 1, "--json", summary)
    out = ("-o", tmp_path / "s", "--table", table)
    assert run_command("sweep", CONTRACT, *axes, *arguments, *out) == 0
    assert json.loads(summary.read_text())["axes"]["channels"] == [1, 2]
    rows = pyarrow.csv.read_csv(table).to_pylist()
    assert len(rows) == 4 * 4
    granted = {
        (row["channels"], row["ports"]): row["bytes_granted"]
        for row in rows
        if row["tenant"] == "prefill"
    }
    assert set(granted) == {(1, 2), (1, 4), (2, 2), (2, 4)}
    for ports in (2, 4):
        assert granted[2, ports] == pytest.approx(2 * granted[1, ports], rel=0.15)
    assert all(row["utilisation"] > 0.8 for row in rows)
    page = (tmp_path / "s" / "sweep.html").read_text(encoding="utf-8")
    assert "Over channels" in page
    assert "Over ports" in page


def test_the_store_knows_a_point_by_what_it_is(compiled, tmp_path):
    store = Store(tmp_path)
    keys = {store.key(point, compiled) for point in Grid(values=VALUES)}
    assert len(keys) == 4
    first = next(iter(Grid(values=VALUES)))
    changed = dataclasses.replace(compiled, origin={"name": "x", "sha256": "0" * 64})
    assert store.key(first, changed) not in keys
    assert store.rows("0123456789abcdef") is None
    store.keep("0123456789abcdef", [{"tenant": "a"}])
    assert Store(tmp_path).rows("0123456789abcdef") == [{"tenant": "a"}]
    assert [path.name for path in (tmp_path / "points").iterdir()] == ["0123456789abcdef.json"]


ROWS = [{"tenant": "a"}]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[" * 100_000,
        lambda text: "[]",
        lambda text: "{}",
        lambda text: "7",
        lambda text: "\0" * len(text),
        lambda text: text.replace('"a"', '"b"'),
        lambda text: json.dumps(ROWS),
    ],
)
def test_a_damaged_point_is_run_again(tmp_path, damage):
    store = Store(tmp_path)
    store.keep("0123456789abcdef", ROWS)
    path = tmp_path / "points" / "0123456789abcdef.json"
    whole = path.read_text()
    path.write_text(damage(whole))
    assert store.rows("0123456789abcdef") is None
    path.write_text(whole)
    path.rename(path.with_name("fedcba9876543210.json"))
    assert store.rows("fedcba9876543210") is None
    path.mkdir()
    assert store.rows("0123456789abcdef") is None


def test_leftovers_of_killed_sweeps_are_removed(tmp_path):
    Store(tmp_path)
    (tmp_path / "points" / ".0123456789abcdef.json.01234567.partial").write_text("{")
    Store(tmp_path)
    assert list((tmp_path / "points").iterdir()) == []


def test_both_formats_hold_the_same_table(swept, tmp_path):
    rows = swept[1]
    for name in ("t.csv", "t.parquet"):
        write_table(tmp_path / name, rows)
    csv = pyarrow.csv.read_csv(tmp_path / "t.csv")
    parquet = pyarrow.parquet.read_table(tmp_path / "t.parquet")
    assert parquet.to_pylist() == rows
    for name in ("tenant", "p99_clocks", "share", "bytes_granted", "pacer"):
        assert csv[name].to_pylist() == parquet[name].to_pylist()
    with pytest.raises(UserError, match=r"\.csv or \.parquet file, not 't\.xlsx'"):
        require_format(tmp_path.joinpath("t.xlsx").relative_to(tmp_path))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(swept, tmp_path, sign):
    """Contract files and tenants are named by strangers; numbers stay numbers."""
    row = swept[1][0] | {"contract": f"{sign}cmd", "tenant": f"{sign}1", "share": -0.5, "seed": -1}
    for name in ("t.csv", "t.parquet"):
        write_table(tmp_path / name, [row])
    with (tmp_path / "t.csv").open(newline="") as file:
        (read,) = csv.DictReader(file)
    assert (read["contract"], read["tenant"]) == (f"'{sign}cmd", f"'{sign}1")
    assert (float(read["share"]), int(read["seed"])) == (-0.5, -1)
    (kept,) = pyarrow.parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert (kept["contract"], kept["tenant"]) == (f"{sign}cmd", f"{sign}1")


@pytest.mark.parametrize("name", ["t\udcff.csv", "t\udcff.parquet"])
def test_names_that_are_not_utf8_are_written(swept, tmp_path, name):
    """File names are bytes on Linux; Python has a half character for each that fits nowhere."""
    write_table(tmp_path / name, [swept[1][0] | {"contract": "c\udcff.toml"}])
    with (tmp_path / name).open("rb") as file:
        read = pyarrow.csv.read_csv if name.endswith("csv") else pyarrow.parquet.read_table
        assert read(file)["contract"].to_pylist() == ["c\\udcff.toml"]


def test_the_page_needs_nothing_else(swept, tmp_path):
    grid, rows = swept
    write_page(tmp_path / "p.html", grid, rows)
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "<script src=" not in text
    for shown in ("decode-a", "prefill", '"name":"mcos"', '"name":"alone"', "seed"):
        assert shown in text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--seed", "3:1"), "not '3:1'; for example"),
        (("--seed", "x"), "not 'x'"),
        (("--seed", "1:1000000000"), "at most 100,000 points, not 1,000,000,000; give fewer seeds"),
        (("--seed", "1:30000", "--credit", "2", "--credit", "3"), "not 180,000"),
        (("--seed", "4294967296"), "--seed must be a number up to 4294967295"),
        (("--prefill-window", "4096"), "must be in 1..4095, not 4096"),
        (("--table", "t.xlsx"), "must name a .csv or .parquet file"),
        (("--channels", "3"), "--channels must be one of 1, 2, 4, 8 with the 8 channels of"),
        (("--ports", "17"), "must be in 1..16, not 17"),
        ((str(CONTRACT),), "each contract must be named once"),
        (("--scheduler", "nowhere"), "--scheduler must be the address of a running scheduler"),
        (("--scheduler", "tcp://127.0.0.1:1"), "`dask scheduler` starts one"),
    ],
)
def test_mistakes_are_one_line(tmp_path, capsys, monkeypatch, arguments, complaint):
    monkeypatch.setattr("mcos_sim.sweep.cluster._ANSWER_WITHIN", "1s")
    monkeypatch.chdir(tmp_path)
    assert run_command("sweep", CONTRACT, *arguments, "-o", tmp_path / "s") == 2
    shown = capsys.readouterr().err
    assert complaint in shown
    assert "Traceback" not in shown


def test_a_point_that_fails_is_told_and_the_others_are_kept(tmp_path, capsys):
    """The contract of a model has other tenants than the workload."""
    summary = tmp_path / "s.json"
    wrong = SAMPLES["sixteen"]
    arguments = ("--arbiter", "mcos", "--clocks", 4_000, "--workers", 1, "--json", summary)
    code = run_command("sweep", CONTRACT, wrong, *arguments, "-o", tmp_path / "s")
    assert code == 1
    found = json.loads(summary.read_text())
    assert (found["points"], found["rows"], len(found["failed"])) == (2, 4, 1)
    assert "1 of 2 points could not be run" in capsys.readouterr().err


def test_a_scheduler_that_is_lost_is_told_in_one_line(monkeypatch):
    class Lost:
        def exception(self):
            raise CancelledError("scheduler-connection-lost")

        def release(self):
            raise AssertionError("nothing is left to release")

    class Client:
        def __init__(self, *_, **__):
            pass

        def submit(self, *_, **__):
            return Lost()

        def close(self):
            pass

    monkeypatch.setattr("mcos_sim.sweep.cluster.Client", Client)
    monkeypatch.setattr("mcos_sim.sweep.cluster.as_completed", list)
    with Cluster("tcp://a:1") as cluster, pytest.raises(UserError, match="tcp://a:1 must stay up"):
        list(cluster.outcomes(print, {"key": {}}))
