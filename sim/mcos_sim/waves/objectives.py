"""Which requests of a waveform are answered later than their tenant's latency objective."""

import dataclasses
from fractions import Fraction

import numpy as np

from mcos_policy.settings import TenantSettings
from mcos_sim.fairness.own_queue import grant_waits, queue_waits
from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.spans import Span, older_spans, spans

__all__ = [
    "LateRequests",
    "Timed",
    "late_requests",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timed:
    """An answered request whose first offer is known.

    Parameters
    ----------
    request_id : int
        Its id.
    offered, granted, completed : int or None
        Clocks of first offer, grant and response; None for a grant before the waveform.
    latency_clocks : int
        From first offer to response.
    own_queue_clocks : float
        Of them, what requests of its own tenant in front of it take at the guarantee, by the offers
        that the waveform shows; without a guarantee, until the one in front of it was granted.
    own_queue_exact : bool
        Whether none of those in front of it was offered before the waveform. Otherwise it waited
        longer behind its own tenant's.
    """

    request_id: int
    offered: int
    granted: int | None
    completed: int
    latency_clocks: int
    own_queue_clocks: float
    own_queue_exact: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class LateRequests:
    """One tenant and its objective.

    Parameters
    ----------
    slo_clocks : int or None
        Latency objective of the image that is live at the end, None without one.
    violations : tuple[int, ...]
        Clocks of responses later than the objective that was live then. Of a request from before
        the waveform only the clocks that are shown count.
    open_late : int
        Requests without a response whose objective is past when the waveform ends.
    worst : Timed or None
        The answered request of the longest latency, None where none is answered.
    latencies : numpy.ndarray
        Shape (answered,): clocks from first offer to response of those accepted in the waveform.
    """

    slo_clocks: int | None
    violations: tuple[int, ...]
    open_late: int
    worst: Timed | None
    latencies: np.ndarray


def late_requests(waveform: Waveform, tag: int) -> LateRequests:
    """Hold the requests of one tenant against its objective.

    Parameters
    ----------
    waveform : Waveform
        The waveform; its images have objectives and guarantees.
    tag : int
        The tenant.
    """
    end = int(waveform.clocks[-1]) + 1
    requests = list(spans(waveform, tag))
    late = []
    open_late = 0
    older = older_spans(waveform, tag)
    for each in [*older, *requests]:
        last = end if each.answered is None else each.answered
        objective = _settings(waveform, tag, last).latency_slo
        since = each.begins if each.offered is None else each.offered
        if not objective or last - since <= objective:
            continue
        if each.answered is None:
            open_late += 1
        else:
            late.append(each.answered)
    timed = _timed(waveform, tag, requests, older)
    return LateRequests(
        slo_clocks=_settings(waveform, tag, end).latency_slo or None,
        violations=tuple(sorted(late)),
        open_late=open_late,
        worst=max(timed, key=lambda each: each.latency_clocks, default=None),
        latencies=np.array([each.latency_clocks for each in timed], dtype=np.int64),
    )


def _settings(waveform: Waveform, tag: int, clock: int) -> TenantSettings:
    images = waveform.images
    live = next((image for since, image in reversed(images) if since <= clock), images[0][1])
    return live.tenants[tag]


def _timed(waveform: Waveform, tag: int, requests: list[Span], older: list[Span]) -> list[Timed]:
    """Answered requests with what they waited behind their own tenant's."""
    # Of those from before the waveform, the last one leaves the queue in this clock.
    cleared = max(
        (each.granted or int(waveform.clocks[-1]) + 1 for each in older if each.is_queued),
        default=int(waveform.clocks[0]),
    )
    rate = _settings(waveform, tag, int(waveform.clocks[0])).committed_rate
    guarantee = Fraction(rate, 1 << waveform.config.rate_fraction)
    known = [each for each in requests if each.offered is not None and each.size is not None]
    offered = np.array([each.offered for each in known], dtype=np.int64)
    if guarantee:
        sizes = np.array([each.size for each in known], dtype=np.int64)
        waits = queue_waits(offered, sizes, float(guarantee))
    else:
        end = int(waveform.clocks[-1]) + 1
        clocks = [end if each.granted is None else each.granted for each in known]
        waits = grant_waits(offered, np.array(clocks, dtype=np.int64))
    found = []
    for each, wait in zip(known, waits.tolist(), strict=True):
        if each.latency is None or each.offered is None or each.request_id is None:
            continue
        assert each.answered is not None
        found.append(
            Timed(
                request_id=each.request_id,
                offered=each.offered,
                granted=each.granted,
                completed=each.answered,
                latency_clocks=each.latency,
                own_queue_clocks=round(min(wait, each.latency), 3),
                own_queue_exact=each.offered >= cleared,
            )
        )
    return found
