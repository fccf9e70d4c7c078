"""Pages of the documentation as transcripts: files, edits and commands with their output.

A page is run from top to bottom in an empty folder. What counts are its fenced blocks::

    ```toml traffic.toml      the whole file
    ```diff contract.toml     an edit: lines with - become those with +, as they stand in the file
    ```console                commands after "$ ", each followed by all that it prints

``cd`` moves to another folder for all that follows. A line ``...`` stands for any lines, none
included. Progress is left out: how much of it is printed depends on the machine. A command ends
with exit code 0, or the one that ``$ echo $?`` shows after it.

``python -m tests.docs.transcript PAGE`` runs a page and writes into it what its commands print now.
"""

import dataclasses
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "Transcript",
    "differing_line",
    "is_progress",
]


_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PROGRESS = re.compile(
    r".+: ((\d+%( of [\d,]+ \w+)?, )?(\d+ s|\d+ min \d\d s|\d+ h \d\d min)(, .+)?|done in \d+ .+)"
)
_SECONDS = 240


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Command:
    """A command line and the lines that it prints."""

    line: str
    printed: list[str]


def is_progress(line: str) -> bool:
    """Whether a line is one of :mod:`mcos_sim.progress`."""
    return _PROGRESS.fullmatch(line) is not None


def differing_line(shown: list[str], printed: list[str]) -> str | None:
    """The first line of a page that is not what was printed, None if all agree.

    Parameters
    ----------
    shown : list[str]
        Lines of the page, of which ``...`` stands for any.
    printed : list[str]
        Lines of the command.
    """
    place = 0
    anywhere = False
    for line in shown:
        if line == "...":
            anywhere = True
            continue
        if anywhere:
            place = next((k for k in range(place, len(printed)) if printed[k] == line), -1)
            anywhere = False
        if not 0 <= place < len(printed) or printed[place] != line:
            return f"{line!r}, not {printed[place]!r}" if 0 <= place < len(printed) else repr(line)
        place += 1
    return None if anywhere or place == len(printed) else f"an end, not {printed[place]!r}"


class Transcript:
    """A page that is run in a folder.

    Parameters
    ----------
    page : pathlib.Path
        Markdown.
    folder : pathlib.Path
        Where it is run, empty at first.
    """

    def __init__(self, page: Path, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.commands = 0
        self._code = 0
        self._refresh = False

    def run(self, *, refresh: bool = False) -> str:
        """Write the files, make the edits, run the commands.

        Parameters
        ----------
        refresh : bool
            Whether a command may print something else than the page shows.

        Returns
        -------
        str
            The page, with what its commands printed where that is not what it shows.

        Raises
        ------
        AssertionError
            If an edit does not fit, or a command prints something else than the page shows.
        """
        self._refresh = refresh
        text = _BLOCK.sub(self._block, self.page.read_text(encoding="utf-8"))
        assert self.commands, f"{self.page.name} must run something"
        assert not self._code, f"{self.page.name} must say with $ echo $? how its last command ends"
        return text

    def _block(self, block: re.Match[str]) -> str:
        language, name, text = block.groups()
        if language == "console":
            lines = []
            for command in self._commands(text):
                lines += [f"$ {command.line}", *self._run(command)]
            return "\n".join(["```console", *lines, "```"])
        if language == "diff" and name:
            self._edit(self.folder / name, text)
        elif name:
            (self.folder / name).write_text(text, encoding="utf-8")
        return block[0]

    @staticmethod
    def _commands(text: str) -> Iterator[_Command]:
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            line, *printed = part.rstrip("\n").split("\n")
            while line.endswith("\\"):
                line = f"{line}\n{printed.pop(0)}"
            yield _Command(line=line, printed=[each.rstrip() for each in printed])

    def _run(self, command: _Command) -> list[str]:
        """Run a command.

        Returns
        -------
        list[str]
            Lines that the page should show for it.
        """
        self.commands += 1
        if command.line == "echo $?":
            code, self._code = str(self._code), 0
            assert self._refresh or command.printed == [code], f"the exit code is {code}"
            return [code]
        assert not self._code, f"the exit code before {command.line!r} is {self._code}"
        if command.line.startswith("cd "):
            self.folder = (self.folder / command.line[3:]).resolve(strict=True)
            return []
        done = subprocess.run(
            ["bash", "-c", command.line],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        self._code = done.returncode
        printed = [line.rstrip() for line in done.stdout.splitlines() if not is_progress(line)]
        wrong = differing_line(command.printed, printed)
        assert self._refresh or wrong is None, (
            f"{self.page.name}: $ {command.line} must print {wrong}:\n{done.stdout}"
        )
        return command.printed if wrong is None else printed

    @staticmethod
    def _edit(file: Path, text: str) -> None:
        lines = text.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in "- ")
        new = "".join(line[1:] for line in lines if line[0] in "+ ")
        before = file.read_text(encoding="utf-8")
        assert before.count(old) == 1, f"{file.name} must have these lines once:\n{old}"
        file.write_text(before.replace(old, new), encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as empty:
            page = Path(name)
            page.write_text(Transcript(page, Path(empty)).run(refresh=True), encoding="utf-8")
