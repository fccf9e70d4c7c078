"""``mcos run`` and ``mcos demo`` of several channels."""

import json

import pytest

from mcos_policy.samples import contract_path
from mcos_sim.lockstep.campaign import Finding
from mcos_sim.lockstep.compare import Difference
from mcos_sim.lockstep.fabric_campaign import FabricDesign, FabricReport
from mcos_sim.lockstep.ports import PortFigures
from mcos_sim.ported.sizes import dealt
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


def test_a_coordinator_is_no_part_of_a_run(tmp_path, capsys):
    contract = tmp_path / "own.toml"
    text = contract_path("decode-prefill").read_text(encoding="utf-8")
    contract.write_text(
        text.replace(
            "[fabric]\n", '[fabric]\ninterleave = {grain = "1 KiB"}\ncoordinator = true\n', 1
        )
        + "\n[hardware]\nbeat_bytes = 64\nmax_beats = 8\n",
        encoding="utf-8",
    )
    arguments = ("--engine", "reference", "--clocks", 20_000, "-o", tmp_path / "run")
    assert run_command("run", contract, "--channels", 2, *arguments) == 0
    assert "coordinator in [fabric] is not part of a run" in " ".join(
        capsys.readouterr().err.split()
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--channels", 3), "--channels must be one of 1, 2, 4, 8 with the 8 channels of"),
        (("--channels", 2, "--port", "channel"), "--channels must be 1 with --port channel, not 2"),
        (
            (*("--channels", 2, "--engine", "cocotb"), "--waves", "w.vcd", "--window", "2000:2100"),
            "--waves of 2 channels must be with --engine verilated, which is the same hardware",
        ),
        (("--ports", 2), "--ports must go with --port axi, not channel"),
        (("--own-ports",), "--own-ports must go with several --channels; leave it out"),
        (("--shared-ports",), "--shared-ports must go with several --channels; leave it out"),
    ],
)
def test_what_cannot_be_run_is_refused(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = run_command("run", "decode-prefill", *options)
    assert code == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("ports", "channels", "own", "expected"),
    [
        (None, 1, False, ((0,), (1,), (2,))),
        (2, 1, False, ((0, 2), (1,))),
        (None, 2, False, ((0, 1, 2),) * 2),
        (None, 2, True, ((0,), (1,), (2,))),
        (None, 4, True, ((0,), (1,), (2,), (0,))),
        (2, 4, True, ((0, 2), (1,))),
    ],
)
def test_tenants_are_dealt_over_ports(ports, channels, own, expected):
    assert dealt((2, 0, 1), ports, channels=channels, own=own) == expected


def test_ports_of_a_demo_are_those_of_several_channels(tmp_path, capsys):
    assert run_command("demo", "--ports", 2, "-o", tmp_path) == 2
    assert "--ports must go with several --channels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--channels", 3), "--channels must be one of 1, 2, 4, 8, 16, 32, not 3; choose another"),
        (("--ports", 2), "--ports must go with several --channels; leave it out"),
        (("--channels", 2, "--lateness", 0, "--lateness", 3), "one design, not 2; give each size"),
        (("--channels", 2, "--reproduce", "case.json"), "--reproduce must be of one channel"),
    ],
)
def test_what_lockstep_cannot_compare_is_refused(options, message, capsys):
    assert run_command("lockstep", *options) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_difference_is_named_by_channel_clock_and_signal(tmp_path, monkeypatch, capsys):
    def found(design, *, first_seed, cases, clocks, **_):
        values = {"channel_1.virtual_time": (3, 4), "channel_1.tenant_0.queued": (1, 0)}
        difference = Difference(clock=1_234, values=values)
        finding = Finding(design=design, seed=7, clocks=clocks, difference=difference)
        return FabricReport(clocks=99, cases=cases, findings=(finding,), ports=PortFigures())

    monkeypatch.setattr("mcos_sim.lockstep.fabric_campaign.fabric_campaign", found)
    monkeypatch.setattr(FabricDesign, "build", lambda design: None)
    out = tmp_path / "out.json"
    code = run_command("lockstep", "--channels", 2, "--cases", 3, "--clocks", 500, "--json", out)
    assert code == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "clock 1234: hardware and model differ in 2 fields" in told
    assert "channel_1.virtual_time: hardware 0x3, model 0x4" in told
    assert "mcos lockstep --channels 2 --ports 2 --tenants 4 --arbiter mcos --cases 1" in told
    written = json.loads(out.read_text())
    assert (written["channels"], written["ports"], written["configurations"]) == (2, 2, 3)
    (difference,) = written["differences"]
    assert (difference["seed"], difference["clock"]) == (7, 1_234)
    assert difference["signals"]["channel_1.virtual_time"] == {"hardware": 3, "model": 4}


@pytest.mark.cocotb
@pytest.mark.soak
def test_lockstep_of_a_whole_fabric_finds_no_difference(tmp_path):
    out = tmp_path / "out.json"
    code = run_command("lockstep", "--channels", 2, "--ports", 2, "--cases", 40, "--json", out)
    assert code == 0
    written = json.loads(out.read_text())
    assert written["differences"] == []
    assert written["requests"]["requests"] > 20_000
