"""The table of mutants applies to the hardware, and a campaign says who saw which."""

import ast
import dataclasses
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.building import index
from tests.formal.prove import properties
from tests.mutants import look as looking
from tests.mutants import run, simulated
from tests.mutants.look import SIMULATED, UNIT, LookError, kept, look_at
from tests.mutants.mutant import Mutant, mutated, plant, source_of
from tests.mutants.simulators import groups
from tests.mutants.table import MUTANTS
from tests.mutants.table.reported import REPORTED
from tests.planted import Bug
from tests.sim.lockstep import test_lockstep

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
        name, _, test = file.partition("::")
        text = (ROOT / "tests" / "hw" / name).read_text()
        assert f"def {test.partition('[')[0]}" in text, file


def test_names_and_changes_are_unique_and_many():
    assert len({each.name for each in MUTANTS}) == len(MUTANTS)
    assert len({each.bug for each in MUTANTS}) == len(MUTANTS)
    assert len(MUTANTS) - len(REPORTED) >= NEAR


def test_proofs_that_a_mutant_names_exist():
    names = [each.name for each in properties()]
    for mutant in MUTANTS:
        for proof in mutant.proofs:
            assert proof.endswith(".")
            assert any(name.startswith(proof) for name in names), f"{mutant.name}: {proof}"
            assert (ROOT / "tests" / "formal" / "blocks" / f"{proof[:-1]}.py").exists()


def test_the_model_has_no_constant_from_what_a_mutant_changes():
    """Else both sides of lockstep would be wrong together."""
    constants = [re.match(r"([A-Z_]+) = |return max", each.bug.text) for each in MUTANTS]
    changed = {each[1] for each in constants if each and each[1]}
    assert changed == {"COUNT_WIDTH", "DRAIN_AGE", "OUTLET_DEPTH"}
    files = sorted((ROOT / "sim" / "mcos_sim" / "model").glob("*.py"))
    assert files
    for file in files:
        taken = {
            alias.name
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("mcos_hw")
            for alias in node.names
        }
        wrong = taken & (changed | {"terms_fraction", "terms_widening"})
        assert not wrong, f"{file.name} takes {wrong}"


@pytest.mark.parametrize(("text", "times"), [("no such text", 0), ("depth", 11)])
def test_a_text_must_stand_once(text, times):
    bug = Bug(module=MUTANT.bug.module, text=text, instead="")
    mutant = Mutant(name="x", bug=bug, promise="None.", unit=())
    source = "depth " * 11
    with pytest.raises(ValueError, match=f"must stand once in .*, not {times} times"):
        mutated(mutant, source)


def test_a_planted_constant_reaches_whoever_imports_it(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(index, "sources_hash", index.sources_hash)
    for name in [each for each in sys.modules if each.startswith("mcos_hw")]:
        monkeypatch.delitem(sys.modules, name)
    plant(MUTANT)
    from mcos_hw.channel import outlet

    assert outlet.OUTLET_DEPTH == 5
    assert "OUTLET_DEPTH = 5" in index.sources_hash()
    with pytest.raises(RuntimeError, match="must be planted before"):
        plant(MUTANT)


def test_mutants_share_a_simulator_where_they_can():
    together = groups(MUTANTS)
    assert sorted(each.name for group in together for each in group) == sorted(
        each.name for each in MUTANTS
    )
    shared, *others = together
    assert len(shared) > len(MUTANTS) / 2
    assert all(each.is_expression for each in shared)
    assert {(each.tenants, each.lateness) for each in shared} == {(4, 3)}
    assert all(len(group) == 1 for group in others if not group[0].is_expression)


def test_bugs_that_overlap_do_not_share():
    whole = dataclasses.replace(
        MUTANT,
        bug=Bug(
            module=MUTANT.bug.module,
            text="(count + comes + self.grant.valid < depth)",
            instead="Const(1, 1)",
        ),
    )
    part = dataclasses.replace(
        whole, bug=dataclasses.replace(whole.bug, text="count + comes + self.grant.valid")
    )
    apart = dataclasses.replace(whole, bug=dataclasses.replace(whole.bug, text="(count - leaves)"))
    assert groups([whole, part, apart, whole]) == [(whole, apart, whole), (part,)]
    small = dataclasses.replace(apart, tenants=16)
    assert groups([whole, small]) == [(whole,), (small,)]


def test_lockstep_asks_what_its_own_test_asks():
    assert simulated.CASES == test_lockstep.CASES


@pytest.fixture
def two_mutants(tmp_path, monkeypatch):
    """A campaign of two mutants whose looks are replaced: what was asked, and what has no answer.

    Lockstep sees the first one, a proof both, a unit test and waveforms none.
    """
    asked, broken = [], []

    def checked(mutants, look, found):
        for each in mutants:
            asked.append((look.name, each.name))
            if look.name in broken:
                raise LookError("no answer")
            first = each is REPORTED[0]
            answer = {"lockstep": first, "waves": False} if look is SIMULATED else {"proof": True}
            found({"name": each.name, **answer})

    monkeypatch.setattr(run, "FOLDER", tmp_path)
    monkeypatch.setattr(run, "MUTANTS", REPORTED[:2])
    monkeypatch.setattr(looking, "_checked", checked)
    monkeypatch.setattr(looking, "_unit", lambda mutant: {"name": mutant.name, "unit": False})
    return asked, broken


def test_a_campaign_says_who_saw_which(two_mutants, tmp_path, capsys):
    target = tmp_path / "result.json"
    assert run.main(["--json", str(target)]) == 1, "lockstep misses its goal"
    result = json.loads(target.read_text())
    assert (result["mutants"], result["rate_any"], result["rate_lockstep"]) == (2, 1.0, 0.5)
    assert result["seen"] == {"lockstep": 1, "unit": 0, "proof": 2, "waves": 0, "any": 2}
    assert (result["unseen"], result["unanswered"]) == ([], [])
    assert result["config_hash"] == ChannelConfig().hash
    first, second = result["rows"]
    assert {name: second[name] for name in run.COLUMNS} == {
        "lockstep": False,
        "unit": False,
        "proof": True,
        "waves": False,
    }
    assert (first["seen_by"], second["seen_by"]) == (["lockstep", "proof"], ["proof"])
    assert "rate_lockstep: 50.0% of 2 (goal 80%)" in capsys.readouterr().out


def test_a_campaign_goes_on_where_it_was(two_mutants, tmp_path, capsys):
    asked, broken = two_mutants
    broken.append("proved")
    target = tmp_path / "result.json"
    names = [each.name for each in REPORTED[:2]]
    assert run.main(["--json", str(target)]) == 1
    result = json.loads(target.read_text())
    assert (result["unanswered"], result["unseen"]) == (names, [names[1]])
    assert f"proved ended without an answer: {names[0]}" in capsys.readouterr().out

    broken.clear()
    asked.clear()
    run.main(["--json", str(target)])
    assert sorted(asked) == [("proved", name) for name in sorted(names)]
    assert json.loads(target.read_text())["rate_any"] == 1.0

    asked.clear()
    assert run.main(["--json", str(target), "--only", "proof", names[1]]) == 0
    assert asked == []


def test_what_is_kept_belongs_to_one_state_of_the_sources(tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "_unit", lambda mutant: {"name": mutant.name, "unit": True})
    first, other = MUTANTS[:2]
    look_at([first, other], UNIT, tmp_path, lambda mutant, found: None)
    assert kept(first, UNIT, tmp_path) == {"unit": True}
    assert kept(first, SIMULATED, tmp_path) is None
    assert kept(dataclasses.replace(first, unit=()), UNIT, tmp_path) is None
    monkeypatch.setattr(looking, "_digest", lambda patterns: b"another hardware")
    assert kept(first, UNIT, tmp_path) is None


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
