"""The three looks at a mutant, each in a process of its own, and what is kept of them."""

import dataclasses
import functools
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mcos_sim.records import read_record, write_record
from tests.mutants.mutant import Mutant
from tests.mutants.plugin import VARIABLE

__all__ = [
    "LOOKS",
    "Look",
    "LookError",
    "kept",
    "look_at",
]

ROOT = Path(__file__).parents[2]

Tell = Callable[[Mutant, dict[str, Any]], None]
"""Called with what was found of a mutant."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """A way of looking at mutants.

    Parameters
    ----------
    name : str
        Its name.
    answers : tuple[str, ...]
        Columns of the result that it fills.
    sources : Callable[[Mutant], tuple[str, ...]]
        Patterns of the files that it depends on, the hardware aside.
    asks : Callable[[Mutant], object]
        What it asks of a mutant, the bug aside.
    """

    name: str
    answers: tuple[str, ...]
    sources: Callable[[Mutant], tuple[str, ...]]
    asks: Callable[[Mutant], object]


_SIMULATOR = (
    *("building", "engines", "environment", "fairness", "lockstep", "memory", "model"),
    *("traffic", "verilated", "waves"),
)

SIMULATED = Look(
    name="simulated",
    answers=("lockstep", "waves"),
    sources=lambda _: (
        "policy/**/*.py",
        *(f"sim/mcos_sim/{name}/**/*.*" for name in _SIMULATOR),
        *(f"sim/mcos_sim/{name}.py" for name in ("compiling", "scenario")),
        *(f"tests/mutants/{name}.py" for name in ("mutant", "simulated", "simulators")),
        "tests/planted*.py",
        "tests/sim/waves/windows.py",
    ),
    asks=lambda mutant: (mutant.tenants, mutant.lateness),
)
"""Lockstep and waveforms share a simulator, and so do mutants."""

UNIT = Look(
    name="unit",
    answers=("unit",),
    sources=lambda mutant: (
        *(f"tests/hw/{test.partition('::')[0]}" for test in mutant.unit),
        *(f"tests/hw/channel/{name}.py" for name in ("bench", "every_lateness")),
        *(f"tests/hw/channel/arbiter/wf2q/{name}.py" for name in ("queued_arbiter", "wfq_model")),
        *(f"tests/mutants/{name}.py" for name in ("mutant", "plugin")),
        "sim/mcos_sim/cosim/*.*",
        "sim/mcos_sim/building/*.*",
    ),
    asks=lambda mutant: mutant.unit,
)

PROVED = Look(
    name="proved",
    answers=("proof",),
    sources=lambda mutant: (
        *(f"tests/formal/blocks/{proof.removesuffix('.')}.py" for proof in mutant.proofs),
        *(f"tests/formal/{name}.py" for name in ("engine", "property", "solver")),
        *(f"tests/mutants/{name}.py" for name in ("mutant", "proved")),
    ),
    asks=lambda mutant: mutant.proofs,
)

LOOKS = (SIMULATED, UNIT, PROVED)
"""In the order in which they are taken."""


class LookError(Exception):
    """A look at a mutant ended without an answer; the text has the end of what it said."""


def kept(mutant: Mutant, look: Look, folder: Path) -> dict[str, Any] | None:
    """What a look found before, with the same mutant, hardware and checks."""
    file = _file(mutant, look, folder)
    return read_record(file, file.stem)


def look_at(mutants: Sequence[Mutant], look: Look, folder: Path, tell: Tell) -> None:
    """Look at mutants that share a simulator, or at one, and keep what is found.

    Raises
    ------
    LookError
        If it ends without an answer; those of the mutants before are told and kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_name = {each.name: each for each in mutants}

    def found(answer: dict[str, Any]) -> None:
        mutant = by_name[answer.pop("name")]
        file = _file(mutant, look, folder)
        write_record(file, file.stem, answer)
        tell(mutant, answer)

    if look is UNIT:
        for mutant in mutants:
            found(_unit(mutant))
    else:
        _checked(mutants, look, found)


def _checked(
    mutants: Sequence[Mutant], look: Look, found: Callable[[dict[str, Any]], None]
) -> None:
    names = [each.name for each in mutants]
    command = (sys.executable, "-m", "tests.mutants.check", look.name, *names)
    answered = set()
    other = []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith('{"name": '):
                other.append(line)
                continue
            answer = json.loads(line)
            answered.add(answer["name"])
            found(answer)
    if process.returncode or answered != set(names):
        raise LookError("".join(other)[-2000:])


def _unit(mutant: Mutant) -> dict[str, Any]:
    tests = [f"tests/hw/{test}" for test in mutant.unit]
    options = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "tests.mutants.plugin")
    ended = subprocess.run(
        (sys.executable, "-m", "pytest", *options, *tests),
        cwd=ROOT,
        env=os.environ | {VARIABLE: mutant.name},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode not in (0, 1):
        raise LookError((ended.stdout + ended.stderr)[-2000:])
    failed = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return {
        "name": mutant.name,
        "unit": ended.returncode == 1,
        "test": failed[0].partition(" ")[2][:160] if failed else None,
    }


def _file(mutant: Mutant, look: Look, folder: Path) -> Path:
    digest = hashlib.sha256(repr((mutant.name, mutant.bug, look.asks(mutant))).encode())
    digest.update(_digest(("hw/**/*.py", *look.sources(mutant))))
    return folder / f"{look.name}-{digest.hexdigest()[:16]}.json"


@functools.cache
def _digest(patterns: tuple[str, ...]) -> bytes:
    """Of all files of some patterns, as they are when the campaign begins."""
    digest = hashlib.sha256()
    for pattern in patterns:
        for file in sorted(ROOT.glob(pattern)):
            if file.is_file() and file.suffix in {".py", ".cpp", ".vlt"}:
                digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.digest()
