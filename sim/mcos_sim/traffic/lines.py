"""The lines of a trace file, and how to say that one of them is wrong."""

import os
import reprlib
from pathlib import Path

from mcos_sim.errors import UserError

__all__ = [
    "MAX_TOKENS",
    "malformed",
    "read_lines",
]


MAX_TOKENS = 2**31 - 1
"""Most tokens a request may claim; more is a mistake in the file."""


def malformed(path: os.PathLike[str] | str, line: int, rule: str, value: object) -> UserError:
    """Complaint ``path:line: rule, not value`` about one line of a trace."""
    return UserError(f"{path}:{line}: {rule}, not {reprlib.repr(value)}")


def read_lines(path: os.PathLike[str] | str) -> list[tuple[int, str]]:
    """Lines of a UTF-8 text file that hold something, each with its number, from 1.

    Raises
    ------
    UserError
        If the file cannot be read, is empty, or is not UTF-8 text.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: a trace must be a readable file, not {error.strerror or error!r}"
        ) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise malformed(
            path, line, "a trace must be UTF-8 text", content[error.start : error.start + 8]
        ) from None
    lines = [
        (number, line.strip())
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    ]
    if not lines:
        raise UserError(f"{path}:1: a trace must hold at least one request, not an empty file")
    return lines
