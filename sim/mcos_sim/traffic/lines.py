"""The lines of a trace file, and how to say that one of them is wrong."""

import codecs
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

MAX_BYTES = 2**28
"""Largest trace, some million requests: the whole file is held in memory."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def malformed(path: os.PathLike[str] | str, line: int, rule: str, value: object) -> UserError:
    """Complaint ``path:line: rule, not value`` about one line of a trace.

    A rule may end with ``; way out``, which then follows the value.
    """
    rule, semicolon, way_out = rule.partition("; ")
    return UserError(f"{path}:{line}: {rule}, not {reprlib.repr(value)}{semicolon}{way_out}")


def read_lines(path: os.PathLike[str] | str) -> list[tuple[int, str]]:
    """Lines of a UTF-8 text file that hold something, each with its number, from 1.

    Lines end with a line feed, a carriage return or both, and keep the spaces around them.

    Raises
    ------
    UserError
        If the file cannot be read, is empty or too large, or is not UTF-8 text.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{path}: a trace must be a readable file, not this ({reason})") from None
    if len(content) > MAX_BYTES:
        raise UserError(
            f"{path}: a trace must have at most {MAX_BYTES:,} bytes, not more; "
            "cut it, as with head -n 1000000"
        )
    if content.startswith(_UTF16):
        raise malformed(
            path, 1, "a trace must be UTF-8 text; save it as UTF-8 instead of UTF-16", content[:8]
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise malformed(
            path,
            line,
            "a trace must be UTF-8 text; save it as UTF-8",
            content[error.start : error.start + 8],
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [
        (number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()
    ]
    if not lines:
        raise UserError(f"{path}:1: a trace must hold at least one request, not an empty file")
    return lines
