"""How each tenant of a run was served, as its report reads it."""

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from typing import Any

from mcos_policy.objectives import Verdict

__all__ = [
    "ASKS_MORE",
    "NEARLY",
    "Histogram",
    "Latency",
    "Outcome",
    "Served",
    "Slowest",
    "served",
]


ASKS_MORE = 1.02
"""Ratio of what is asked to what is guaranteed from which on a tenant asks for more on average."""

NEARLY = 0.95
"""Part of a latency from which on it is called all."""


class Outcome(enum.Enum):
    """What became of a tenant's objective."""

    KEPT = "kept"
    LATE = "late"
    NO_OBJECTIVE = "no SLO"
    NO_REQUESTS = "no requests"
    NO_ANSWERS = "no answers"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Latency:
    """Percentiles of the latency in clocks."""

    p50: float
    p99: float
    max: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Histogram:
    """Requests by latency.

    Parameters
    ----------
    edges : Sequence[float]
        Edges of the bins in clocks, one more than bins.
    counts : Sequence[int]
        Requests of each bin.
    """

    edges: Sequence[float]
    counts: Sequence[int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slowest:
    """The slowest request of a tenant, and where its time went.

    Parameters
    ----------
    request : int
        Which of its tenant's.
    offered : int
        Clock of its first offer.
    granted, completed : int or None
        Clocks of its grant and its response; None where the run ended before.
    latency, own_queue, fabric, memory : float
        Clocks from offer to response; of them, behind its own tenant's requests, from there to the
        grant, and from there to the response. The last three sum up to the first.
    """

    request: int
    offered: int
    granted: int | None
    completed: int | None
    latency: float
    own_queue: float
    fabric: float
    memory: float

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Slowest":
        """Read it from the member ``worst`` of a tenant."""
        latency = found["latency_clocks"]
        own = min(found["own_queue_clocks"] or 0, latency)
        granted = found["granted"]
        until_grant = latency if granted is None else granted - found["offered"]
        fabric = min(max(0, until_grant - own), latency - own)
        return cls(
            request=found["request"],
            offered=found["offered"],
            granted=granted,
            completed=found["completed"],
            latency=latency,
            own_queue=own,
            fabric=fabric,
            memory=latency - own - fabric,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Served:
    """How one tenant was served. Bandwidths are of the whole fabric in GB/s, times in clocks.

    Parameters
    ----------
    name, traffic : str
        The tenant, and what it asked for in words.
    best_effort : bool
        Whether it is promised nothing.
    requests : int
        Requests that it offered.
    guaranteed, burst, asked, granted : float
        Bandwidths.
    share : float
        Part of the channel that it got.
    latency : Latency or None
        Of its requests; None where none was answered.
    own_queue_p99, promised_max : float or None
        Wait behind its own requests, and the largest rest of a latency.
    slo, bound : float or None
        Objective, and what the contract promises a request that does not wait behind its own.
    verdict : str or None
        Whether the contract promises the objective.
    violations, violations_own_queue : int
        Requests later than the objective; those that their own queue alone made late.
    breaches : int
        Requests that took longer than ``bound`` beside their own queue.
    slowest : Slowest or None
        The slowest request.
    histogram : Histogram or None
        Its requests by latency.
    """

    name: str
    traffic: str
    best_effort: bool
    requests: int
    guaranteed: float
    burst: float | None
    asked: float
    granted: float
    share: float
    latency: Latency | None
    own_queue_p99: float | None
    promised_max: float | None
    slo: float | None
    bound: float | None
    verdict: str | None
    violations: int
    violations_own_queue: int
    breaches: int
    slowest: Slowest | None
    histogram: Histogram | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Served":
        """Read a member of ``tenants`` of what ``mcos run`` found."""
        latency, histogram = found["latency_clocks"], found["latency_histogram"]
        return cls(
            name=found["name"],
            traffic=found["traffic"],
            best_effort=found["best_effort"],
            requests=found["requests"],
            guaranteed=found["guaranteed_gbps"],
            burst=found["burst_gbps"],
            asked=found["asked_gbps"],
            granted=found["granted_gbps"],
            share=found["share"],
            latency=None
            if latency is None
            else Latency(p50=latency["p50"], p99=latency["p99"], max=latency["max"]),
            own_queue_p99=(found["own_queue_clocks"] or {}).get("p99"),
            promised_max=(found["promised_clocks"] or {}).get("max"),
            slo=found["slo_clocks"],
            bound=found["bound_clocks"],
            verdict=found["verdict"],
            violations=found["violations"] or 0,
            violations_own_queue=found["violations_own_queue"] or 0,
            breaches=found["breaches"],
            slowest=found["worst"] and Slowest.of(found["worst"]),
            histogram=histogram
            and Histogram(edges=histogram["edges_clocks"], counts=histogram["counts"]),
        )

    @property
    def outcome(self) -> Outcome:
        """What became of its objective."""
        if not self.requests:
            return Outcome.NO_REQUESTS
        if self.slo is not None and self.violations:
            return Outcome.LATE
        if self.latency is None:
            return Outcome.NO_ANSWERS
        return Outcome.NO_OBJECTIVE if self.slo is None else Outcome.KEPT

    @property
    def status(self) -> str:
        """The same in a word or two: ``17 late``."""
        if self.outcome is Outcome.LATE:
            return f"{self.violations:,} late"
        if self.outcome is Outcome.NO_OBJECTIVE and self.best_effort:
            return "best effort"
        return self.outcome.value

    @property
    def asks_for_all(self) -> bool:
        """Whether it asks for all it can get; ``asked`` then only says how deep its window is."""
        return self.traffic.startswith("backlogged")

    @property
    def promised(self) -> bool:
        """Whether the contract promises its objective."""
        return self.verdict == Verdict.HOLDS.value


def served(found: Mapping[str, Any]) -> list[Served]:
    """The tenants of a run, in its order."""
    return [Served.of(tenant) for tenant in found["tenants"]]
