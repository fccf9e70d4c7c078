"""The table of mutants applies to the hardware, and a campaign says who saw which."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mcos_hw.config import ChannelConfig
from tests.formal.prove import properties
from tests.mutants import look as looking
from tests.mutants import run
from tests.mutants.look import LOOKS, LookError, look_at
from tests.mutants.mutant import Mutant, mutated, plant, source_of
from tests.mutants.table import MUTANTS
from tests.mutants.table.reported import REPORTED
from tests.planted import Bug

ROOT = Path(__file__).parents[2]

MUTANT = Mutant(
    name="a bug of this test",
    bug=Bug(module="mcos_hw.channel.outlet", text="OUTLET_DEPTH = 3", instead="OUTLET_DEPTH = 5"),
    promise="None.",
    unit=("channel/test_outlet.py",),
)

NEAR = 40
"""Bugs of our own beside the reported ones, at least."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_applies(mutant):
    source = source_of(mutant.bug.module)
    broken = ModuleType(mutant.bug.module)
    exec(compile(mutated(mutant, source), mutant.bug.module, "exec"), broken.__dict__)
    assert mutant.promise.endswith(".")
    assert mutant.unit
    for file in mutant.unit:
        assert (ROOT / "tests" / "hw" / file).exists(), file


def test_names_and_changes_are_unique_and_many():
    assert len({each.name for each in MUTANTS}) == len(MUTANTS)
    assert len({each.bug for each in MUTANTS}) == len(MUTANTS)
    assert len(MUTANTS) - len(REPORTED) >= NEAR


def test_most_mutants_have_a_proof_that_could_see_them():
    names = [each.name for each in properties()]
    with_proof = [m for m in MUTANTS if any(name.startswith(m.proofs) for name in names)]
    assert len(with_proof) / len(MUTANTS) > 0.7


@pytest.mark.parametrize(("text", "times"), [("no such text", 0), ("depth", 11)])
def test_a_text_must_stand_once(text, times):
    bug = Bug(module=MUTANT.bug.module, text=text, instead="")
    mutant = Mutant(name="x", bug=bug, promise="None.", unit=())
    source = "depth " * 11
    with pytest.raises(ValueError, match=f"must stand once in .*, not {times} times"):
        mutated(mutant, source)


def test_a_planted_constant_reaches_whoever_imports_it(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    for name in [each for each in sys.modules if each.startswith("mcos_hw")]:
        monkeypatch.delitem(sys.modules, name)
    plant(MUTANT)
    from mcos_hw.channel import outlet

    assert outlet.OUTLET_DEPTH == 5
    with pytest.raises(RuntimeError, match="must be planted before"):
        plant(MUTANT)


def test_a_campaign_counts_and_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    """Looks are replaced; the one that fails first is taken again, the others are kept."""
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    asked = []
    broken = [True]

    def checked(mutant, look):
        asked.append((mutant.name, look.name))
        if broken and look.name == "proved":
            raise LookError("no answer")
        first = mutant is REPORTED[0]
        return {"lockstep": first, "waves": False} if look.name == "simulated" else {"proof": True}

    monkeypatch.setattr(looking, "_checked", checked)
    monkeypatch.setattr(looking, "_unit", lambda mutant: {"unit": False})
    monkeypatch.setattr(run, "MUTANTS", REPORTED[:2])
    target = tmp_path / "result.json"
    assert run.main(["--json", str(target), "--jobs", "1"]) == 1
    result = json.loads(target.read_text())
    assert (result["rate_any"], result["rate_lockstep"]) == (0.5, 0.5)
    assert result["without_an_answer"] == [each.name for each in REPORTED[:2]]
    assert result["config_hash"] == ChannelConfig().hash
    assert result["unseen"] == [REPORTED[1].name]

    broken.clear()
    asked.clear()
    assert run.main(["--json", str(target)]) == 1, "lockstep alone misses its goal"
    assert asked == [(each.name, "proved") for each in REPORTED[:2]] or len(asked) == 2
    result = json.loads(target.read_text())
    assert (result["rate_any"], result["without_an_answer"]) == (1.0, [])
    row = result["rows"][1]
    assert {name: row[name] for name in run.COLUMNS} == {
        "lockstep": False,
        "unit": False,
        "proof": True,
        "waves": False,
    }
    assert row["seen_by"] == ["proof"]
    assert "rate_lockstep: 50.0% of 2 (goal 80%)" in capsys.readouterr().out


def test_what_is_kept_belongs_to_one_state_of_the_sources(tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "_unit", lambda mutant: {"unit": True})
    unit = next(each for each in LOOKS if each.name == "unit")
    first, other = MUTANTS[:2]
    for mutant in (first, other, first):
        assert look_at(mutant, unit, tmp_path)["unit"]
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(looking, "_digest", lambda sources: b"another hardware")
    look_at(first, unit, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["no such mutant"], "names must be parts of mutants' names"),
        (["--only", "luck"], "--only takes lockstep, unit, proof, waves, not luck"),
    ],
)
def test_a_users_mistake_is_told(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as exit_:
        run.main(arguments)
    assert exit_.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.soak
@pytest.mark.cocotb
def test_one_mutant_end_to_end(tmp_path, monkeypatch):
    """A queue that is full too long: lockstep, tests and a proof see it, waveforms do not."""
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    target = tmp_path / "result.json"
    assert run.main(["a queue is full a clock longer", "--json", str(target)]) == 0
    (row,) = json.loads(target.read_text())["rows"]
    assert (row["lockstep"], row["unit"], row["proof"]) == (True, True, True)
