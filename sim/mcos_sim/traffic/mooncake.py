"""Mooncake traces: JSON lines with prefix blocks."""

import json
import os

import numpy as np

from mcos_sim.traffic.arrivals import TRACE, Trace
from mcos_sim.traffic.lines import MAX_TOKENS, malformed

__all__ = [
    "BLOCK_TOKENS",
    "BUCKET_MS",
    "FORMAT",
    "parse_mooncake",
]


FORMAT = "mooncake"

BLOCK_TOKENS = 512
"""Tokens of one prefix block (README of kvcache-ai/Mooncake, FAST25-release)."""

BUCKET_MS = 3000
"""Published traces give times in steps of 3 s."""

BUCKET_TOLERANCE_MS = 10
"""They do so to within a few milliseconds: 2999 and 3002 mean 3000."""

MAX_TIMESTAMP_MS = 2**43
"""Largest timestamp whose nanoseconds fit in 63 bits."""

NS_PER_MS = 1_000_000


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _parse_object(path: os.PathLike[str] | str, line: int, text: str) -> dict:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        rule = "a line must be one JSON object with finite numbers"
        raise malformed(path, line, rule, text) from None
    if not isinstance(value, dict):
        raise malformed(path, line, "a line must be one JSON object", value)
    for key in ("timestamp", "input_length", "output_length", "hash_ids"):
        if key not in value:
            raise malformed(path, line, f"a request must have the key {key}", list(value))
    return value


def _is_count(value: object, largest: int) -> bool:
    return type(value) is int and 0 <= value <= largest


def _spread(timestamps_ms: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Order of the file by time, arrivals in ns in that order, and the resolution in ns.

    Requests that share a bucket keep the order of the file and are spread evenly at random over
    the bucket's length.
    """
    buckets = np.round(timestamps_ms / BUCKET_MS)
    resolution_ms = BUCKET_MS
    if np.any(np.abs(timestamps_ms - buckets * BUCKET_MS) > BUCKET_TOLERANCE_MS):
        buckets = np.floor(timestamps_ms)
        resolution_ms = 1
    resolution_ns = resolution_ms * NS_PER_MS
    order = np.argsort(buckets, kind="stable")
    offsets = np.random.default_rng(seed).integers(0, resolution_ns, len(buckets))
    arrivals = np.sort((buckets - buckets.min()).astype(np.int64) * resolution_ns + offsets)
    return order, arrivals - arrivals[0], resolution_ns


def parse_mooncake(
    lines: list[tuple[int, str]], *, path: os.PathLike[str] | str, seed: int
) -> Trace:
    """Read the lines of a Mooncake trace.

    Each line is an object with ``timestamp`` (ms), ``input_length`` and ``output_length``
    (tokens) and ``hash_ids``; other keys are ignored. Lines out of order are put in order of
    time. Where all timestamps lie on a grid of 3 s, arrivals are spread over the 3 s, else over
    the millisecond.

    Parameters
    ----------
    lines : list of tuple
        Line numbers and texts.
    path : path-like
        File named in complaints.
    seed : int
        Seed of the spread.

    Raises
    ------
    UserError
        If a line is not such an object.
    """
    timestamps = np.empty(len(lines), np.float64)
    tokens = np.empty((len(lines), 2), np.int64)
    blocks: list[list[int]] = []
    for index, (line, text) in enumerate(lines):
        request = _parse_object(path, line, text)
        timestamp = request["timestamp"]
        if type(timestamp) not in (int, float) or not 0 <= timestamp <= MAX_TIMESTAMP_MS:
            rule = f"timestamp must be milliseconds in 0..{MAX_TIMESTAMP_MS}"
            raise malformed(path, line, rule, timestamp)
        timestamps[index] = timestamp
        for column, key in enumerate(("input_length", "output_length")):
            if not _is_count(request[key], MAX_TOKENS):
                rule = f"{key} must be an integer in 0..{MAX_TOKENS}"
                raise malformed(path, line, rule, request[key])
            tokens[index, column] = request[key]
        ids = request["hash_ids"]
        if not isinstance(ids, list) or not all(_is_count(i, 2**63 - 1) for i in ids):
            rule = "hash_ids must be a list of integers of 0 and more"
            raise malformed(path, line, rule, ids)
        blocks.append(ids)

    order, arrivals, resolution_ns = _spread(timestamps, seed)
    requests = np.empty(len(lines), TRACE)
    requests["arrival_ns"] = arrivals
    requests["input_tokens"] = tokens[order, 0]
    requests["output_tokens"] = tokens[order, 1]
    ordered = [blocks[index] for index in order]
    return Trace(
        format=FORMAT,
        source=str(path),
        resolution_ns=resolution_ns,
        requests=requests,
        block_tokens=BLOCK_TOKENS,
        block_offsets=np.cumsum([0, *map(len, ordered)], dtype=np.int64),
        block_ids=np.array([block for ids in ordered for block in ids], np.int64),
    )
