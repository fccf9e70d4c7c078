"""A waveform as a trace for Perfetto's viewer: requests as spans, levels as counters.

The format is the Trace Event Format's JSON (Google, "Trace Event Format"), which
https://ui.perfetto.dev opens. A microsecond there is a clock here, so that nothing is rounded.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mcos_policy.files import write_text
from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.signals import CLASS_NAMES
from mcos_sim.waves.spans import Span, spans

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
    write_text(path, json.dumps(text))
    return len(events)


def _names(waveform: Waveform) -> Iterator[dict[str, Any]]:
    for tag, name in {**waveform.names, _CHANNEL: "channel"}.items():
        yield {"ph": "M", "pid": tag, "name": "process_name", "args": {"name": name}}
        yield {"ph": "M", "pid": tag, "name": "process_sort_index", "args": {"sort_index": tag}}


def _requests(waveform: Waveform) -> Iterator[dict[str, Any]]:
    """Spans of every request that is accepted in the waveform."""
    for tag in waveform.names:
        for each in spans(waveform, tag):
            arguments = {"id": each.request_id, "bytes": each.size, "address": each.address}
            if each.grant_class is not None:
                arguments["class"] = CLASS_NAMES[each.grant_class]
            yield from _span(each, f"{each.size} B", each.accepted, each.answered, arguments)
            if each.granted is not None:
                yield from _span(each, "queued", each.accepted, each.granted, {})
                yield from _span(each, "granted", each.granted, each.answered, {})


def _span(
    of: Span, name: str, begin: int, end: int | None, arguments: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    common = {"cat": "request", "id": f"{of.tag}.{of.place}", "pid": of.tag, "tid": of.tag}
    yield {**common, "name": name, "ph": "b", "ts": begin, "args": arguments}
    if end is not None:
        yield {**common, "name": name, "ph": "e", "ts": end}


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
