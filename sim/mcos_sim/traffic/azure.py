"""Azure LLM inference traces: CSV with a date and two token counts."""

import csv
import datetime
import os
import re
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from mcos_sim.traffic.arrivals import TRACE, Trace
from mcos_sim.traffic.lines import MAX_TOKENS, malformed

__all__ = [
    "COLUMNS",
    "EPOCH",
    "FORMAT",
    "parse_azure",
]


FORMAT = "azure"

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
"""Columns a file must have (README of Azure/AzurePublicDataset, LLM inference traces)."""

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

DELIMITERS = (",", ";", "\t")
"""A comma, and what spreadsheets write where the comma is the decimal point."""

TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?"
    r" ?(?:(Z|UTC)|([+-]\d\d(?::?\d\d)?))?",
    re.ASCII,
)

_NUMBER = re.compile(r"\d{1,10}(?:\.\d{0,10})?(?:[eE]\+?\d{1,2})?", re.ASCII)
"""A count as other tools write it: 374, 374.0, 1e+05."""


def _parse_timestamp(text: str) -> tuple[int, int] | None:
    """Nanoseconds since 1970 if they fit in 62 bits, and fraction digits; else None.

    Without an offset it is UTC.
    """
    match = TIMESTAMP.fullmatch(text.upper())
    if match is None:
        return None
    date, time, fraction, _, offset = match.groups(default="")
    try:
        whole = datetime.datetime.fromisoformat(f"{date} {time}{offset or 'Z'}") - EPOCH
    except (ValueError, OverflowError):
        return None
    seconds = whole.days * 86_400 + whole.seconds
    nanoseconds = seconds * 10**9 + int(fraction.ljust(9, "0"))
    return (nanoseconds, len(fraction)) if abs(nanoseconds) < 2**62 else None


def _parse_tokens(text: str) -> int | None:
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    return int(number) if number <= MAX_TOKENS and number == int(number) else None


def _records(
    lines: list[tuple[int, str]], *, path: os.PathLike[str] | str
) -> Iterator[tuple[int, list[str]]]:
    """Rows of fields without spaces around them, each with the line in which it begins.

    The delimiter is the one that finds most columns in the header. Rows without a value, which
    spreadsheets leave behind, are skipped.
    """
    header = lines[0][1]
    delimiter = max(DELIMITERS, key=lambda each: _named(_split(header, each)))
    begun = 0
    reader = csv.reader(
        (f"{text}\n" for _, text in lines), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    while True:
        try:
            fields = [field.strip() for field in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            line, text = lines[begun]
            raise malformed(path, line, "a row must be valid CSV", text) from None
        if any(fields):
            yield begun, fields
        begun = reader.line_num


def _split(text: str, delimiter: str) -> list[str]:
    """Fields of a line that may not be valid."""
    try:
        return next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def _named(fields: list[str]) -> int:
    return sum(field.strip() in COLUMNS for field in fields)


def parse_azure(lines: list[tuple[int, str]], *, path: os.PathLike[str] | str) -> Trace:
    """Read the lines of an Azure trace.

    The header names the columns; those beside :data:`COLUMNS` are ignored, and every row has as
    many fields as the header. Fields may be quoted, and separated by commas, semicolons or tabs.
    Rows out of order are put in order of time.

    Parameters
    ----------
    lines : list of tuple
        Line numbers and texts, the header first.
    path : path-like
        File named in complaints.

    Raises
    ------
    UserError
        If the header or a row is not so.
    """
    records = _records(lines, path=path)
    header_line, header_text = lines[0]
    _, header = next(records)
    for name in COLUMNS:
        if header.count(name) != 1:
            raise malformed(path, header_line, f"the header must name {name} once", header_text)
    positions = [header.index(name) for name in COLUMNS]

    found = []
    digits = 0
    for begun, fields in records:
        line, text = lines[begun]
        if len(fields) != len(header):
            rule = f"a row must have {len(header)} columns as the header has; it has {len(fields)}"
            raise malformed(path, line, rule, text)
        timestamp, *tokens = (fields[position] for position in positions)
        arrival = _parse_timestamp(timestamp)
        if arrival is None:
            rule = "TIMESTAMP must be a date and time as in 2023-11-16 18:15:46.6805900"
            raise malformed(path, line, rule, timestamp)
        digits = max(digits, arrival[1])
        counts = []
        for name, value in zip(COLUMNS[1:], tokens, strict=True):
            count = _parse_tokens(value)
            if count is None:
                rule = f"{name} must be an integer in 0..{MAX_TOKENS}; write it without separators"
                raise malformed(path, line, rule, value)
            counts.append(count)
        found.append((arrival[0], *counts))
    if not found:
        raise malformed(path, header_line, "the header must be followed by requests", "no rows")

    rows = np.array(found, np.int64)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    requests = np.empty(len(rows), TRACE)
    requests["arrival_ns"] = rows[:, 0] - rows[0, 0]
    requests["input_tokens"] = rows[:, 1]
    requests["output_tokens"] = rows[:, 2]
    return Trace(
        format=FORMAT,
        source=str(path),
        resolution_ns=10 ** (9 - digits),
        requests=requests,
        block_tokens=0,
        block_offsets=np.zeros(len(rows) + 1, np.int64),
        block_ids=np.zeros(0, np.int64),
    )
