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
"""They do so to within a few milliseconds: 2999 and 6003 mean 3000 and 6000."""

_LEAST_SHARE = 2
"""Requests of a bucket on average, where published traces have some 10."""

_MOST_TENANTS = 16
"""Tenants that hardware tells apart."""

MAX_TIMESTAMP_MS = 2**43
"""Largest timestamp whose nanoseconds fit in 63 bits."""

NS_PER_MS = 1_000_000

_LARGEST_FLOAT = 2**53
"""Up to here a floating-point number tells neighbouring integers apart."""

_BUSIEST_PER_MS = 1
"""Requests a millisecond over which times are taken for seconds; a service has some 10 a second."""

_UNIX_SECONDS = (1_000_000_000, 4_000_000_000)
"""Unix times of 2001 to 2096 in seconds."""


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is repeated")
    return members


def _parse_object(path: os.PathLike[str] | str, line: int, text: str) -> dict:
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        rule = (
            "a line must be one JSON object with finite numbers and every key once; "
            "write each request on a line of its own"
        )
        raise malformed(path, line, rule, text) from None
    if not isinstance(value, dict):
        raise malformed(path, line, "a line must be one JSON object", value)
    for key in ("timestamp", "input_length", "output_length", "hash_ids"):
        if key not in value:
            rule = f"a request must have the key {key}"
            if key == "hash_ids":
                rule += "; write an empty list where no prefix is known"
            raise malformed(path, line, rule, list(value))
    return value


def _count(value: object) -> int | None:
    """A number of tokens, which other tools may write as 100.0, or None."""
    whole = type(value) is int or (type(value) is float and value.is_integer())
    return int(value) if whole and 0 <= value <= MAX_TOKENS else None


def _block(value: object) -> int | str | None:
    """An opaque id, or None: an integer of any size and sign, or a text."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_FLOAT:
        return int(value)
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _tenant(
    path: os.PathLike[str] | str, line: int, request: dict, names: dict[str, int], first: dict
) -> int:
    """The number of a request's tenant; all requests have one or none has."""
    if ("tenant" in request) != ("tenant" in first):
        rule = "all requests must name a tenant or none; add the key tenant, or remove it"
        raise malformed(path, line, rule, list(request))
    if "tenant" not in request:
        return 0
    name = _block(request["tenant"])
    if name is None:
        rule = "tenant must be a text or an integer"
        raise malformed(path, line, rule, request["tenant"])
    number = names.setdefault(str(name), len(names))
    if number >= _MOST_TENANTS:
        rule = f"a trace must name at most {_MOST_TENANTS} tenants; give several the same name"
        raise malformed(path, line, rule, name)
    return number


def _resolution_ns(timestamps_ms: np.ndarray) -> int:
    """How coarse the timestamps are: 3 s, 1 ms, or 1 ns where there are fractions of a ms.

    They are on the grid of 3 s if they lie in several of its buckets, all requests of a bucket have
    the same one, and a bucket has two requests on average. A burst of a few milliseconds has
    several timestamps in a bucket, or lies in one bucket; requests every 3 s have one each.
    """
    if np.any(timestamps_ms != np.floor(timestamps_ms)):
        return 1
    distinct = np.unique(timestamps_ms)
    buckets = np.round(distinct / BUCKET_MS)
    near = np.abs(distinct - buckets * BUCKET_MS) <= BUCKET_TOLERANCE_MS
    one_each = len(np.unique(buckets)) == len(distinct)
    shared = len(timestamps_ms) >= _LEAST_SHARE * len(distinct)
    if len(distinct) > 1 and near.all() and one_each and shared:
        return BUCKET_MS * NS_PER_MS
    return NS_PER_MS


def _spread(timestamps_ms: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Order of the file by time, arrivals in ns in that order, and the resolution in ns.

    Requests that share a bucket keep the order of the file and are spread evenly at random over
    the bucket's length.
    """
    resolution_ns = _resolution_ns(timestamps_ms)
    buckets = np.round(timestamps_ms * NS_PER_MS / resolution_ns)
    order = np.argsort(buckets, kind="stable")
    offsets = np.random.default_rng(seed).integers(0, resolution_ns, len(buckets))
    arrivals = np.sort((buckets - buckets.min()).astype(np.int64) * resolution_ns + offsets)
    return order, arrivals - arrivals[0], resolution_ns


def _remarks(timestamps_ms: np.ndarray) -> tuple[str, ...]:
    """What makes times look like seconds."""
    span = float(np.ptp(timestamps_ms))
    low, high = _UNIX_SECONDS
    crowded = span > 0 and len(timestamps_ms) - 1 > _BUSIEST_PER_MS * span
    if crowded:
        reason = f"{len(timestamps_ms):,} requests arrive within {span:g} ms"
    elif low <= timestamps_ms.min() and timestamps_ms.max() <= high:
        reason = f"{timestamps_ms[0]:.0f} is a Unix time of this century in seconds"
    else:
        return ()
    text = f"timestamp should be milliseconds, and these look like seconds: {reason}"
    return (f"{text}; multiply them by 1000 if they are",)


def parse_mooncake(
    lines: list[tuple[int, str]], *, path: os.PathLike[str] | str, seed: int
) -> Trace:
    """Read the lines of a Mooncake trace.

    Each line is an object with ``timestamp`` (ms), ``input_length`` and ``output_length``
    (tokens) and ``hash_ids``, in any order, and in all lines or none ``tenant``, a name; other keys
    are ignored. Ids of blocks are opaque:
    integers of any size, or texts. Lines out of order are put in order of time. Where timestamps
    lie on a grid of 3 s, arrivals are spread over the 3 s, else over the millisecond; those with
    fractions of a millisecond stay as they are.

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
    # Ids may be larger than 64 bits: each gets the number of its first appearance.
    numbers: dict[int | str, int] = {}
    tenants = np.zeros(len(lines), np.uint8)
    names: dict[str, int] = {}
    first: dict = {}
    for index, (line, text) in enumerate(lines):
        request = _parse_object(path, line, text)
        first = first or request
        tenants[index] = _tenant(path, line, request, names, first)
        timestamp = request["timestamp"]
        if type(timestamp) not in (int, float) or not 0 <= timestamp <= MAX_TIMESTAMP_MS:
            rule = f"timestamp must be milliseconds in 0..{MAX_TIMESTAMP_MS}; convert it"
            raise malformed(path, line, rule, timestamp)
        timestamps[index] = timestamp
        for column, key in enumerate(("input_length", "output_length")):
            count = _count(request[key])
            if count is None:
                rule = f"{key} must be an integer in 0..{MAX_TOKENS}"
                raise malformed(path, line, rule, request[key])
            tokens[index, column] = count
        ids = request["hash_ids"]
        if not isinstance(ids, list):
            rule = "hash_ids must be a list of integers or texts"
            raise malformed(path, line, rule, ids)
        row = []
        for each in ids:
            block = _block(each)
            if block is None:
                rule = "hash_ids must be integers or texts; a number with a point is a rounded one"
                raise malformed(path, line, rule, each)
            row.append(numbers.setdefault(block, len(numbers)))
        blocks.append(row)

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
        tenants=tenants[order] if names else None,
        tenant_names=tuple(names),
        remarks=_remarks(timestamps),
    )
