"""Results of steps, kept under a hash of everything they depend on."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mcos_policy.files import remove_partials
from mcos_sim.records import digest, read_record, write_record

__all__ = [
    "Cache",
]


class Cache:
    """A folder of steps that were run before.

    A step is known by its name and by its inputs: the same inputs give the same folder, and a step
    that finished is not run again. One that failed, or whose result is damaged, is.

    Parameters
    ----------
    directory : Path
        Folder of all steps.
    """

    def __init__(self, directory: Path) -> None:
        # Absolute, because tools run in folders of their own.
        self.directory = directory.resolve()

    def folder(self, name: str, inputs: Mapping[str, Any]) -> Path:
        """Folder of a step."""
        return self.directory / f"{name}-{digest(inputs)[:16]}"

    def step(
        self,
        name: str,
        inputs: Mapping[str, Any],
        make: Callable[[Path], Mapping[str, Any]],
        *,
        files: Sequence[str] = (),
    ) -> dict[str, Any]:
        """The result of a step, from its folder if it was run before.

        Parameters
        ----------
        name : str
            Name of the step.
        inputs : Mapping[str, Any]
            Everything that the result depends on.
        make : Callable[[Path], Mapping[str, Any]]
            Runs the step in the folder and returns its result, values for JSON.
        files : Sequence[str]
            Files in the folder that other steps read.
        """
        folder = self.folder(name, inputs)
        record = folder / "result.json"
        key = digest([name, inputs])
        found = read_record(record, key)
        if found is None or not _whole(folder, found["files"]):
            folder.mkdir(parents=True, exist_ok=True)
            remove_partials(folder)
            result = dict(make(folder))
            found = {"result": result, "files": {file: _sum(folder / file) for file in files}}
            write_record(record, key, found)
        return found["result"]


def _whole(folder: Path, files: Mapping[str, str]) -> bool:
    """Whether files of a step are as it left them."""
    return all(_sum(folder / name) == told for name, told in files.items())


def _sum(path: Path) -> str:
    """SHA-256 of a file, empty for one that cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
