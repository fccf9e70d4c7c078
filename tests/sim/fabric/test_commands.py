"""``mcos run`` and ``mcos demo`` of several channels."""

import json

import pytest

from tests.sim.commands.command_line import run_command


def test_a_run_is_of_several_channels(tmp_path, capsys):
    out = tmp_path / "out.json"
    code = run_command(
        *("run", "decode-prefill", "--channels", 2, "--ports", 2, "--tenants", 4),
        *("--engine", "reference", "--clocks", 20_000, "-o", tmp_path, "--json", out),
    )
    assert code == 0
    found = json.loads(out.read_text())
    assert (found["channels"], found["channels_run"]) == (8, 2)
    assert min(found["channel_utilisation"]) > 0.95
    assert found["utilisation"] == pytest.approx(1, abs=0.05)
    decoder = found["tenants"][1]
    assert decoder["granted_gbps"] == pytest.approx(decoder["guaranteed_gbps"], rel=0.02)
    assert "used of each channel: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--channels", 3), "--channels must be one of 1, 2, 4, 8 with the 8 channels of"),
        (("--channels", 2, "--port", "channel"), "--channels must be 1 with --port channel, not 2"),
        (
            ("--channels", 2, "--waves", "unused.vcd", "--window", "2000:2100"),
            "--waves and --record must be of one channel, not 2; leave --channels out",
        ),
        (("--ports", 2), "--ports must go with --port axi, not channel"),
    ],
)
def test_what_cannot_be_run_is_refused(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = run_command("run", "decode-prefill", *options, "--engine", "reference")
    assert code == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_ports_of_a_demo_are_those_of_several_channels(tmp_path, capsys):
    assert run_command("demo", "--ports", 2, "-o", tmp_path) == 2
    assert "--ports must go with several --channels" in capsys.readouterr().err
