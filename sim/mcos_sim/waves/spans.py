"""Requests of a waveform from first offer through acceptance and grant to response."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from mcos_sim.waves.reading import Waveform

__all__ = [
    "Span",
    "older_spans",
    "spans",
]


_UNSENT = 16
"""Commands of grants from before a waveform among which is looked; the hardware has fewer."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Span:
    """One request.

    Parameters
    ----------
    tag, place : int
        Tenant, and the how manieth of its requests it is in the waveform.
    begins : int
        Clock from which it is drawn: that of acceptance, or the waveform's first one.
    request_id, size, address : int or None
        Its id, bytes and address; None where an older request does not show it.
    offered : int or None
        Clock in which its requester first offered it, by the stamp that it carries; the clock of
        acceptance where the stamp is of another clock. None for an older request.
    accepted : int or None
        Clock; None for an older request, which was accepted before the waveform.
    granted, answered : int or None
        Clocks, None outside of the waveform.
    grant_class : int or None
        Class of the grant, None where it is not shown.
    """

    tag: int
    place: int
    begins: int
    request_id: int | None = None
    size: int | None = None
    address: int | None = None
    offered: int | None = None
    accepted: int | None = None
    granted: int | None = None
    answered: int | None = None
    grant_class: int | None = None

    @property
    def is_older(self) -> bool:
        """Whether it was accepted before the waveform."""
        return self.accepted is None

    @property
    def is_queued(self) -> bool:
        """Whether it is still to be granted where it begins."""
        return self.granted is not None or self.answered is None

    @property
    def latency(self) -> int | None:
        """Clocks from first offer to response, None where one of them is not shown."""
        if self.offered is None or self.answered is None:
            return None
        return self.answered - self.offered


def spans(waveform: Waveform, tag: int) -> Iterator[Span]:
    """Requests of a tenant that are accepted in the waveform, in the order in which they came.

    What goes on behind hidden clocks is not known to be the same request.
    """
    place = 0
    for stretch in waveform.stretches():
        for each in _of_stretch(stretch, tag, place):
            yield each
            place += 1


def older_spans(waveform: Waveform, tag: int) -> list[Span]:
    """Requests of a tenant that were accepted before the waveform and are still seen in it.

    First those that were granted before it, by their responses; then those that were queued, in the
    order of their grants. What is not granted and not answered up to the end has neither. Only the
    clocks up to the first hidden one are looked at.
    """
    w = next(waveform.stretches())
    first = int(w.clocks[0])
    e, c = w.events, w.channel
    own = _own_answers(w, tag)
    answered = np.flatnonzero((e["response.valid"] == 1) & (e["response.tenant"] == tag))
    left = [row for row in answered.tolist() if row not in own]
    commands = _commands_of_grants(w)
    found = []
    queued = int(w.tenants["queued"][0, tag])
    grants = np.flatnonzero((c["granted"] == 1) & (c["tenant"] == tag))[:queued].tolist()
    for grant in grants:
        command = commands.get(grant)
        end = None if command is None else _response_of(w, command)
        if end in left:
            left.remove(end)
        else:
            end = None
        found.append(
            Span(
                tag=tag,
                place=len(found),
                begins=first,
                request_id=None if end is None else int(e["response.id"][end]),
                size=int(c["beats"][grant]) * w.config.beat_bytes,
                address=None if command is None else int(e["command.address"][command]),
                granted=int(w.clocks[grant]),
                answered=None if end is None else int(w.clocks[end]),
                grant_class=int(c["granted_class"][grant]),
            )
        )
    waiting = [Span(tag=tag, place=place, begins=first) for place in range(len(found), queued)]
    out = [
        Span(
            tag=tag,
            place=place,
            begins=first,
            request_id=int(e["response.id"][row]),
            answered=int(w.clocks[row]),
        )
        for place, row in enumerate(left, queued)
    ]
    return [*out, *found, *waiting]


def _own_answers(w: Waveform, tag: int) -> set[int]:
    """Rows of responses to requests that are accepted in the waveform."""
    rows = (np.searchsorted(w.clocks, each.answered) for each in spans(w, tag) if each.answered)
    return {int(row) for row in rows}


def _commands_of_grants(w: Waveform) -> dict[int, int]:
    """Row of the command of each grant, by the grant's row; commands are in the order of grants."""
    c, e = w.channel, w.events
    grants = np.flatnonzero(c["granted"] == 1)
    commands = np.flatnonzero(e["command.valid"] == 1)
    best: tuple[int, int] = (len(commands) + 1, 0)
    # Some of the first commands are of grants from before: how many is what fits best.
    for skipped in range(min(_UNSENT, len(commands)) + 1):
        n = min(len(grants), len(commands) - skipped)
        mine, theirs = grants[:n], commands[skipped : skipped + n]
        wrong = (
            (c["tenant"][mine] != e["command.tenant"][theirs])
            | (c["beats"][mine] != e["command.beats"][theirs])
            | (theirs <= mine)
        )
        best = min(best, (int(wrong.sum()), skipped))
    skipped = best[1]
    return dict(zip(grants.tolist(), commands[skipped:].tolist(), strict=False))


def _response_of(w: Waveform, command: int) -> int | None:
    """Row of the response to a command: a clock after its slot is completed."""
    e = w.events
    slot = e["command.slot"][command]
    completed = (e["completion.valid"][command:] == 1) & (e["completion.slot"][command:] == slot)
    rows = np.flatnonzero(completed)
    return int(rows[0]) + command + 1 if len(rows) else None


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
        accepted = int(clocks[row])
        yield Span(
            tag=tag,
            place=first + place,
            request_id=number,
            size=int(e["request.beats"][row]) * waveform.config.beat_bytes,
            address=int(e["request.address"][row]),
            offered=_offered(waveform, int(e["request.offered"][row]), accepted),
            accepted=accepted,
            begins=accepted,
            granted=None if grant is None else int(clocks[grant]),
            answered=None if end is None else int(clocks[end]),
            grant_class=None if grant is None else int(c["granted_class"][grant]),
        )


def _offered(waveform: Waveform, stamp: int, accepted: int) -> int:
    """Clock of a first offer, by the request's stamp."""
    waited = accepted - stamp & (1 << waveform.config.stamp_width) - 1
    return accepted - waited if waited <= accepted else accepted
