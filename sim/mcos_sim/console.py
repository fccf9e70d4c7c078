"""What every command shares: consoles, progress bars and JSON files.

What is printed comes from contracts, traces, waveforms and file names, which may be a stranger's.
None of it is taken as markup, and no control character reaches the terminal.
"""

import contextlib
import json
import os
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from mcos_policy.diagnostics import printable
from mcos_policy.files import write_text
from mcos_sim.errors import UserError
from mcos_sim.outputs import require_outputs, writing
from mcos_sim.progress import Work, shown
from mcos_sim.tables import Column, Table

__all__ = [
    "errors",
    "json_text",
    "loading",
    "output",
    "print_table",
    "printable",
    "progress",
    "require_outputs",
    "say",
    "tell",
    "write_json",
    "writing",
]


_PIPE_COLUMNS = 100


class _Console(Console):
    """A console that takes strings as they are: no markup, no escape codes, no emoji codes."""

    def __init__(self, *, stderr: bool) -> None:
        stream = sys.stderr if stderr else sys.stdout
        terminal = stream is not None and stream.isatty()
        super().__init__(
            stderr=stderr,
            highlight=False,
            markup=False,
            emoji=False,
            width=None if terminal else _PIPE_COLUMNS,
        )

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as text. Every title, cell and line that is not text yet comes through here."""
        return super().render_str(printable(text, keep="\n"), **options)

    def on_broken_pipe(self) -> None:
        """Print no more, but let the command go on: it may have files to write."""
        _discard(sys.stderr if self.stderr else sys.stdout)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does.

        Raises
        ------
        UserError
            If standard output cannot be written, on a full disk for example.
        """
        try:
            super().print(*objects, **options)
        except OSError as error:
            _discard(sys.stderr if self.stderr else sys.stdout)
            if not self.stderr:
                raise UserError(
                    f"standard output must be writable, and is not ({error.strerror}); "
                    "send it somewhere else"
                ) from None


def _discard(stream: IO[str]) -> None:
    """Send what is still to be written to a stream nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


output = _Console(stderr=False)
"""Console for results."""

errors = _Console(stderr=True)
"""Console for errors, warnings and progress."""


def tell(text: object) -> None:
    """Print one line on stdout, not styled; a terminal's is broken at spaces."""
    _print_line(output, text)


def say(text: object) -> None:
    """Print one line on stderr, not styled; a terminal's is broken at spaces."""
    _print_line(errors, text)


def _print_line(console: Console, text: object) -> None:
    line = printable(text)
    if console.is_terminal:
        # A word that is wider than the terminal, such as a path, stays whole for the clipboard.
        lines = textwrap.wrap(
            line,
            console.width,
            subsequent_indent=" " * (len(line) - len(line.lstrip())),
            break_long_words=False,
            break_on_hyphens=False,
        )
        line = "\n".join(lines)
    console.print(line, soft_wrap=True)


def print_table(
    title: str,
    columns: Sequence[Column | str],
    rows: Iterable[Sequence[str | Text]],
    *,
    headings: bool = True,
    grouped: bool = False,
) -> None:
    """Print a :class:`mcos_sim.tables.Table` on stdout, in the layout that its width allows."""
    output.print(Table(title, columns, rows, headings=headings, grouped=grouped))


def progress(
    description: str, total: float | None, *, unit: str = ""
) -> contextlib.AbstractContextManager[Work]:
    """Show on stderr how far something is, while a block runs.

    Parameters
    ----------
    description : str
        What is going on.
    total : float or None
        Amount of work, in any unit; None where nobody knows it.
    unit : str
        Plural of what is counted, such as "clocks", to show how much is done a second.

    Returns
    -------
    AbstractContextManager[Work]
        Gives what is called with the amount of work done since the last call.
    """
    return shown(Work(description, total, unit=unit), errors)


def loading() -> contextlib.AbstractContextManager[Work]:
    """Show that engines are imported; their Python is compiled when it is first used."""
    return progress("Loading the engines", None)


def json_text(mapping: Mapping[str, Any]) -> str:
    """A JSON file with sorted keys, the same text for the same values.

    Raises
    ------
    ValueError
        If a value is NaN or infinite.
    """
    return json.dumps(mapping, indent=2, sort_keys=True, allow_nan=False) + "\n"


def write_json(path: str | Path, mapping: Mapping[str, Any]) -> None:
    """Write the JSON file of :func:`json_text`.

    Missing folders are made.

    Raises
    ------
    UserError
        If the file cannot be written.
    ValueError
        If a value is NaN or infinite.
    """
    target = Path(path)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, json_text(mapping))
