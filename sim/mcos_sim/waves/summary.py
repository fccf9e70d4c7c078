"""What each tenant got in a waveform, and its grants one by one."""

import dataclasses

import numpy as np

from mcos_sim.errors import UserError
from mcos_sim.waves.objectives import Timed, late_requests
from mcos_sim.waves.reading import Waveform

__all__ = [
    "Grant",
    "TenantSummary",
    "grants_between",
    "not_shown",
    "summarise",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantSummary:
    """One tenant.

    Parameters
    ----------
    name, tag : str, int
        Tenant.
    requests, grants, bytes, responses : int
        What the waveform has of it.
    share : float
        Its part of all bytes granted.
    p50_clocks, p99_clocks, worst_clocks : float or None
        Latency from a request's first offer to its response, of those accepted and answered in the
        waveform.
    slo_clocks : int or None
        Latency objective, None without one.
    slo_violations : int
        Responses in the waveform that are later than it.
    late_clocks : tuple[int, ...]
        Their clocks.
    slo_open : int
        Requests without a response when the waveform ends, whose objective is past.
    worst : Timed or None
        The request of ``worst_clocks``.
    """

    name: str
    tag: int
    requests: int
    grants: int
    bytes: int
    responses: int
    share: float
    p50_clocks: float | None
    p99_clocks: float | None
    worst_clocks: float | None
    slo_clocks: int | None
    slo_violations: int
    late_clocks: tuple[int, ...]
    slo_open: int
    worst: Timed | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grant:
    """One grant: its clock, tenant, size and class, the tags of the head, and V."""

    clock: int
    tenant: str
    beats: int
    grant_class: int
    promoted: bool
    start: int
    finish: int
    virtual_time: int


def summarise(waveform: Waveform) -> list[TenantSummary]:
    """Every tenant of a waveform, by tag."""
    e, c = waveform.events, waveform.channel
    granted = c["granted"] == 1
    total = int(c["beats"][granted].sum())
    found = []
    for tag, name in sorted(waveform.names.items()):
        mine = granted & (c["tenant"] == tag)
        requests = (e["request.valid"] == 1) & (e["request.tenant"] == tag)
        answered = (e["response.valid"] == 1) & (e["response.tenant"] == tag)
        late = late_requests(waveform, tag)
        beats = int(c["beats"][mine].sum())
        percentiles = (
            [float(each) for each in np.percentile(late.latencies, (50, 99, 100))]
            if len(late.latencies)
            else [None] * 3
        )
        found.append(
            TenantSummary(
                name=name,
                tag=tag,
                requests=int(requests.sum()),
                grants=int(mine.sum()),
                bytes=beats * waveform.config.beat_bytes,
                responses=int(answered.sum()),
                share=beats / total if total else 0.0,
                p50_clocks=percentiles[0],
                p99_clocks=percentiles[1],
                worst_clocks=percentiles[2],
                slo_clocks=late.slo_clocks,
                slo_violations=len(late.violations),
                late_clocks=late.violations,
                slo_open=late.open_late,
                worst=late.worst,
            )
        )
    return found


def not_shown(waveform: Waveform, first: int, end: int) -> str | None:
    """What of the clocks ``first`` to ``end`` a waveform lacks, in words; None if it has all."""
    begin, behind = int(waveform.clocks[0]), int(waveform.clocks[-1]) + 1
    if begin <= first and end <= behind:
        return None
    return f"the waveform has clocks {begin}:{behind}; grants in the others are not listed"


def grants_between(waveform: Waveform, first: int, end: int) -> list[Grant]:
    """Grants in clocks ``first`` to ``end``, the last excluded.

    Raises
    ------
    UserError
        If the waveform shows none of these clocks.
    """
    c, t, clocks = waveform.channel, waveform.tenants, waveform.clocks
    inside = (clocks >= first) & (clocks < end)
    if not inside.any():
        raise UserError(
            f"--grants must name clocks that are shown, not {first}:{end}; the waveform has "
            f"{len(clocks)} of {clocks[0]}:{clocks[-1] + 1}"
        )
    found = []
    for row in np.flatnonzero(inside & (c["granted"] == 1)):
        tag = int(c["tenant"][row])
        found.append(
            Grant(
                clock=int(waveform.clocks[row]),
                tenant=waveform.names.get(tag, f"tag {tag}"),
                beats=int(c["beats"][row]),
                grant_class=int(c["granted_class"][row]),
                promoted=bool(c["promoted"][row]),
                start=int(t["start"][row, tag]),
                finish=int(t["finish"][row, tag]),
                virtual_time=int(c["virtual_time"][row]),
            )
        )
    return found
