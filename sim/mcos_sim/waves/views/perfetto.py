"""A waveform as a trace for Perfetto's viewer: requests as spans, levels as counters.

The format is the Trace Event Format's JSON (Google, "Trace Event Format"), which
https://ui.perfetto.dev opens. A microsecond there is a clock here, so that nothing is rounded.
"""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mcos_policy.files import write_text
from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.rules import Violation, Wording
from mcos_sim.waves.signals import CLASS_NAMES
from mcos_sim.waves.spans import Span, older_spans, spans
from mcos_sim.waves.summary import TenantSummary

__all__ = [
    "Track",
    "write_perfetto",
]


_CHANNEL = 1_000
"""Track of what belongs to no tenant; those of tenants are their tags."""

_NEXT = 10_000
"""From the tracks of a channel to those of the next one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Track:
    """A channel in a trace.

    Parameters
    ----------
    waveform : Waveform
        What to show.
    violations : Sequence[Violation]
        What is wrong.
    tenants : Sequence[TenantSummary]
        Every tenant, with its objective and the answers later than that.
    channel : int or None
        Which of several channels it is; tracks are named by it.
    """

    waveform: Waveform
    violations: Sequence[Violation]
    tenants: Sequence[TenantSummary]
    channel: int | None = None


def write_perfetto(path: Path, tracks: Sequence[Track]) -> int:
    """Write the trace.

    Each request is a span of its tenant from acceptance to response, with two spans inside: the
    time in the queue, and the time from its grant on. A request that was accepted before the
    waveform or answered after it has only what the waveform shows. Each violation is an instant of
    its tenant, or of the channel, named by its rule; an answer later than its tenant's objective is
    one named ``late``. Counters are each tenant's queue level and bucket levels, virtual time, and
    bytes in flight. Tracks of several channels are apart.

    Parameters
    ----------
    path : pathlib.Path
        The trace.
    tracks : Sequence[Track]
        The channels.

    Returns
    -------
    int
        Events that the trace has.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    events = [event for track in tracks for event in _events(track)]
    text = {"traceEvents": events, "displayTimeUnit": "ns", "otherData": {"unit": "clocks"}}
    write_text(path, json.dumps(text))
    return len(events)


def _events(track: Track) -> Iterator[dict[str, Any]]:
    """All of a channel, on its own tracks."""
    waveform = track.waveform
    of = "" if track.channel is None else f"channel {track.channel}: "
    for event in (
        *_names(waveform, of),
        *_requests(waveform),
        *_instants(waveform, track.violations, track.tenants),
        *_counters(waveform),
    ):
        if track.channel:
            first = _NEXT * track.channel
            event["pid"] += first
            if "tid" in event:
                event["tid"] += first
            if event["name"] == "process_sort_index":
                event["args"]["sort_index"] += first
            if "id" in event:
                event["id"] = f"{track.channel}.{event['id']}"
        yield event


def _names(waveform: Waveform, of: str) -> Iterator[dict[str, Any]]:
    names = {tag: of + name for tag, name in waveform.names.items()}
    for tag, name in {**names, _CHANNEL: of + "all" if of else "channel"}.items():
        yield {"ph": "M", "pid": tag, "name": "process_name", "args": {"name": name}}
        yield {"ph": "M", "pid": tag, "name": "process_sort_index", "args": {"sort_index": tag}}


def _requests(waveform: Waveform) -> Iterator[dict[str, Any]]:
    """Spans of every request that is seen in the waveform."""
    for tag in waveform.names:
        for each in [*older_spans(waveform, tag), *spans(waveform, tag)]:
            arguments: dict[str, Any] = {
                "id": each.request_id,
                "bytes": each.size,
                "address": each.address,
                "offered": "before the window" if each.is_older else each.offered,
            }
            if each.grant_class is not None:
                arguments["class"] = CLASS_NAMES[each.grant_class]
            name = "from before the window" if each.is_older else f"{each.size} B"
            yield from _span(each, name, each.begins, each.answered, arguments)
            if each.granted is not None:
                yield from _span(each, "queued", each.begins, each.granted, {})
                yield from _span(each, "granted", each.granted, each.answered, {})


def _span(
    of: Span, name: str, begin: int, end: int | None, arguments: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    number = f"{of.tag}.{'older' if of.is_older else ''}{of.place}"
    common = {"cat": "request", "id": number, "pid": of.tag, "tid": of.tag}
    yield {**common, "name": name, "ph": "b", "ts": begin, "args": arguments}
    if end is not None:
        yield {**common, "name": name, "ph": "e", "ts": end}


def _instants(
    waveform: Waveform, violations: Sequence[Violation], tenants: Sequence[TenantSummary]
) -> Iterator[dict[str, Any]]:
    """Violations, and answers that are late."""
    wording = Wording(waveform)
    for each in violations:
        track = each.tenant if each.tenant in waveform.names else _CHANNEL
        told = wording.sentence(each)
        yield _instant(track, each.rule.text, each.clock, {"sentence": told})
    for each in tenants:
        for clock in each.late_clocks:
            yield _instant(each.tag, "late", clock, {"slo_clocks": each.slo_clocks})


def _instant(track: int, name: str, clock: int, arguments: dict[str, Any]) -> dict[str, Any]:
    common = {"ph": "i", "s": "p", "pid": track, "tid": track}
    return {**common, "cat": "violation", "name": name, "ts": clock, "args": arguments}


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
