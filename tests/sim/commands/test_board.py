"""``mcos board`` against boards that are programs, and what it shows."""

import json
from io import StringIO

import pytest
from rich.console import Console

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.client.board import Pattern
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.board.comparison import Comparison, LaneFound, TenantFound, patterns_of
from mcos_sim.board.live import table
from tests.policy.client.fake_board import FakeBoard, Terminal
from tests.sim.commands.command_line import run_command

DEVICE = ("board", "--seconds", "0.1", "--baud", "115200", "--serial")


@pytest.fixture(scope="module")
def compiled():
    return compile_contract(SAMPLES["ulx3s"], ChannelConfig(tenants=4))


def counted(fake, *, wrong=0):
    """A board on which FCFS is five times as late."""
    words = {"ANSWERED": 1000, "LATENCY_SUM": 50_000, "LATENCY_MOST": 60, "WRONG": 0}
    for name, word in words.items():
        for k in range(4 * len(fake.lanes)):
            place = fake.map[name].offset + 4 * k
            fake.words[place] = 5 * word if k >= 4 and "LATENCY" in name else word
    fake.words[fake.map["WRONG"].offset] = wrong
    for lane in fake.lanes:
        lane.set("EPOCH", epoch=3)
        first = lane.map["SLO_VIOLATIONS"].offset // 4
        lane.words[first] = 7 if lane is fake.lanes[-1] else 0
    return fake


def test_a_board_is_loaded_and_read(tmp_path, capsys):
    fake = counted(FakeBoard())
    result = tmp_path / "board.json"
    with Terminal(fake) as terminal:
        assert run_command(*DEVICE, terminal.path, "--json", result) == 0
    shown, said = capsys.readouterr()
    assert f"found: {terminal.path}, 4 tenants, register map 0x" in said
    assert "arbiters mcos, fcfs" in said
    assert "0 wrong beats" in shown
    found = json.loads(result.read_text())
    loaded = found["loaded"]
    assert loaded["mcos"]["decode-a"]["latency_mean"] == 50
    assert loaded["fcfs"]["decode-a"]["latency_mean"] == 250
    assert loaded["fcfs"]["decode-a"]["late"] == 7
    assert loaded["mcos"]["decode-a"]["late"] == 0
    assert loaded["mcos"]["prefill"]["bytes"] == 1000 * 128
    assert found["board"] == "device"
    assert found["patterns"]["prefill"]["window"] == 16
    # The same image is live in both, and every generator is off in the end.
    assert [lane.words[lane.map["GENERATION"].offset // 4] for lane in fake.lanes] == [1, 1]
    generator = fake.map["GENERATOR"]
    last = {}
    for region, place, word in fake.written:
        if region == 0 and place == generator.offset:
            fields = generator.unpack(word)
            last[fields["tenant"]] = fields["on"]
    assert last == dict.fromkeys(range(4), 0)


def test_another_board_is_shown_beside(tmp_path, capsys):
    """Boards with one lane each, one after the other."""
    result = tmp_path / "fcfs.json"
    with Terminal(counted(FakeBoard(arbiters=(ArbiterKind.FCFS,)))) as terminal:
        assert run_command(*DEVICE, terminal.path, "--json", result) == 0
    assert "MCOS" not in capsys.readouterr().out
    with Terminal(counted(FakeBoard(arbiters=(ArbiterKind.MCOS,)))) as terminal:
        assert run_command(*DEVICE, terminal.path, "--beside", result) == 0
    heading = capsys.readouterr().out
    assert heading.count("MCOS") == heading.count("FCFS") == 5


def test_what_is_no_earlier_run(tmp_path, capsys):
    path = tmp_path / "other.json"
    for text, told in (
        ("{}", "must be what --json of this command wrote of the same contract"),
        ("[", "not something else ("),
        ('{"contract": {"name": "x.toml", "sha256": ""}}', "(of another contract, x.toml)"),
    ):
        path.write_text(text)
        assert told in one_line(capsys, *DEVICE, "/dev/none", "--beside", path)


def test_a_wrong_beat_fails(capsys):
    with Terminal(counted(FakeBoard(), wrong=3)) as terminal:
        assert run_command(*DEVICE, terminal.path) == 1
    assert "every beat that is read must be right, and 6 were not" in capsys.readouterr().err


def one_line(capsys, *arguments):
    """The only line of a refusal."""
    assert run_command(*arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert len(lines) == 1
    return lines[0]


def test_devices_that_are_none(tmp_path, capsys):
    told = one_line(capsys, *DEVICE, tmp_path / "none")
    assert "must be a serial device that can be opened, not missing; plug the board in" in told
    with Terminal() as terminal:
        assert "must answer, not be silent; check" in one_line(capsys, *DEVICE, terminal.path)


def test_a_board_of_other_sizes(capsys):
    with Terminal(FakeBoard(ChannelConfig(tenants=8))) as terminal:
        told = one_line(capsys, *DEVICE, terminal.path)
    assert "the core must have the sizes that software was given: tenants 4, " in told
    assert "not tenants 8, " in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "one of --serial DEVICE and --simulated must be given, not none; choose one"),
        (("--simulated", "--serial", "x"), "must be given, not both; choose one"),
        (("--simulated", "--baud", "9600"), "--baud must go with --serial, not with --simulated"),
    ],
)
def test_options_that_exclude_each_other(capsys, arguments, told):
    assert told in one_line(capsys, "board", *arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--target", "ulx4s"), "target must be one of generic, ulx3s, not 'ulx4s'; choose one"),
        (("--target", "ulx3s", "fpga"), "--target ulx3s must be alone, as the board has its own"),
        (("--target", "ulx3s", "--memories", "wrapped"), "not with --memories wrapped; leave it"),
        (("--target", "ulx3s", "--tenants", "8"), "not with options of hardware; leave it out"),
        (("--target", "ulx3s", "--arbiter", "mcos,lifo"), "or several with commas, not 'lifo'"),
    ],
)
def test_verilog_of_a_board_that_is_none(tmp_path, capsys, arguments, told):
    assert told in one_line(capsys, "verilog", "-o", tmp_path, *arguments)


def test_a_board_that_is_not_known_is_not_built(tmp_path, capsys):
    told = one_line(capsys, "build", "--target", "de10", "-o", tmp_path)
    assert "target must be one of ulx3s, not 'de10'; choose one" in told


def test_tenants_with_an_objective_ask_at_a_pace_and_the_others_for_all(compiled):
    patterns = patterns_of(compiled)
    paced = Pattern(interval=48, window=4, beats=8)
    assert patterns == {**dict.fromkeys(range(3), paced), 3: Pattern(window=16, beats=16, writes=1)}


def test_a_table_has_a_row_a_tenant_and_columns_an_arbiter(compiled):
    def lane(arbiter, mean, late=None):
        each = TenantFound(answered=1, bytes=64, latency_mean=mean, latency_most=90, wrong=0)
        return LaneFound(arbiter=arbiter, tenants=dict.fromkeys(range(4), each), late=late)

    alone = lane(ArbiterKind.MCOS, 40.0), lane(ArbiterKind.FCFS, 30.0)
    loaded = lane(ArbiterKind.MCOS, 50.0), lane(ArbiterKind.FCFS, 200.0, dict.fromkeys(range(4), 9))
    found = Comparison(compiled=compiled, patterns=patterns_of(compiled))
    for phases in ({}, {"alone": alone}, {"alone": alone, "loaded": loaded}):
        stream = StringIO()
        state = Comparison(compiled=found.compiled, patterns=found.patterns, **phases)
        Console(file=stream, width=120).print(table(state, title="title"))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "title; 0 wrong beats"
    (row,) = [line for line in lines if line.startswith("decode-a")]
    wanted = ["decode-a", "48", "clocks", "1,000", "750", "1,250", "2,250", "25.0%", "-"]
    assert row.split() == [*wanted, "5,000", "2,250", "25.0%", "9"]
