"""Waveforms of several channels, and their views."""

import json
import shutil

import pytest

from tests.sim.commands.command_line import run_command

FIRST, END = 3_000, 4_000


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder with what a run of two channels recorded, under the name ``w.vcd``."""
    folder = tmp_path_factory.mktemp("recorded")
    code = run_command(
        *("run", "decode-prefill", "--channels", 2, "--ports", 2, "--tenants", 4),
        *("--engine", "reference", "--clocks", 6_000, "-o", folder),
        *("--waves", folder / "w.vcd", "--window", f"{FIRST}:{END}"),
    )
    assert code == 0
    return folder


def test_each_channel_has_a_waveform_that_keeps_the_rules(recorded, tmp_path, capsys):
    out, trace, page = tmp_path / "j.json", tmp_path / "p.json", tmp_path / "t.html"
    span = f"{FIRST}:{FIRST + 100}"
    code = run_command(
        *("waves", recorded / "w.vcd", "--json", out, "--perfetto", trace, "--html", page),
        *("--grants", span),
    )
    assert code == 0
    channels = json.loads(out.read_text())["channels"]
    assert [each["channel"] for each in channels] == [0, 1]
    for each in channels:
        assert (each["violation_count"], each["clocks"]) == (0, END - FIRST)
        assert len(each["grants"]) > 8
        assert sum(tenant["grants"] for tenant in each["tenants"]) > 100
    assert channels[0]["grants"] != channels[1]["grants"]
    assert "channel 1: 1,000 clocks" in capsys.readouterr().out
    events = json.loads(trace.read_text())["traceEvents"]
    names = {each["pid"]: each["args"]["name"] for each in events if each["name"] == "process_name"}
    assert {names[0], names[10_000]} == {"channel 0: prefill", "channel 1: prefill"}
    begun = [each["pid"] // 10_000 for each in events if each["ph"] == "b"]
    assert min(begun.count(channel) for channel in (0, 1)) > 100
    second = (tmp_path / "t_01.html").read_text(encoding="utf-8")
    assert "Waveform of channel 1" in second
    assert 'href="t_00.html"' in second


def test_a_violation_is_that_of_its_channel(recorded, tmp_path, capsys):
    for file in recorded.glob("w_*"):
        shutil.copy(file, tmp_path)
    state = tmp_path / "w_01.json"
    told = json.loads(state.read_text())
    told["images"][0]["tenants"][1]["committed_rate"] //= 2
    state.write_text(json.dumps(told))
    assert run_command("waves", tmp_path / "w.vcd", "--channel", 0) == 0
    capsys.readouterr()
    assert run_command("waves", tmp_path / "w.vcd") == 1
    said = capsys.readouterr().out
    assert "w_00.vcd, clocks 3,000 to 4,000 of MCOS under decode-prefill.toml: no rule" in said
    assert "w_01.vcd, clocks 3,000 to 4,000 of MCOS under decode-prefill.toml: " in said
    assert run_command("waves", tmp_path / "w.vcd", "--channel", 1) == 1


@pytest.mark.parametrize(
    ("name", "channel", "message"),
    [
        ("w.vcd", 2, "--channel must be one of the 2 recorded, 0 to 1, not 2; choose another"),
        ("w_00.vcd", 0, "--channel must go with a waveform of several channels, not"),
    ],
)
def test_a_channel_that_is_not_there_is_refused(recorded, name, channel, message, capsys):
    assert run_command("waves", recorded / name, "--channel", channel) == 2
    assert message in " ".join(capsys.readouterr().err.split())
