"""A run under the eyes of the rules: the first violation is found and its window recorded."""

import dataclasses
import json

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.engines.model import run_scenario
from mcos_sim.engines.recording import live_images, row_words, rows_waveform
from mcos_sim.engines.watching import Watch
from mcos_sim.experiments.contention import WORKLOADS, Setting, contention_scenario
from mcos_sim.scenario import FIRST_CLOCK, Window
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import Rule, check_waveform
from tests.sim.commands.command_line import run_command
from tests.sim.waves.planted_hardware import live_bug, planted_library

CONTRACT = SAMPLES["decode-prefill"]


@pytest.fixture(scope="module")
def scenario():
    compiled = compile_contract(CONTRACT, ChannelConfig())
    setting = Setting(clocks=6_000)
    return contention_scenario(compiled, WORKLOADS["saturated"], "mcos", setting, name="watched")


class _Rows:
    """Keeps what an engine shows of some clocks."""

    def __init__(self, scenario, first, end):
        self.first, self.rows = first, np.zeros((end - first, row_words(scenario)), np.uint64)

    def begins(self, clock):
        return clock == self.first

    def before(self, clock):
        return self.first if clock > self.first and not self.rows.any() else clock

    def record(self, run):
        assert run(self.rows) == len(self.rows)

    def require_written(self):
        assert self.rows.any()


def test_rows_are_what_the_file_would_say(scenario, tmp_path):
    first, end = 2_000, 5_000
    window = Window(path=tmp_path / "w.vcd", first=first, end=end)
    run_scenario(dataclasses.replace(scenario, window=window))
    written = read_waveform(tmp_path / "w.vcd")
    kept = _Rows(scenario, first, end)
    run_scenario(scenario, recording=kept)
    shown = rows_waveform(kept.rows, scenario, first=first, images=live_images(scenario))
    assert shown.names == written.names
    assert np.array_equal(shown.clocks, written.clocks)
    for ours, theirs in (
        (shown.channel, written.channel),
        (shown.tenants, written.tenants),
        (shown.events, written.events),
    ):
        assert set(ours) == set(theirs)
        for name, column in theirs.items():
            assert np.array_equal(ours[name], column), name


def test_a_watched_run_gives_what_it_gives_unwatched(scenario):
    watched = run_scenario(scenario, recording=Watch(scenario))
    plain = run_scenario(scenario)
    assert watched.clocks == plain.clocks
    assert watched.channels == plain.channels


@pytest.fixture
def planted(monkeypatch):
    """The command's hardware has every mistake, and four tenants."""
    config = ChannelConfig(tenants=4)
    monkeypatch.setattr(
        "mcos_sim.commands.compile.compile_for",
        lambda contract, **_: compile_contract(contract, config),
    )
    monkeypatch.setattr(
        "mcos_sim.engines.verilated.channel_library",
        lambda config, arbiter, *_: planted_library(config),
    )


@pytest.mark.slow
@pytest.mark.parametrize("bug", [Rule.NOT_CHARGED, Rule.DOUBLE_RESPONSE], ids=lambda bug: bug.text)
def test_a_violation_is_recorded(bug, planted, tmp_path, capsys):
    """One is seen by a rule, the other is also a fault that ends the run."""
    waves = tmp_path / "v.vcd"
    with live_bug(bug):
        code = run_command(
            *("run", CONTRACT, "--engine", "verilated", "--record", "violation", "--waves", waves),
            *("--clocks", 30_000, "-o", tmp_path),
        )
    assert code == 1
    assert "Traceback" not in (told := capsys.readouterr().err)
    assert "waveform: " in told
    waveform = read_waveform(waves)
    violations, count = check_waveform(waveform)
    assert count
    assert violations[0].rule is bug
    assert violations[0].rule.text in told
    assert FIRST_CLOCK <= waveform.clocks[0] <= violations[0].clock
    assert json.loads(waves.with_suffix(".json").read_text())["clock"] == waveform.clocks[0]
    for suffix in (".gtkw", ".sucl"):
        assert waves.with_suffix(suffix).exists()


def test_nothing_wrong_leaves_nothing(tmp_path, capsys):
    waves = tmp_path / "v.vcd"
    code = run_command(
        *("run", CONTRACT, "--engine", "reference", "--record", "violation", "--waves", waves),
        *("--clocks", 30_000, "-o", tmp_path),
    )
    assert code == 0
    assert "no rule is broken in 30,000 clocks" in capsys.readouterr().err
    assert not waves.exists()


def test_cocotb_is_told_where_to_go(tmp_path, capsys):
    arguments = ("run", CONTRACT, "--engine", "cocotb", "--record", "violation")
    assert run_command(*arguments, "-o", tmp_path) == 2
    assert "needs --engine verilated" in capsys.readouterr().err
