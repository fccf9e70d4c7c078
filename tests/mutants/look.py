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
    sources : tuple[str, ...]
        Files and folders that it depends on, the hardware aside.
    """

    name: str
    answers: tuple[str, ...]
    sources: tuple[str, ...]


SIMULATED = Look(
    name="simulated",
    answers=("lockstep", "waves"),
    sources=(
        "policy",
        *(f"sim/mcos_sim/{name}" for name in ("compiled", "cosim", "environment", "lockstep")),
        *(f"sim/mcos_sim/{name}" for name in ("reference", "waves")),
        "tests/mutants/simulated.py",
        "tests/sim/waves/windows.py",
    ),
)
"""Lockstep and waveforms share a simulator, and so do mutants."""

LOOKS = (
    SIMULATED,
    Look(name="unit", answers=("unit",), sources=("policy", "sim/mcos_sim/cosim", "tests/hw")),
    Look(name="proved", answers=("proof",), sources=("tests/formal", "tests/mutants/proved.py")),
)
"""In the order in which they are taken."""


class LookError(Exception):
    """A look at a mutant ended without an answer; the text has the end of what it said."""


def kept(mutant: Mutant, look: Look, folder: Path) -> dict[str, Any] | None:
    """What a look found before, with the same mutant, hardware and checks."""
    file = _file(mutant, look, folder)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def look_at(mutants: Sequence[Mutant], look: Look, folder: Path, tell: Tell) -> None:
    """Look at mutants that share a simulator, or at one, and keep what is found.

    Raises
    ------
    LookError
        If it ends without an answer; those of the mutants before are told and kept.
    """
    by_name = {each.name: each for each in mutants}

    def found(answer: dict[str, Any]) -> None:
        mutant = by_name[answer.pop("name")]
        _keep(_file(mutant, look, folder), answer)
        tell(mutant, answer)

    if look.name == "unit":
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
    files = [f"tests/hw/{name}" for name in mutant.unit]
    options = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "tests.mutants.plugin")
    ended = subprocess.run(
        (sys.executable, "-m", "pytest", *options, *files),
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


def _keep(file: Path, answer: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(answer), encoding="utf-8")
    draft.replace(file)


def _file(mutant: Mutant, look: Look, folder: Path) -> Path:
    asked = {"unit": mutant.unit, "proved": mutant.proofs}
    about = (mutant.name, mutant.bug, asked.get(look.name, (mutant.tenants, mutant.lateness)))
    digest = hashlib.sha256(repr(about).encode())
    digest.update(_digest(("hw", *look.sources)))
    return folder / f"{look.name}-{digest.hexdigest()[:16]}.json"


@functools.cache
def _digest(sources: tuple[str, ...]) -> bytes:
    """Of all that a look depends on, as it is when the campaign begins."""
    digest = hashlib.sha256()
    for source in sources:
        path = ROOT / source
        files = sorted(each for each in path.rglob("*") if each.suffix in {".py", ".cpp", ".vlt"})
        for file in files or [path]:
            digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.digest()
