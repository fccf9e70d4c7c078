"""What every command shares: consoles, progress bars and JSON files."""

import contextlib
import json
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mcos_sim.errors import UserError

__all__ = [
    "errors",
    "output",
    "progress",
    "require_outputs",
    "say",
    "write_json",
    "writing",
]


_PIPE_COLUMNS = 100


def _console(*, stderr: bool) -> Console:
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=None if terminal else _PIPE_COLUMNS)


output = _console(stderr=False)
"""Console for results."""

errors = _console(stderr=True)
"""Console for errors, warnings and progress."""


def say(text: object) -> None:
    """Print one line on stderr as it is, neither wrapped nor styled."""
    errors.print(str(text), markup=False, soft_wrap=True)


@contextlib.contextmanager
def progress(description: str, total: float) -> Generator[Callable[[float], None], None, None]:
    """A progress bar on stderr, silent when that is not a terminal.

    Parameters
    ----------
    description : str
        What is going on.
    total : float
        Amount of work, in any unit.

    Yields
    ------
    Callable[[float], None]
        Called with the amount of work done since the last call.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(description, total=total)

        def advance(amount: float) -> None:
            bar.advance(task, amount)

        yield advance


@contextlib.contextmanager
def writing(path: str | Path) -> Generator[None, None, None]:
    """Turn a failure to write into a :class:`UserError` that names ``path``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{path} must be a file that can be written, not this ({reason}); choose another"
        ) from None


def require_outputs(outputs: Iterable[Path | None], *, inputs: Iterable[Path | None] = ()) -> None:
    """Check, before any work is done, that files can be written and lose nothing.

    Parameters
    ----------
    outputs : Iterable[Path or None]
        Files that will be written; None for those that were not asked for. Missing folders are
        made.
    inputs : Iterable[Path or None]
        Files that are read and must stay.

    Raises
    ------
    UserError
        If an output is an input or another output, or cannot be written.
    """
    taken = {path.resolve() for path in inputs if path is not None}
    for path in outputs:
        if path is None:
            continue
        if path.resolve() in taken:
            raise UserError(
                f"{path} must not be written, because this command reads it or writes it as "
                "something else; choose another name"
            )
        taken.add(path.resolve())
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            existed = path.exists()
            path.open("a").close()
            if not existed:
                path.unlink()


def write_json(path: str | Path, mapping: Mapping[str, Any]) -> None:
    """Write a JSON file with sorted keys, the same bytes for the same values.

    Missing folders are made.

    Raises
    ------
    UserError
        If the file cannot be written.
    ValueError
        If a value is NaN or infinite.
    """
    text = json.dumps(mapping, indent=2, sort_keys=True, allow_nan=False) + "\n"
    target = Path(path)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
