"""``mcos run``: small workloads on the real RTL, and the mistakes a user can make."""

import dataclasses
import json
import re
from fractions import Fraction

import pytest
from vcdvcd import VCDVCD

from mcos_policy.objectives import judge
from mcos_policy.samples import SAMPLES
from tests.sim.commands.command_line import run_command

CONTRACT = SAMPLES["decode-prefill"]


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "trace.jsonl"
    arguments = ("--generate", "mooncake", "--requests", 40, "--seed", 3, "-o", path)
    assert run_command("trace", *arguments) == 0
    return path


@pytest.mark.cocotb
def test_a_generated_trace_is_served_to_the_last_byte(tmp_path, trace, capsys):
    out = tmp_path / "out.json"
    code = run_command(
        "run",
        *(SAMPLES["llama-3-8b"], "--engine", "cocotb"),
        *("--trace", trace, "--model", "llama-3-8b", "--requests", 40, "--grants", 60_000),
        *("--json", out, "-o", tmp_path / "run"),
    )
    assert code == 0
    found = json.loads(out.read_text())
    assert found["grants"] >= 60_000
    assert found["workload"]["trace_requests"] == 40
    assert found["workload"]["offered_load"] > 0
    assert [row["name"] for row in found["tenants"]] == [
        "prefill",
        "decode-a",
        "decode-b",
        "decode-c",
    ]
    asked = found["workload"]["tenants"]
    for row, facts in zip(found["tenants"], asked, strict=True):
        assert row["bytes_granted"] == row["bytes_requested"]
        assert row["bytes_granted"] == facts["read_bytes"] + facts["write_bytes"] > 0
    assert "offered load" in capsys.readouterr().out


@pytest.mark.cocotb
@pytest.mark.parametrize("arbiter", ["mcos", pytest.param("fcfs", marks=pytest.mark.soak)])
def test_a_window_is_written_with_its_save_file(tmp_path, arbiter):
    waves, out = tmp_path / "waves" / "window.vcd", tmp_path / "out.json"
    code = run_command(
        *("run", CONTRACT, "--workload", "saturated", "--arbiter", arbiter, "--clocks", 4_000),
        *("--engine", "cocotb"),
        *("--waves", waves, "--window", "1500:1600", "--json", out),
        *("-o", tmp_path / "run"),
    )
    assert code == 0
    assert json.loads(out.read_text())["clocks"] == 4_000
    vcd = VCDVCD(str(waves))
    assert vcd.begintime == 1500 * 1250  # picoseconds at 800 MHz
    assert any("decode_a" in name for name in vcd.signals)
    state = json.loads(waves.with_suffix(".json").read_text())
    assert state["clock"] == 1500
    assert waves.with_suffix(".gtkw").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--waves", "x.vcd"), "must be given together"),
        (("--window", "1:2"), "must be given together"),
        (("--waves", "x.vcd", "--window", "2:1"), "two clocks A:B with A before B, not '2:1'"),
        (("--waves", "x.vcd", "--window", "a:b"), "two clocks A:B with A before B, not 'a:b'"),
        (("--waves", "x.fst", "--window", "1:2"), "must name a .vcd file, not 'x.fst'"),
        (
            ("--waves", "x.vcd", "--window", "1023:2000"),
            "must begin in clock 1024 or later, when the image is loaded, not in clock 1023",
        ),
        (
            ("--waves", "x.vcd", "--window", "1024:2001", "--clocks", "2000"),
            "must end by clock 2000, where the run ends, not 2001",
        ),
        (
            ("--waves", "x.vcd", "--window", "1024:2000", "--json", "x.json"),
            "choose another name",
        ),
        (("--record", "worst:p99", "--waves", "x.fst"), "--waves must name a .vcd file"),
        (("--record", "worst:p99", "--window", "1024:2000"), "leave --window out"),
        (("--json", CONTRACT), "choose another name"),
        (("--trace", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--trace", "nowhere.jsonl", "--model", "gpt-9"), "llama-3-70b"),
        (("no-contract.toml",), "no-contract.toml"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(
    tmp_path, monkeypatch, capsys, arguments, complaint
):
    monkeypatch.chdir(tmp_path)
    contract = () if arguments[0].endswith(".toml") else (CONTRACT,)
    assert run_command("run", *contract, *arguments) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("x.*"))


def test_a_contract_without_the_workloads_tenants_is_refused(tmp_path, capsys):
    contract = tmp_path / "contract.toml"
    contract.write_text(CONTRACT.read_text().replace('"decode-b"', '"decode-x"'))
    assert run_command("run", contract, "--workload", "loaded") == 2
    assert capsys.readouterr().err.startswith(
        "mcos: error: this workload needs tenant 'decode-b' with tag 2, "
        "and the contract has none of that name; "
    )


def _short_promises(contract, config):
    """Bounds that nothing keeps."""
    found = judge(contract, config)
    return {
        position: dataclasses.replace(each, terms={"nothing": Fraction(1)})
        for position, each in found.items()
    }


@pytest.mark.parametrize(("arbiter", "code"), [("mcos", 1), ("fcfs", 0)])
def test_a_broken_promise_is_said_and_fails_under_mcos(
    tmp_path, capsys, monkeypatch, arbiter, code
):
    monkeypatch.setattr("mcos_policy.compiler.judge", _short_promises)
    out = tmp_path / "out.json"
    arguments = ("run", CONTRACT, "--engine", "reference", "--clocks", 4_000, "--json", out)
    assert run_command(*arguments, "--arbiter", arbiter, "-o", tmp_path) == code
    rows = json.loads(out.read_text())["tenants"]
    assert any(row["breaches"] for row in rows)
    error = capsys.readouterr().err
    told = re.search(r"error: decode-a: \d+ of \d+ requests waited longer than the 1.25 ns", error)
    assert (told is not None) == bool(code)
    assert ("MCOS is at fault, or the bound supposes" in error) == bool(code)


def test_a_device_that_the_contract_does_not_fit_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("mcos_policy.compiler.judge", _short_promises)
    arguments = ("run", CONTRACT, "--engine", "reference", "--clocks", 4_000, "-o", tmp_path)
    assert run_command(*arguments, "--memory", "hbm3") == 1
    error = capsys.readouterr().err
    assert (
        "mcos: hbm3 has rows and refresh: the bound holds on it only under [memory] rate" in error
    )
    assert "at fault" not in error


@pytest.mark.parametrize(("slo", "code"), [("25 us", 0), ("150 ns", 1)])
def test_a_violated_objective_fails_where_it_is_required(tmp_path, capsys, slo, code):
    contract = tmp_path / "c.toml"
    text = CONTRACT.read_text().replace('"25 us"', f'"{slo}"')
    contract.write_text(text)
    arguments = ("run", contract, "--engine", "reference", "--clocks", 4_000, "-o", tmp_path)
    assert run_command(*arguments) == 0
    told = capsys.readouterr()
    assert ("requests later than 150 ns" in told.out) == bool(code)
    assert ("decode-a: kept: worst" in told.out) == (not code)
    assert run_command(*arguments, "--require-slo") == code
    assert ("--require-slo: an objective was not kept" in capsys.readouterr().err) == bool(code)


@pytest.mark.cocotb
def test_a_run_is_compiled_and_leaves_a_page_that_repeats_it(tmp_path, capsys):
    out = tmp_path / "out.json"
    options = ("--traffic-of", "decode-a=closed:window=16,think=1us", "--clocks", 4_000)
    assert run_command("run", CONTRACT, *options, "--json", out, "-o", tmp_path / "run") == 0
    found = json.loads(out.read_text())
    assert found["engine"] == "verilated"
    assert (found["traffic"], found["channels"], found["clock_khz"]) == ("options", 8, 800_000)
    page = (tmp_path / "run" / "report.html").read_text()
    assert "mcos run decode-prefill --traffic-of" in page
    told = capsys.readouterr().out
    assert told.startswith("traffic by options: prefill: backlogged; decode-a: closed loop: 16 out")
    assert "decode-b: kept: worst" in told


def test_without_a_contract_it_is_the_essays_workload(tmp_path):
    out = tmp_path / "out.json"
    arguments = ("run", "--engine", "reference", "--clocks", 4_000, "--json", out, "-o", tmp_path)
    assert run_command(*arguments) == 0
    found = json.loads(out.read_text())
    assert (found["traffic"], found["workload"]) == ("workload", {"workload": "loaded"})
    assert run_command(*arguments, "--traffic-of", "prefill=idle") == 0
    found = json.loads(out.read_text())
    assert found["traffic"] == "options"
    assert found["tenants"][0]["traffic"] == "idle"


def test_any_memory_takes_any_traffic(tmp_path):
    out = tmp_path / "out.json"
    options = ("--traffic-of", "prefill=idle", "--memory", "hbm3", "--engine", "reference")
    code = run_command(
        *("run", "decode-prefill-hbm3", *options, "--clocks", 20_000),
        *("--json", out, "-o", tmp_path),
    )
    assert code == 0
    found = json.loads(out.read_text())
    assert found["memory"]["name"] == "hbm3"
    assert all(row["breaches"] == 0 for row in found["tenants"])
    assert all(row["violations"] == 0 for row in found["tenants"])
