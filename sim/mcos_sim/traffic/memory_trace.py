"""Memory traces: CSV with one memory request a row, by hand or by another tool."""

import csv
import os
from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import DTypeLike

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_sim.traffic.lines import malformed
from mcos_sim.traffic.stream import REQUEST

__all__ = [
    "COLUMNS",
    "ROW",
    "cut_rows",
    "is_memory_trace",
    "parse_memory_trace",
]


COLUMNS = ("time_ns", "op", "bytes", "address")
"""Columns in any order; the address may be left out."""

ROW: DTypeLike = np.dtype(
    [("time_ns", np.float64), ("op", np.uint8), ("bytes", np.int64), ("address", np.int64)]
)
"""One row; ``address`` is -1 where the file has none."""

_MOST_NS = 10**12
_MOST_BYTES = 1 << 30
_MOST_ADDRESS = (1 << 63) - 1
_OPS = {"r": Op.READ, "read": Op.READ, "w": Op.WRITE, "write": Op.WRITE}


def is_memory_trace(lines: list[tuple[int, str]]) -> bool:
    """Whether the first line of a file is the header of a memory trace."""
    fields = [field.strip().strip('"') for field in lines[0][1].split(",")]
    return set(COLUMNS[:3]) <= set(fields)


def parse_memory_trace(lines: list[tuple[int, str]], *, path: os.PathLike[str] | str) -> np.ndarray:
    """Read the lines of a memory trace, whose header names the columns.

    Parameters
    ----------
    lines : list of tuple
        Line numbers and texts, the header first.
    path : path-like
        File named in complaints.

    Returns
    -------
    numpy.ndarray
        Shape (rows,), dtype :data:`ROW`, in order of time; equal times keep the file's order.

    Raises
    ------
    UserError
        If the header or a row is not so; the text begins with ``path:line:``.
    """
    header = [field.strip() for field in _fields(path, *lines[0])]
    for name in COLUMNS[:3]:
        if header.count(name) != 1:
            rule = f"the header must name {name} once"
            raise malformed(path, lines[0][0], rule, lines[0][1])
    time, op, size = (header.index(name) for name in COLUMNS[:3])
    address = header.index(COLUMNS[3]) if COLUMNS[3] in header else None
    found = []
    for number, text in lines[1:]:
        fields = [field.strip() for field in _fields(path, number, text)]
        if len(fields) != len(header):
            rule = f"a row must have {len(header)} columns as the header has; it has {len(fields)}"
            raise malformed(path, number, rule, text)
        when = _decimal(fields[time])
        if when is None or not 0 <= when <= _MOST_NS:
            rule = f"time_ns must be a number in 0..{_MOST_NS}"
            raise malformed(path, number, rule, fields[time])
        way = _OPS.get(fields[op].lower())
        if way is None:
            raise malformed(path, number, "op must be R or W", fields[op])
        length = _integer(fields[size])
        if length is None or not 1 <= length <= _MOST_BYTES:
            rule = f"bytes must be an integer in 1..{_MOST_BYTES}"
            raise malformed(path, number, rule, fields[size])
        place = -1
        if address is not None and fields[address]:
            given = _integer(fields[address])
            if given is None or not 0 <= given <= _MOST_ADDRESS:
                rule = f"address must be an integer in 0..{_MOST_ADDRESS:#x}, such as 0x1000"
                raise malformed(path, number, rule, fields[address])
            place = given
        found.append((float(when), int(way), length, place))
    if not found:
        rule = "the header must be followed by requests"
        raise malformed(path, lines[0][0], rule, "no rows")
    rows = np.array(found, ROW)
    return rows[np.argsort(rows["time_ns"], kind="stable")]


def _fields(path: os.PathLike[str] | str, number: int, text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        raise malformed(path, number, "a row must be valid CSV", text) from None


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _integer(text: str) -> int | None:
    try:
        return int(text, 0) if len(text) <= 24 else None
    except ValueError:
        return None


def cut_rows(
    rows: np.ndarray, *, base: int, room: int, config: ChannelConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Requests of rows: whole beats, cut at multiples of ``l_max`` as the port does.

    Rows without an address lie one behind the other. Addresses go around the tenant's region.

    Parameters
    ----------
    rows : numpy.ndarray
        Shape (rows,), dtype :data:`ROW`.
    base, room : int
        First address and bytes of the region.
    config : ChannelConfig
        Sizes of beats and requests.

    Returns
    -------
    requests : numpy.ndarray
        Shape (requests,), dtype :data:`~mcos_sim.traffic.stream.REQUEST`.
    counts : numpy.ndarray
        Shape (rows,), int64: requests of each row.
    """
    beat, longest = config.beat_bytes, config.l_max
    placed = rows["address"] >= 0
    taken = -(-rows["bytes"] // longest) * longest
    place = np.where(placed, rows["address"], np.cumsum(taken) - taken) % room
    first = place // beat * beat
    end = -(-(place + rows["bytes"]) // beat) * beat
    counts = -(-end // longest) - first // longest
    piece = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = np.maximum(
        np.repeat(first, counts), (np.repeat(first // longest, counts) + piece) * longest
    )
    ends = np.minimum(
        np.repeat(end, counts), (np.repeat(first // longest, counts) + piece + 1) * longest
    )
    requests = np.empty(len(starts), REQUEST)
    requests["op"] = np.repeat(rows["op"], counts)
    requests["beats"] = (ends - starts) // beat
    requests["address"] = (starts % room).astype(np.uint64) + np.uint64(base)
    return requests, counts
