"""Where a value comes from: a place in a file, an option, or an argument of a call."""

import dataclasses
from collections.abc import Iterable
from typing import ClassVar, TypeAlias

__all__ = [
    "Argument",
    "KeyPath",
    "Origin",
    "Place",
    "shorten",
]


KeyPath: TypeAlias = tuple[str | int, ...]
"""Way to a value from the top of a document: keys, and positions in arrays."""

_SHOWN_CHARACTERS = 60


@dataclasses.dataclass(frozen=True, kw_only=True)
class Origin:
    """What a message is about, as a whole: a file, an option, a call.

    Parameters
    ----------
    name : str
        What the message begins with: the file as the user named it, or the option with its value.
    path : KeyPath
        Way to the value; empty for the whole.
    """

    container: ClassVar[str] = "the contract"
    """What holds the value, in the middle of a sentence."""

    name: str
    path: KeyPath = ()

    @property
    def place(self) -> str:
        """What stands before the severity in a message."""
        return self.name

    @property
    def order(self) -> tuple[int, int]:
        """Messages are sorted by this: the order in which a reader meets their places."""
        return 0, 0

    @property
    def excerpt(self) -> str:
        """Lines that show the place below a message; empty where there is nothing to show."""
        return ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place(Origin):
    """A place in a file.

    Parameters
    ----------
    line, column : int
        Where it begins, both from 1, in characters.
    end : tuple[int, int]
        Line and column behind its last character.
    source_line : str
        The line that it begins in.
    """

    container: ClassVar[str] = "the file"

    line: int
    column: int
    end: tuple[int, int]
    source_line: str

    @property
    def place(self) -> str:
        """File, line and column."""
        return f"{self.name}:{self.line}:{self.column}"

    @property
    def order(self) -> tuple[int, int]:
        """Line and column."""
        return self.line, self.column

    @property
    def excerpt(self) -> str:
        """The line, and a caret under the column."""
        before = self.source_line[: self.column - 1]
        indent = "".join("\t" if character == "\t" else " " for character in before)
        return f"{self.source_line}\n{indent}^"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Argument(Origin):
    """A value that a program or a service gave, known by its way from the top.

    Parameters
    ----------
    position : int
        Its number among all values, in their order.
    """

    position: int

    @property
    def place(self) -> str:
        """The name of the whole, and the way from there such as ``tenant[0].name``."""
        return f"{self.name}:{_dotted(self.path)}" if self.path else self.name

    @property
    def order(self) -> tuple[int, int]:
        """The order of the values."""
        return self.position, 0


def _dotted(path: Iterable[str | int]) -> str:
    told = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return told.removeprefix(".")


def shorten(text: str) -> str:
    """A text on one line, and no longer than is read."""
    text = " ".join(text[: 4 * _SHOWN_CHARACTERS].split())
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."
