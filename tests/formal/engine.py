"""Proves a property: Amaranth to Yosys to SMT-LIB, ``yosys-smtbmc`` with Bitwuzla."""

import dataclasses
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Fragment

from tests.formal.property import Method, Property
from tests.formal.solver import SMTBMC, install

__all__ = [
    "RUNS",
    "CircuitError",
    "ProofError",
    "Verdict",
    "holds",
    "prove",
]


RUNS = {
    Method.INDUCTION: ("base", "step", "cover", "bug"),
    Method.BOUNDED: ("base", "cover", "bug"),
}
"""Runs of the solver for one property."""

FLATTENED = (
    "hierarchy -check -top top",
    # A ROM would hold anything in an induction step.
    "proc -norom",
    "flatten",
)
"""Yosys passes to a design whose every signal has a name in one module."""

LOWERED = (
    "memory_nordff",
    "memory -nomap -nordff",
    "async2sync",
    "chformal -lower",
    "delete t:$print",
    "opt_clean",
    "opt -full",
    "dffunmap",
    "opt_clean",
)
"""Yosys passes from there to what ``write_smt2`` takes; memories stay memories."""


class ProofError(Exception):
    """A tool gave no answer; the text says for which property or run, and names its log."""


class CircuitError(ProofError):
    """Yosys does not take the circuit of a property, as when a signal has another width."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found about a property.

    Parameters
    ----------
    passed : bool
        The claim holds.
    cover_reached : bool
        What makes the claim interesting happens within ``reach`` clocks.
    planted_bug_caught : bool
        With the bug planted, a trace from power-up breaks the claim within ``reach`` clocks.
    seconds : float
        Time it took.
    """

    passed: bool
    cover_reached: bool
    planted_bug_caught: bool
    seconds: float

    @property
    def good(self) -> bool:
        """The claim holds, and its proof says something."""
        return self.passed and self.cover_reached and self.planted_bug_caught


def prove(
    proved: Property,
    folder: Path,
    *,
    traces: bool = False,
    advance: Callable[[float], None] = lambda _: None,
) -> Verdict:
    """Prove a property, reach its covers, and look for its planted bug.

    Parameters
    ----------
    proved : Property
        The property.
    folder : Path
        Gets the circuits and logs, in a folder of the property's name.
    traces : bool
        Write VCD files of counterexamples, covers and the bug too; slow for large blocks.
    advance : Callable[[float], None]
        Told after each of the :data:`RUNS` of the solver.

    Raises
    ------
    ProofError
        If Yosys or a run of the solver ends without an answer.
    """
    begun = time.monotonic()
    work = folder / proved.name
    work.mkdir(parents=True, exist_ok=True)
    sound = _export(proved, work / "sound")
    reach = _export(proved, work / "reach", explores=True)
    with proved.bug.planted():
        broken = _export(proved, work / "broken", explores=True)
    circuits = {"base": sound, "step": sound, "cover": reach, "bug": broken}
    answers = {}
    for run in RUNS[proved.method]:
        answers[run] = _solve(circuits[run], work / run, _options(proved, run), traces=traces)
        advance(1)
    return Verdict(
        passed=answers["base"] and answers.get("step", True),
        cover_reached=answers["cover"],
        planted_bug_caught=not answers["bug"],
        seconds=round(time.monotonic() - begun, 2),
    )


def holds(proved: Property, folder: Path, *, seconds: int) -> bool:
    """Whether the claim of a property holds, without its cover and its planted bug.

    Parameters
    ----------
    proved : Property
        The property.
    folder : Path
        Gets the circuit and logs, in a folder of the property's name.
    seconds : int
        Processor time that a run of the solver may take.

    Raises
    ------
    CircuitError
        If Yosys does not take the circuit.
    ProofError
        If a run of the solver ends without an answer, or takes longer.
    """
    work = folder / proved.name
    work.mkdir(parents=True, exist_ok=True)
    sound = _export(proved, work / "sound")
    return all(
        _solve(sound, work / run, _options(proved, run), traces=False, seconds=seconds)
        for run in RUNS[proved.method]
        if run in ("base", "step")
    )


def _options(proved: Property, run: str) -> tuple[str, ...]:
    match run:
        case "base":
            # The step takes windows of depth + 1 clocks, none of which is the first one.
            clocks = proved.depth + (proved.method is Method.INDUCTION)
            return ("-t", f"{clocks}")
        case "step":
            return ("-i", "-t", f"{proved.depth}")
        case "cover":
            return ("-c", "-t", f"{proved.skip}:1:{proved.reach}")
        case _:
            return ("-t", f"{proved.skip}:1:{proved.reach}")


def _export(proved: Property, stem: Path, *, explores: bool = False) -> Path:
    """The circuit of a property as SMT-LIB."""
    config = proved.config
    if explores and proved.reach_config is not None:
        config = proved.reach_config
    harness = proved.harness(config, explores=explores)
    # The list of ports is complete after elaboration.
    fragment = Fragment.get(harness, None)
    source, target = stem.with_suffix(".il"), stem.with_suffix(".smt2")
    source.write_text(rtlil.convert(fragment, ports=harness.ports), encoding="utf-8")
    looks = [
        each
        for name, path in harness.inner.items()
        for each in (f"delete -input w:{name}", f"connect -nounset -set {name} {path}")
    ]
    script = (
        f"read_rtlil {source}",
        *FLATTENED,
        "cd top",
        *looks,
        "cd ..",
        "check -assert",
        *LOWERED,
        f"write_smt2 -wires {target}",
    )
    passes, log = stem.with_suffix(".ys"), stem.with_suffix(".yosys.log")
    passes.write_text("".join(f"{each}\n" for each in script), encoding="utf-8")
    # A process of its own, because Yosys ends it at the first mistake.
    command = f"from pyosys import libyosys; libyosys.run_pass({f'script {passes}'!r})"
    finished = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=False
    )
    log.write_text(finished.stdout + finished.stderr, encoding="utf-8")
    if finished.returncode:
        raise CircuitError(f"Yosys must take the circuit of {proved.name}; see {log}")
    return target


def _solve(
    circuit: Path,
    stem: Path,
    options: tuple[str, ...],
    *,
    traces: bool,
    seconds: int | None = None,
) -> bool:
    """Whether a run of ``yosys-smtbmc`` passed; its log and trace are named after ``stem``."""
    environment = install(stem.parents[1] / "bin")
    command = [
        *(sys.executable, str(SMTBMC)),
        *("-s", "bitwuzla", "--noprogress", "--nocomments", "--noincr"),
        *(("--dump-vcd", f"{stem}.vcd") if traces else ()),
        *options,
        str(circuit),
    ]
    finished = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=None if seconds is None else partial(_limit, seconds),
    )
    log = stem.with_suffix(".log")
    log.write_text(finished.stdout + finished.stderr, encoding="utf-8")
    status = re.search(r"Status: (PASSED|FAILED)$", finished.stdout, re.MULTILINE)
    if status is None:
        raise ProofError(
            f"run {stem.name!r} of {stem.parent.name} must pass or fail, not end without an "
            f"answer; see {log}"
        )
    return status[1] == "PASSED"


def _limit(seconds: int) -> None:
    """Ends this process and each that it starts after so much processor time."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
