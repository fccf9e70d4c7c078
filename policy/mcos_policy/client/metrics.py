"""What a core counted in one epoch, with units."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mcos_hw.registers import GRANT_KINDS, LATENCY_BINS, GrantClass
from mcos_policy.client.discovery import Core

__all__ = [
    "DIRECTIONS",
    "Count",
    "Granted",
    "Metrics",
    "TenantMetrics",
    "latency_limits",
    "read_metrics",
]


DIRECTIONS = ("read", "write")
"""Directions of requests in the order of the grant counters."""

_CLASSES_OF_DIRECTION = GRANT_KINDS // len(DIRECTIONS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Count:
    """What a counter has of one epoch.

    Parameters
    ----------
    value : int
        The count.
    saturated : bool
        Whether there was more than the counter holds.
    """

    value: int
    saturated: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Granted:
    """What a tenant was granted in one direction, as one class.

    Parameters
    ----------
    direction : str
        One of ``DIRECTIONS``.
    grant_class : GrantClass
        How its buckets covered it.
    requests, bytes : Count
        Of the epoch.
    """

    direction: str
    grant_class: GrantClass
    requests: Count
    bytes: Count


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantMetrics:
    """What a tenant had in one epoch.

    Parameters
    ----------
    tag : int
        Its tag.
    name : str
        Its name, where one is known.
    queued_requests : int
        Requests in its queue at present.
    peak_requests : int
        Most requests in its queue in the epoch.
    held_clocks : Count
        Clocks in which its head waited because no bucket covered it, or outside its colours.
    promotions : Count
        Grants by age.
    responses : Count
        Requests served.
    slo_violations : Count
        Requests served later than its latency objective.
    colour_faults : Count
        Requests taken outside its page colours.
    granted : tuple[Granted, ...]
        What it was granted, by direction and class.
    latency : tuple[Count, ...]
        Requests served, by latency: bin k has those over limit k - 1 and up to limit k of
        :func:`latency_limits`, the last bin all above.
    """

    tag: int
    name: str
    queued_requests: int
    peak_requests: int
    held_clocks: Count
    promotions: Count
    responses: Count
    slo_violations: Count
    colour_faults: Count
    granted: tuple[Granted, ...]
    latency: tuple[Count, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metrics:
    """What a core had in one epoch.

    Parameters
    ----------
    epoch : int
        Number of the epoch; 0 if none has ended since reset, and all counts are 0.
    generation : int
        Number of the live image; 0 if none is live.
    epoch_clocks : int
        Clocks of an epoch under the live image.
    clock_khz : int
        Clocks in a millisecond.
    load_quarters : int
        Bytes granted and not yet served at present, in quarters of the port credit.
    busy_clocks : Count
        Clocks in which granted bytes were owed to the pacer or unserved at the port.
    stalled_clocks : Count
        Clocks in which a command waited for memory.
    tenants : tuple[TenantMetrics, ...]
        By tag.
    """

    epoch: int
    generation: int
    epoch_clocks: int
    clock_khz: int
    load_quarters: int
    busy_clocks: Count
    stalled_clocks: Count
    tenants: tuple[TenantMetrics, ...]

    def seconds(self, clocks: float) -> float:
        """A number of clocks as a time."""
        return clocks / (1000 * self.clock_khz)

    def counts(self) -> Iterator[Count]:
        """Every count."""
        yield from (self.busy_clocks, self.stalled_clocks)
        for tenant in self.tenants:
            yield from (tenant.held_clocks, tenant.promotions, tenant.responses)
            yield from (tenant.slo_violations, tenant.colour_faults, *tenant.latency)
            for each in tenant.granted:
                yield from (each.requests, each.bytes)


def latency_limits() -> tuple[int, ...]:
    """Most clocks of each bin of a latency histogram but the last, which has no limit."""
    return tuple((1 << (k + 1)) - 1 for k in range(LATENCY_BINS - 1))


def read_metrics(
    core: Core, read: Callable[[str, int], Mapping[str, int]], names: Mapping[int, str]
) -> Metrics:
    """The metrics as registers have them now; whether one epoch has them all, the caller checks.

    Parameters
    ----------
    core : Core
        What is read.
    read : Callable
        Gives the fields of a register's element: its name, and the index of the element.
    names : Mapping[int, str]
        Name of each tenant by tag, as far as they are known.
    """

    def count(name: str, index: int = 0) -> Count:
        fields = read(name, index)
        return Count(value=fields["count"], saturated=bool(fields["overflow"]))

    def granted(tag: int) -> Iterator[Granted]:
        for op, direction in enumerate(DIRECTIONS):
            for grant_class in GrantClass:
                index = GRANT_KINDS * tag + _CLASSES_OF_DIRECTION * op + grant_class
                yield Granted(
                    direction=direction,
                    grant_class=grant_class,
                    requests=count("GRANT_REQUESTS", index),
                    bytes=count("GRANT_BYTES", index),
                )

    def tenant(tag: int) -> TenantMetrics:
        queue = read("QUEUE", tag)
        per_tenant: dict[str, Any] = {
            field: count(name, tag)
            for field, name in (
                ("held_clocks", "HELD"),
                ("promotions", "PROMOTIONS"),
                ("responses", "RESPONSES"),
                ("slo_violations", "SLO_VIOLATIONS"),
                ("colour_faults", "COLOUR_FAULTS"),
            )
        }
        return TenantMetrics(
            tag=tag,
            name=names.get(tag, ""),
            queued_requests=queue["now"],
            peak_requests=queue["peak"],
            granted=tuple(granted(tag)),
            latency=tuple(count("LATENCY", LATENCY_BINS * tag + k) for k in range(LATENCY_BINS)),
            **per_tenant,
        )

    return Metrics(
        epoch=read("EPOCH", 0)["epoch"],
        generation=read("GENERATION", 0)["commits"],
        epoch_clocks=read("EPOCH_LENGTH", 0)["epoch_clocks"],
        clock_khz=core.config.clock_khz,
        load_quarters=read("LOAD", 0)["quarter"],
        busy_clocks=count("BUSY"),
        stalled_clocks=count("STALLED"),
        tenants=tuple(tenant(tag) for tag in range(core.config.tenants)),
    )
