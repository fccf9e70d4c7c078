"""Azure LLM inference traces: CSV with a date and two token counts."""

import csv
import datetime
import os
import re

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

RESOLUTION_NS = 100
"""Published times have seven fraction digits."""

TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.ASCII
)


def _parse_timestamp(text: str) -> int | None:
    """Nanoseconds since 1970 if they fit in 62 bits, else None; without an offset it is UTC."""
    match = TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    date, fraction, offset = match.groups()
    try:
        whole = datetime.datetime.fromisoformat(date + (offset or "Z")) - EPOCH
    except (ValueError, OverflowError):
        return None
    seconds = whole.days * 86_400 + whole.seconds
    nanoseconds = seconds * 10**9 + int((fraction or "").ljust(9, "0"))
    return nanoseconds if abs(nanoseconds) < 2**62 else None


def _parse_tokens(text: str) -> int | None:
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII) or int(text) > MAX_TOKENS:
        return None
    return int(text)


def parse_azure(lines: list[tuple[int, str]], *, path: os.PathLike[str] | str) -> Trace:
    """Read the lines of an Azure trace.

    The header names the columns; those beside :data:`COLUMNS` are ignored, and every row has as
    many fields as the header. Rows out of order are put in order of time.

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
    header_line, header_text = lines[0]
    header = [name.strip() for name in header_text.split(",")]
    for name in COLUMNS:
        if header.count(name) != 1:
            raise malformed(path, header_line, f"the header must name {name} once", header_text)
    positions = [header.index(name) for name in COLUMNS]

    rows = np.empty((len(lines) - 1, len(COLUMNS)), np.int64)
    for index, (line, text) in enumerate(lines[1:]):
        try:
            fields = next(csv.reader([text], strict=True))
        except csv.Error:
            raise malformed(path, line, "a row must be valid CSV", text) from None
        if len(fields) != len(header):
            raise malformed(path, line, f"a row must have {len(header)} columns", text)
        timestamp, *tokens = (fields[position].strip() for position in positions)
        arrival = _parse_timestamp(timestamp)
        if arrival is None:
            rule = "TIMESTAMP must be a date and time as in 2023-11-16 18:15:46.6805900"
            raise malformed(path, line, rule, timestamp)
        rows[index, 0] = arrival
        for column, value in enumerate(tokens, start=1):
            count = _parse_tokens(value)
            if count is None:
                rule = f"{COLUMNS[column]} must be an integer in 0..{MAX_TOKENS}"
                raise malformed(path, line, rule, value)
            rows[index, column] = count
    if not len(rows):
        raise malformed(path, header_line, "the header must be followed by requests", "no rows")

    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    requests = np.empty(len(rows), TRACE)
    requests["arrival_ns"] = rows[:, 0] - rows[0, 0]
    requests["input_tokens"] = rows[:, 1]
    requests["output_tokens"] = rows[:, 2]
    return Trace(
        format=FORMAT,
        source=str(path),
        resolution_ns=RESOLUTION_NS,
        requests=requests,
        block_tokens=0,
        block_offsets=np.zeros(len(rows) + 1, np.int64),
        block_ids=np.zeros(0, np.int64),
    )
