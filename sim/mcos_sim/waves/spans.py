"""Requests of a waveform from acceptance through grant to response."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from mcos_sim.waves.reading import Waveform

__all__ = [
    "Span",
    "spans",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Span:
    """One request that is accepted in the waveform.

    Parameters
    ----------
    tag, place : int
        Tenant, and the how manieth of its requests it is in the waveform.
    request_id, size, address : int
        Its id, bytes and address.
    accepted : int
        Clock.
    granted, answered : int or None
        Clocks, None behind the end of the waveform.
    grant_class : int or None
        Class of the grant.
    """

    tag: int
    place: int
    request_id: int
    size: int
    address: int
    accepted: int
    granted: int | None
    answered: int | None
    grant_class: int | None


def spans(waveform: Waveform, tag: int) -> Iterator[Span]:
    """Requests of a tenant in the order in which they came.

    What goes on behind hidden clocks is not known to be the same request.
    """
    place = 0
    for stretch in waveform.stretches():
        for each in _of_stretch(stretch, tag, place):
            yield each
            place += 1


def _of_stretch(waveform: Waveform, tag: int, first: int) -> Iterator[Span]:
    """Requests of a tenant in clocks that follow each other; the first one has place ``first``."""
    e, c, clocks = waveform.events, waveform.channel, waveform.clocks
    asked = np.flatnonzero((e["request.valid"] == 1) & (e["request.tenant"] == tag))
    # Those that were queued before the waveform are granted first.
    granted = np.flatnonzero((c["granted"] == 1) & (c["tenant"] == tag))
    granted = granted[int(waveform.tenants["queued"][0, tag]) :]
    answered = np.flatnonzero((e["response.valid"] == 1) & (e["response.tenant"] == tag))
    answers: dict[int, list[int]] = {}
    for row in answered[::-1].tolist():
        answers.setdefault(int(e["response.id"][row]), []).append(row)
    for place, row in enumerate(asked.tolist()):
        number = int(e["request.id"][row])
        rows = answers.get(number, [])
        while rows and rows[-1] <= row:
            rows.pop()
        end = rows.pop() if rows else None
        grant = int(granted[place]) if place < len(granted) else None
        yield Span(
            tag=tag,
            place=first + place,
            request_id=number,
            size=int(e["request.beats"][row]) * waveform.config.beat_bytes,
            address=int(e["request.address"][row]),
            accepted=int(clocks[row]),
            granted=None if grant is None else int(clocks[grant]),
            answered=None if end is None else int(clocks[end]),
            grant_class=None if grant is None else int(c["granted_class"][grant]),
        )
