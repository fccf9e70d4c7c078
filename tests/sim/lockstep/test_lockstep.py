"""Hardware and model agree in every clock, and a mistake in either is seen."""

import dataclasses
import json

import pytest
from vcdvcd import VCDVCD

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.cli import main
from mcos_sim.lockstep.campaign import Design, campaign
from mcos_sim.lockstep.case import random_case
from mcos_sim.lockstep.compare import compare, traces
from mcos_sim.lockstep.shrink import shrink
from mcos_sim.lockstep.store import case_record, read_case
from mcos_sim.lockstep.waveform import write_both
from mcos_sim.scenario import FIRST_CLOCK
from tests.planted_hardware import live_bug, planted_library
from tests.sim.lockstep.bugs import (
    COMPACT_GROUPS_BUGS,
    COMPACT_HARDWARE_BUGS,
    HARDWARE_BUGS,
    RARE_HARDWARE_BUGS,
)

SMALL = ChannelConfig(tenants=4)
COMPACT = dataclasses.replace(SMALL, lateness=0, grant_interval=6)
CASES = 250
"""Seeds, from 1 on, that have to show a bug."""
FEW_HUNDRED = 400
"""Clocks of traffic that a reproduction may take."""

pytestmark = pytest.mark.cocotb


def first_difference(library, *, clocks, seeds, config=SMALL):
    for seed in seeds:
        case = random_case(config, seed=seed, clocks=clocks)
        difference = compare(case, library).difference
        if difference is not None:
            return case, difference
    return None


@pytest.mark.parametrize(
    ("config", "arbiter", "cases"),
    [
        (SMALL, ArbiterKind.MCOS, CASES),
        (dataclasses.replace(SMALL, lateness=0), ArbiterKind.MCOS, 100),
        (COMPACT, ArbiterKind.MCOS, 100),
        (dataclasses.replace(COMPACT, tenants=8, grant_interval=4), ArbiterKind.MCOS, 40),
        (COMPACT, ArbiterKind.FCFS, 15),
        (SMALL, ArbiterKind.FCFS, 30),
    ],
)
def test_hardware_and_model_agree(config, arbiter, cases):
    design = Design(config=config, arbiter=arbiter)
    report = campaign([design], first_seed=1, cases=cases, clocks=5_000, workers=1)
    assert not report.findings
    # Streams may all end before a case does.
    assert report.clocks > cases * 5_000 / 2


def test_a_case_is_the_same_after_a_file(tmp_path):
    case = random_case(SMALL, seed=5, clocks=600)
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case_record(case)))
    again = read_case(path)
    assert case_record(again) == case_record(case)
    assert again.scenario.image == case.scenario.image


BUGS = HARDWARE_BUGS | RARE_HARDWARE_BUGS
COMPACT_CASES = 60
GROUPS = dataclasses.replace(COMPACT, tenants=8)


def planted(name):
    """A library of which simulations have a bug while the context lasts."""
    return planted_library(SMALL, tuple(BUGS.values())), live_bug(list(BUGS).index(name))


def require_found(name, tmp_path):
    library, live = planted(name)
    with live:
        found = first_difference(library, clocks=5_000, seeds=range(1, CASES + 1))
        assert found is not None, f"{name}: nothing differs"
        case, difference = shrink(*found, library)
        assert difference.clock - FIRST_CLOCK <= FEW_HUNDRED, f"{name}: {difference}"
        waves = tmp_path / "both.vcd"
        sides = traces(case, library, first=FIRST_CLOCK)
    write_both(waves, sides, first=FIRST_CLOCK, config=SMALL)
    # Without a live bug the same hardware passes the same case.
    assert compare(case, library).difference is None
    return waves


def test_a_bug_in_the_hardware_is_found_and_shown(tmp_path):
    waves = VCDVCD(str(require_found("a bucket is never charged", tmp_path)))
    assert waves["lockstep.differs"].tv[-1][1] == "1"
    scope = "lockstep.{}.tenant_0.committed"
    sides = [waves[name].tv for name in waves.signals if "committed" in name]
    assert len(sides) == 2 * SMALL.tenants, scope


def require_found_if_compact(name, bugs, config):
    library = planted_library(config, tuple(bugs.values()))
    with live_bug(list(bugs).index(name)):
        seeds = range(1, COMPACT_CASES + 1)
        found = first_difference(library, clocks=5_000, seeds=seeds, config=config)
    assert found is not None, f"{name}: nothing differs"
    assert compare(found[0], library).difference is None


@pytest.mark.parametrize("name", COMPACT_HARDWARE_BUGS)
def test_a_bug_in_the_compact_arbiter_is_found(name):
    require_found_if_compact(name, COMPACT_HARDWARE_BUGS, COMPACT)


@pytest.mark.soak
@pytest.mark.parametrize("name", COMPACT_GROUPS_BUGS)
def test_a_bug_between_groups_is_found(name):
    require_found_if_compact(name, COMPACT_GROUPS_BUGS, GROUPS)


@pytest.mark.soak
@pytest.mark.parametrize("name", HARDWARE_BUGS)
def test_every_bug_in_the_hardware_is_found(name, tmp_path):
    require_found(name, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("name", RARE_HARDWARE_BUGS)
def test_what_shows_late_is_found(name):
    library, live = planted(name)
    with live:
        assert first_difference(library, clocks=5_000, seeds=range(1, CASES + 1)) is not None


def test_the_command_reports_what_it_compared(tmp_path, capsys):
    out = tmp_path / "lockstep.json"
    arguments = ["lockstep", "--tenants", "4", "--cases", "2", "--clocks", "1000"]
    with pytest.raises(SystemExit) as exit_:
        main([*arguments, "--workers", "1", "-o", str(tmp_path), "--json", str(out)])
    assert exit_.value.code == 0
    found = json.loads(out.read_text())
    assert (found["configurations"], found["differences"]) == (2, 0)
    assert found["lockstep_cycles"] > 500
    assert "0 differ" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--tenants", "5"), "must be a power of two, not 5"),
        (("--reproduce", "nowhere.json"), "nowhere.json must be a case to run again"),
        (("--reproduce", "pyproject.toml"), "must be a case as mcos lockstep writes it"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(arguments, complaint, tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["lockstep", *arguments, "-o", str(tmp_path)])
    assert exit_.value.code == 2
    assert complaint in capsys.readouterr().err
