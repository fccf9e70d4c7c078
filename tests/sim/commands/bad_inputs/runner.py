"""One bad input: a command line, the files it names, and what must come of it.

A row is a command line of ``mcos`` and a part of what it must say on stderr. Files stand under
names that the folder in which it runs has; their content is in :mod:`.pantry`.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from tests.sim.commands.command_line import run_command

__all__ = [
    "Content",
    "check",
    "ids",
]


Content: TypeAlias = str | bytes | Callable[[Path], object]
"""What a file holds, or what makes it."""

_BESIDE = {
    "c.toml": ("link.toml",),
    "bad.csv": ("t-bad-csv.toml",),
    "batch.csv": ("t-batch.toml",),
    "w.json": ("w.vcd", "w.fst"),
    "other.json": ("state.toml",),
}
"""Files that a row has because it names one of others."""

_SHOWN = 100

_UNFIT = re.compile(r"[^\n\t\x20-\x7e\u00a1-\uffff]")
"""What may not reach a terminal."""


def ids(rows: list[tuple[str, str]]) -> list[str]:
    """Names of rows in pytest's list: their command lines, the longest cut."""
    return [line[:_SHOWN] for line, _ in rows]


def check(
    line: str, says: str, files: Mapping[str, Content], folder: Path, capsys, monkeypatch, code=2
) -> None:
    """Run a row and hold it against every promise.

    The exit code and the message are right; there is no traceback and no escape code; every file
    is as it was; nothing new has a final name.
    """
    monkeypatch.chdir(folder)
    monkeypatch.setattr("mcos_sim.cosim.build.run_command", _no_build)
    monkeypatch.setattr("mcos_sim.verilated.build.run_command", _no_build)
    arguments = line.split(" ")
    for name, content in files.items():
        named = any(name in argument for argument in arguments)
        if named or any(other in arguments for other in _BESIDE.get(name, ())):
            _make(folder / name, content)
    before = _snapshot(folder)
    found = run_command(*(argument.replace("\\s", " ") for argument in arguments))
    shown = capsys.readouterr()
    assert (found, says in shown.err) == (code, True), shown.err
    for text in (shown.out, shown.err):
        assert "Traceback" not in text
        assert _UNFIT.search(text) is None, text
    after = _snapshot(folder)
    assert {name: after.get(name) for name in before} == before
    assert [name for name in after if name not in before] == []


def _no_build(*_: object) -> None:
    raise AssertionError("a row must be refused before a simulator is built")


def _make(path: Path, content: Content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)


def _snapshot(folder: Path) -> dict[str, str]:
    """Every file below a folder with its kind and content; folders do not count."""
    found = {}
    for root, folders, names in os.walk(folder):
        for name in (*names, *(each for each in folders if (Path(root) / each).is_symlink())):
            path = Path(root) / name
            if path.is_symlink():
                found[str(path)] = f"-> {os.readlink(path)}"
            elif stat.S_ISREG(path.stat().st_mode):
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[str(path)] = "special"
    return found
