"""A waveform as a trace for Perfetto's viewer: requests as spans, levels as counters.

The format is the Trace Event Format's JSON (Google, "Trace Event Format"), which
https://ui.perfetto.dev opens. A microsecond there is a clock here, so that nothing is rounded.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.signals import CLASS_NAMES

__all__ = ["write_perfetto"]


_CHANNEL = 1_000
"""Track of what belongs to no tenant; those of tenants are their tags."""


def write_perfetto(path: Path, waveform: Waveform) -> int:
    """Write the trace; the events that it has.

    Each request is a span of its tenant from acceptance to response, with two spans inside: the
    time in the queue, and the time from its grant on. A request that was accepted before the
    waveform or answered after it has only what the waveform shows. Counters are each tenant's
    queue level and bucket levels, virtual time, and bytes in flight.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    events = [*_names(waveform), *_requests(waveform), *_counters(waveform)]
    text = {"traceEvents": events, "displayTimeUnit": "ns", "otherData": {"unit": "clocks"}}
    path.write_text(json.dumps(text), encoding="utf-8")
    return len(events)


def _names(waveform: Waveform) -> Iterator[dict[str, Any]]:
    for tag, name in {**waveform.names, _CHANNEL: "channel"}.items():
        yield {"ph": "M", "pid": tag, "name": "process_name", "args": {"name": name}}
        yield {"ph": "M", "pid": tag, "name": "process_sort_index", "args": {"sort_index": tag}}


def _requests(waveform: Waveform) -> Iterator[dict[str, Any]]:
    """Spans of every request that is accepted in the waveform."""
    e, c = waveform.events, waveform.channel
    beat = waveform.config.beat_bytes
    for tag in waveform.names:
        asked = np.flatnonzero((e["request.valid"] == 1) & (e["request.tenant"] == tag))
        granted = np.flatnonzero((c["granted"] == 1) & (c["tenant"] == tag))
        # Those that were queued before come first.
        granted = granted[int(waveform.tenants["queued"][0, tag]) :]
        answered = np.flatnonzero((e["response.valid"] == 1) & (e["response.tenant"] == tag))
        answers = {}
        for row in answered[::-1]:
            answers.setdefault(int(e["response.id"][row]), []).append(int(row))
        for place, row in enumerate(asked):
            number = int(e["request.id"][row])
            rows = answers.get(number, [])
            while rows and rows[-1] <= row:
                rows.pop()
            end = rows.pop() if rows else None
            grant = int(granted[place]) if place < len(granted) else None
            size = int(e["request.beats"][row]) * beat
            arguments = {"id": number, "bytes": size, "address": int(e["request.address"][row])}
            if grant is not None:
                arguments["class"] = CLASS_NAMES[int(c["granted_class"][grant])]
            yield from _span(waveform, tag, place, f"{size} B", int(row), end, arguments)
            if grant is not None:
                yield from _span(waveform, tag, place, "queued", int(row), grant, {})
                yield from _span(waveform, tag, place, "granted", grant, end, {})


def _span(
    waveform: Waveform,
    tag: int,
    place: int,
    name: str,
    begin: int,
    end: int | None,
    arguments: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    common = {"cat": "request", "id": f"{tag}.{place}", "pid": tag, "tid": tag, "name": name}
    yield {**common, "ph": "b", "ts": int(waveform.clocks[begin]), "args": arguments}
    if end is not None:
        yield {**common, "ph": "e", "ts": int(waveform.clocks[end])}


def _counters(waveform: Waveform) -> Iterator[dict[str, Any]]:
    fraction = waveform.config.rate_fraction
    for tag in waveform.names:
        t = waveform.tenants
        yield from _counter(waveform, tag, "queued", t["queued"][:, tag])
        # Between two grants of its tenant a bucket only fills.
        granted = (waveform.channel["granted"] == 1) & (waveform.channel["tenant"] == tag)
        rows = np.flatnonzero(granted | np.roll(granted, 1))
        for bucket in ("committed", "peak"):
            levels = t[bucket][rows, tag] >> fraction
            yield from _counter(waveform, tag, f"{bucket} bytes", levels, rows)
    unit = waveform.config.tag_fraction
    time = waveform.channel["virtual_time"].astype(np.int64) >> unit
    yield from _counter(waveform, _CHANNEL, "virtual time", time)
    yield from _counter(waveform, _CHANNEL, "bytes in flight", waveform.channel["in_flight"])


def _counter(
    waveform: Waveform,
    track: int,
    name: str,
    values: np.ndarray,
    rows: np.ndarray | None = None,
) -> Iterator[dict[str, Any]]:
    """A value where it changes, in every row or in some."""
    last = None
    for place, value in enumerate(values.tolist()):
        if value != last:
            row = place if rows is None else int(rows[place])
            clock = int(waveform.clocks[row])
            yield {"ph": "C", "pid": track, "name": name, "ts": clock, "args": {name: value}}
        last = value
