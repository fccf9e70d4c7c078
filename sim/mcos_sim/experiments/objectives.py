"""What a run says of each tenant's promise: rates, latencies of requests, objectives."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import GrantClass
from mcos_policy.compiler import Compiled
from mcos_policy.contract import Tenant
from mcos_policy.objectives import Objective
from mcos_policy.quantize import channel_rate, per_clock
from mcos_sim.experiments.replay import figures
from mcos_sim.fairness.own_queue import grant_waits, own_queue
from mcos_sim.scenario import FIRST_CLOCK, RunResult, Scenario, TenantResult
from mcos_sim.traffic.stream import Stream

__all__ = [
    "promise_figures",
    "run_figures",
]


PERCENTILES = {"p50": 50, "p90": 90, "p99": 99, "p999": 99.9, "max": 100}

_ROUNDING = 1e-6
"""Clocks by which the fluid may be off, in floating point."""

_PARTS = 4
"""Bins of a histogram in an octave."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Waits:
    """Clocks of each offered request of a tenant.

    Parameters
    ----------
    answered : numpy.ndarray
        Shape (offered,), bool.
    latency : numpy.ndarray
        Shape (offered,), int64: from first offer to response, or to the end of the run.
    own : numpy.ndarray
        Shape (offered,), int64: what of it is its tenant's own queue.
    """

    answered: np.ndarray
    latency: np.ndarray
    own: np.ndarray

    @property
    def promised(self) -> np.ndarray:
        """What of the latency the bound promises."""
        return self.latency - self.own


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Seen:
    """What a tenant asked for and what it saw; None where it asked for nothing."""

    scenario: Scenario
    stream: Stream | None
    result: TenantResult | None

    @property
    def channels(self) -> int:
        """Channels that were run."""
        return len(self.scenario.channels)

    def by_channel(self) -> Iterator[tuple[np.ndarray, TenantResult]]:
        """Positions of its requests in each channel, and what it saw of them."""
        assert self.stream is not None
        assert self.result is not None
        seen = self.result
        offered = len(seen.offered)
        channels = channels_of(self.scenario, self.stream, offered)
        granted = np.full(offered, -1, dtype=np.int64)
        granted[: len(seen.granted)] = seen.granted
        for channel in range(self.channels):
            part = np.nonzero(channels == channel)[0]
            known = granted[part]
            yield (
                part,
                dataclasses.replace(
                    seen,
                    sizes=seen.sizes[part],
                    offered=seen.offered[part],
                    granted=known[known >= 0],
                    completed=seen.completed[part],
                ),
            )


def promise_figures(compiled: Compiled, scenario: Scenario, result: RunResult) -> dict[str, dict]:
    """Figures of every tenant of the contract, also of those that ask for nothing, by name.

    Keys: ``best_effort``, ``guaranteed_gbps``, ``burst_gbps``, ``asked_gbps``, ``granted_gbps`` (of
    the whole fabric), ``latency_clocks`` (``p50``, ``p90``, ``p99``, ``p999``, ``max`` from first
    offer to response, or None), ``own_queue_clocks`` (``p50``, ``p99``, ``max``, or None),
    ``promised_clocks`` (``p99``, ``max``, or None), ``slo_clocks``, ``bound_clocks``, ``verdict``,
    ``violations``, ``violations_own_queue``, ``conforming``, ``breaches``, ``worst`` and
    ``latency_histogram``.

    Percentiles are of answered requests. ``violations`` also counts requests that are unanswered
    and past the objective when the run ends; ``violations_own_queue`` is those of them that would
    be within it but for their tenant's own queue. ``conforming`` is whether the committed bucket
    covered every grant. ``breaches`` counts requests of a conforming tenant whose promised part
    is over the bound; the bound is of no others.
    """
    streams = {stream.name: stream for stream in scenario.streams}
    seen = {tenant.name: tenant for tenant in result.tenants}
    return {
        tenant.name: _row(
            compiled,
            tenant,
            compiled.objectives[position],
            _Seen(
                scenario=scenario,
                stream=streams.get(tenant.name),
                result=seen.get(tenant.name),
            ),
            result.clocks,
        )
        for position, tenant in compiled.contract.tenants.items()
    }


def run_figures(
    compiled: Compiled, scenario: Scenario, result: RunResult, words: Mapping[str, str]
) -> dict[str, Any]:
    """What a run says, with a row for each tenant of the contract, in its order.

    On top of :func:`mcos_sim.experiments.replay.figures`: ``channels`` of the contract,
    ``channels_run``, ``channel_utilisation`` of each of those, ``clock_khz``, ``capacity_gbps`` and
    ``idle_gbps`` of the whole fabric, and in each row ``traffic``, ``channel_shares`` (parts of
    what each channel run could have moved) and the keys of :func:`promise_figures`.

    Parameters
    ----------
    compiled : Compiled
        The contract.
    scenario, result : Scenario, RunResult
        What was run, and what it gave.
    words : Mapping[str, str]
        Traffic of each tenant in words; tenants without an entry are idle.
    """
    found = figures(scenario, result)
    rows = {row["name"]: row for row in found["tenants"]}
    tags = compiled.contract.tags()
    promised = promise_figures(compiled, scenario, result)
    config, channels = compiled.config, compiled.contract.fabric.channels
    rate = float(channel_rate(compiled.contract, config))
    passed = (result.clocks - FIRST_CLOCK) * rate
    none = np.zeros(len(scenario.channels))
    shares = {name: bytes_ / passed for name, bytes_ in channel_bytes(scenario, result).items()}
    found["tenants"] = [
        {
            **(rows.get(tenant.name) or _idle_row(tenant.name, tags[position])),
            "traffic": words.get(tenant.name, "idle"),
            "channel_shares": shares.get(tenant.name, none).tolist(),
            **promised[tenant.name],
        }
        for position, tenant in compiled.contract.tenants.items()
    ]
    capacity = rate * channels * config.clock_khz / 1e6
    granted = sum(row["granted_gbps"] for row in promised.values())
    return {
        **found,
        "channels": channels,
        "channels_run": len(scenario.channels),
        "channel_utilisation": sum(shares.values(), none).tolist(),
        "clock_khz": config.clock_khz,
        "capacity_gbps": capacity,
        "idle_gbps": max(0.0, capacity - granted),
    }


def _idle_row(name: str, tag: int) -> dict[str, Any]:
    """The row of a tenant that asks for nothing."""
    counts = ("window", "requests", "grants", "bytes_requested", "bytes_granted", "steps")
    row: dict[str, Any] = {"name": name, "tag": tag, "share": 0.0, **dict.fromkeys(counts, 0)}
    return {**row, "p50_clocks": None, "p99_clocks": None}


def _row(
    compiled: Compiled,
    tenant: Tenant,
    objective: Objective,
    told: _Seen,
    end: int,
) -> dict[str, Any]:
    config, channels = compiled.config, compiled.contract.fabric.channels
    stream, seen = told.stream, told.result
    promise = tenant.bandwidth
    share = per_clock(promise.guaranteed, channels, config)
    span = max(1, end - FIRST_CLOCK)
    asked, granted = (each / told.channels for each in _bytes(stream, seen, end, config))
    waits = _waits(told, share, end)
    answered = waits.answered
    bound, slo = objective.bound, None if objective.slo is None else float(objective.slo)
    late = waits.latency > slo if slo is not None else np.zeros(len(answered), bool)
    conforming = seen is None or bool((seen.classes == GrantClass.CONFORMING).all())
    over = 0
    if conforming and bound is not None:
        over = int(np.count_nonzero(waits.promised > math.ceil(bound)))
    return {
        "best_effort": promise.best_effort,
        "guaranteed_gbps": float(promise.guaranteed / 10**9),
        "burst_gbps": float(promise.burst / 10**9),
        "asked_gbps": _gbps(asked, span, channels, config),
        "granted_gbps": _gbps(granted, span, channels, config),
        "latency_clocks": _ranks(waits.latency[answered], *PERCENTILES),
        "own_queue_clocks": _ranks(waits.own[answered], "p50", "p99", "max"),
        "promised_clocks": (
            None if bound is None else _ranks(waits.promised[answered], "p99", "max")
        ),
        "slo_clocks": slo,
        "bound_clocks": None if bound is None else float(bound),
        "verdict": None if objective.verdict is None else objective.verdict.value,
        "violations": int(late.sum()),
        "violations_own_queue": int((late & (waits.promised <= (slo or 0))).sum()),
        "conforming": conforming,
        "breaches": over,
        "worst": _worst(seen, waits),
        "latency_histogram": _histogram(waits.latency[answered]),
    }


def _bytes(
    stream: Stream | None, seen: TenantResult | None, end: int, config: ChannelConfig
) -> tuple[int, int]:
    """Bytes asked for and granted. What is due and waits for the window is asked for too."""
    if stream is None or seen is None:
        return 0, 0
    asked = int(seen.sizes.sum())
    if not stream.closed and len(stream.steps) > 1:
        due = int(np.searchsorted(stream.steps["ready"], end))
        count = int(stream.steps["count"][:due].sum())
        beats = int(stream.requests["beats"][:count].sum(dtype=np.int64))
        asked = max(asked, beats * config.beat_bytes)
    return asked, seen.bytes_granted


def _gbps(size: float, clocks: int, channels: int, config: ChannelConfig) -> float:
    """GB/s of the whole fabric, of bytes on one channel."""
    return size * channels * config.clock_khz / clocks / 1e6


def channel_bytes(scenario: Scenario, result: RunResult) -> dict[str, np.ndarray]:
    """Bytes granted to each tenant in each channel, of requests whose clocks are known, by name."""
    found = {}
    for stream, tenant in zip(scenario.streams, result.tenants, strict=True):
        count = len(tenant.granted)
        sums = np.zeros(len(scenario.channels), dtype=np.int64)
        np.add.at(sums, channels_of(scenario, stream, count), tenant.sizes[:count])
        found[tenant.name] = sums
    return found


def channels_of(scenario: Scenario, stream: Stream, count: int) -> np.ndarray:
    """The channel of each of the first requests of a stream."""
    rounds = np.arange(count) % max(len(stream.requests), 1)
    return scenario.interleave.channel(stream.requests["address"][rounds])


def _waits(told: _Seen, share: Fraction, end: int) -> _Waits:
    seen = told.result
    if seen is None:
        none = np.zeros(0, np.int64)
        return _Waits(answered=none.astype(bool), latency=none, own=none)
    answered = seen.completed >= 0
    latency = np.where(answered, seen.completed, end) - seen.offered
    own = np.zeros(len(seen.offered))
    for part, of_channel in told.by_channel():
        of_part = own_queue(of_channel, float(share)) if share else _behind_own(of_channel, end)
        own[part] = of_part
    # Less than a clock is no wait: offers are in whole clocks, fluid departures are not.
    own = np.floor(np.minimum(own, latency) + _ROUNDING).astype(np.int64)
    return _Waits(answered=answered, latency=latency, own=own)


def _behind_own(seen: TenantResult, end: int) -> np.ndarray:
    """Clocks until the request before each was granted: nothing else is promised best effort."""
    granted = np.full(len(seen.offered), end, np.int64)
    granted[: len(seen.granted)] = seen.granted
    return grant_waits(seen.offered, granted)


def _ranks(values: np.ndarray, *names: str) -> dict[str, int] | None:
    """Percentiles by nearest rank; None without any values."""
    if not len(values):
        return None
    ranks = np.percentile(values, [PERCENTILES[name] for name in names], method="inverted_cdf")
    return {name: int(rank) for name, rank in zip(names, ranks, strict=True)}


def _worst(seen: TenantResult | None, waits: _Waits) -> dict[str, Any] | None:
    """The request with the longest latency, or that has waited for longest at the end."""
    if seen is None or not len(waits.latency):
        return None
    k = int(np.argmax(waits.latency))
    return {
        "request": k,
        "offered": int(seen.offered[k]),
        "granted": int(seen.granted[k]) if k < len(seen.granted) else None,
        "completed": int(seen.completed[k]) if waits.answered[k] else None,
        "latency_clocks": int(waits.latency[k]),
        "own_queue_clocks": int(waits.own[k]),
    }


def _histogram(latencies: np.ndarray) -> dict[str, list]:
    """Counts between edges of a quarter octave: of edge k up to edge k + 1."""
    if not len(latencies):
        return {"edges_clocks": [], "counts": []}
    low, high = (math.log2(max(1, value)) for value in (latencies.min(), latencies.max()))
    places = range(math.floor(_PARTS * low), math.floor(_PARTS * high) + 2)
    edges = [2 ** (place / _PARTS) for place in places]
    sorted_ = np.sort(np.maximum(latencies, 1))
    ends = np.searchsorted(sorted_, edges)
    counts = [int(end - begin) for begin, end in itertools.pairwise(ends.tolist())]
    return {"edges_clocks": [round(edge, 3) for edge in edges], "counts": counts}
