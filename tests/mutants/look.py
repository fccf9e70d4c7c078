"""The three looks at a mutant, each in a process of its own, and what is kept of them."""

import dataclasses
import functools
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.mutants.mutant import Mutant
from tests.mutants.plugin import VARIABLE

__all__ = [
    "LOOKS",
    "Look",
    "LookError",
    "look_at",
]

ROOT = Path(__file__).parents[2]

SECONDS = 1800
"""How long a look may take."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """A way of looking at a mutant.

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


LOOKS = (
    Look(
        name="simulated",
        answers=("lockstep", "waves"),
        sources=(
            "policy",
            *(f"sim/mcos_sim/{name}" for name in ("compiled", "cosim", "environment", "lockstep")),
            *(f"sim/mcos_sim/{name}" for name in ("reference", "waves")),
            "tests/mutants/simulated.py",
            "tests/sim/waves/windows.py",
        ),
    ),
    Look(
        name="unit",
        answers=("unit",),
        sources=("policy", "sim/mcos_sim/cosim", "tests/hw"),
    ),
    Look(
        name="proved",
        answers=("proof",),
        sources=("tests/formal", "tests/mutants/proved.py"),
    ),
)
"""In the order in which they are taken; lockstep and waveforms share a simulator."""


class LookError(Exception):
    """A look at a mutant that ended without an answer; the text has the end of what it said."""


def look_at(mutant: Mutant, look: Look, folder: Path) -> dict[str, Any]:
    """What a look finds, or found before with the same mutant, hardware and checks.

    Raises
    ------
    LookError
        If it ends without an answer.
    """
    kept = folder / f"{look.name}-{_key(mutant, look)}.json"
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    begun = time.monotonic()
    found = _unit(mutant) if look.name == "unit" else _checked(mutant, look)
    found[f"{look.name}_seconds"] = round(time.monotonic() - begun, 1)
    folder.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(found), encoding="utf-8")
    draft.replace(kept)
    return found


def _checked(mutant: Mutant, look: Look) -> dict[str, Any]:
    ended = _run((sys.executable, "-m", "tests.mutants.check", look.name, mutant.name))
    if ended.returncode:
        raise LookError(f"{look.name} of {mutant.name!r} must end with an answer:\n{_end(ended)}")
    return json.loads(ended.stdout.splitlines()[-1])


def _unit(mutant: Mutant) -> dict[str, Any]:
    files = [f"tests/hw/{name}" for name in mutant.unit]
    options = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "tests.mutants.plugin")
    ended = _run((sys.executable, "-m", "pytest", *options, *files), {VARIABLE: mutant.name})
    if ended.returncode not in (0, 1):
        raise LookError(f"tests of {mutant.name!r} must run:\n{_end(ended)}")
    failed = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return {"unit": ended.returncode == 1, "test": failed[0][:160] if failed else None}


def _run(
    command: tuple[str, ...], more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | (more or {}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def _end(ended: subprocess.CompletedProcess[str]) -> str:
    return (ended.stdout + ended.stderr)[-2000:]


def _key(mutant: Mutant, look: Look) -> str:
    """Sixteen hexadecimal digits that name a mutant and all that a look at it depends on."""
    digest = hashlib.sha256(repr(mutant).encode())
    digest.update(_digest(("hw", *look.sources)))
    return digest.hexdigest()[:16]


@functools.cache
def _digest(sources: tuple[str, ...]) -> bytes:
    digest = hashlib.sha256()
    for source in sources:
        path = ROOT / source
        files = sorted(each for each in path.rglob("*") if each.suffix in {".py", ".cpp", ".vlt"})
        for file in files or [path]:
            digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.digest()
