"""Results of steps, kept under a hash of everything they depend on."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = [
    "Cache",
]


class Cache:
    """A folder of steps that were run before.

    A step is known by its name and by its inputs: the same inputs give the same folder, and a step
    that finished is not run again. One that failed has no result and is.

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
        text = json.dumps(inputs, sort_keys=True, separators=(",", ":"))
        return self.directory / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def step(
        self,
        name: str,
        inputs: Mapping[str, Any],
        make: Callable[[Path], Mapping[str, Any]],
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
        """
        folder = self.folder(name, inputs)
        result = folder / "result.json"
        if not result.exists():
            folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(make(folder), sort_keys=True)
            partial = result.with_suffix(".partial")
            partial.write_text(text, encoding="utf-8")
            partial.rename(result)
        return json.loads(result.read_text(encoding="utf-8"))
