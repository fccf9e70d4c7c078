"""What a core counted in one epoch, with units."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from mcos_hw.registers import GRANT_KINDS, LATENCY_BINS, GrantClass
from mcos_hw.registers.utilisation import UTILISATION_FULL
from mcos_policy.client.discovery import Core

__all__ = [
    "DIRECTIONS",
    "ChannelMetrics",
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

_Read: TypeAlias = Callable[[str, int], Mapping[str, int]]
"""Gives the fields of a register's element."""


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
class ChannelMetrics:
    """What one of several channels had in one epoch.

    Parameters
    ----------
    load_quarters : int
        Bytes granted and not yet served at present, in quarters of the port credit.
    busy_clocks, stalled_clocks : Count
        As of :class:`Metrics`.
    tenants : tuple[TenantMetrics, ...]
        By tag.
    shares : tuple[float, ...]
        What each tenant was granted lately, over the channel's rate; by tag.
    """

    load_quarters: int
    busy_clocks: Count
    stalled_clocks: Count
    tenants: tuple[TenantMetrics, ...]
    shares: tuple[float, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metrics:
    """What a core had in one epoch. With several channels counts are sums over them.

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
        Bytes granted and not yet served at present, in quarters of the port credit; with several
        channels, the most of any.
    busy_clocks : Count
        Clocks in which granted bytes were owed to the pacer or unserved at the port.
    stalled_clocks : Count
        Clocks in which a command waited for memory.
    tenants : tuple[TenantMetrics, ...]
        By tag; with several channels, ``peak_requests`` is the most of any.
    channels : tuple[ChannelMetrics, ...]
        Each of several channels; empty with one.
    """

    epoch: int
    generation: int
    epoch_clocks: int
    clock_khz: int
    load_quarters: int
    busy_clocks: Count
    stalled_clocks: Count
    tenants: tuple[TenantMetrics, ...]
    channels: tuple[ChannelMetrics, ...] = ()

    def seconds(self, clocks: float) -> float:
        """A number of clocks as a time."""
        return clocks / (1000 * self.clock_khz)

    def counts(self) -> Iterator[Count]:
        """Every count of the hardware."""
        for channel in self.channels or (self,):
            yield from (channel.busy_clocks, channel.stalled_clocks)
            for tenant in channel.tenants:
                yield from (tenant.held_clocks, tenant.promotions, tenant.responses)
                yield from (tenant.slo_violations, tenant.colour_faults, *tenant.latency)
                for each in tenant.granted:
                    yield from (each.requests, each.bytes)


def latency_limits() -> tuple[int, ...]:
    """Most clocks of each bin of a latency histogram but the last, which has no limit."""
    return tuple((1 << (k + 1)) - 1 for k in range(LATENCY_BINS - 1))


def read_metrics(
    core: Core,
    read: Callable[[str, int], Mapping[str, int]],
    names: Mapping[int, str],
    read_channel: Callable[[int, str, int], Mapping[str, int]] | None = None,
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
    read_channel : Callable or None
        The same of a register that each of several channels has: the channel comes first.
    """
    # Before all that it counted: the caller reads it again afterwards.
    epoch = read("EPOCH", 0)["epoch"]
    channels: tuple[ChannelMetrics, ...] = ()
    if core.channels == 1 or read_channel is None:
        load, busy, stalled, tenants = _channel(core, read, names)
    else:
        for channel in range(core.channels):
            of_channel = functools.partial(read_channel, channel)
            channels += (_of_several(core, of_channel, names),)
        load = max(each.load_quarters for each in channels)
        busy = _sum(each.busy_clocks for each in channels)
        stalled = _sum(each.stalled_clocks for each in channels)
        tenants = tuple(
            _summed(each) for each in zip(*(each.tenants for each in channels), strict=True)
        )
    return Metrics(
        epoch=epoch,
        generation=read("GENERATION", 0)["commits"],
        epoch_clocks=read("EPOCH_LENGTH", 0)["epoch_clocks"],
        clock_khz=core.config.clock_khz,
        load_quarters=load,
        busy_clocks=busy,
        stalled_clocks=stalled,
        tenants=tenants,
        channels=channels,
    )


def _of_several(core: Core, read: _Read, names: Mapping[int, str]) -> ChannelMetrics:
    """One of several channels."""
    load, busy, stalled, tenants = _channel(core, read, names)
    shares = (read("UTILISATION", tag)["share"] for tag in range(core.config.tenants))
    return ChannelMetrics(
        load_quarters=load,
        busy_clocks=busy,
        stalled_clocks=stalled,
        tenants=tenants,
        shares=tuple(share / UTILISATION_FULL for share in shares),
    )


def _channel(
    core: Core, read: _Read, names: Mapping[int, str]
) -> tuple[int, Count, Count, tuple[TenantMetrics, ...]]:
    """Load, busy and stalled clocks, and the tenants of a channel whose registers ``read`` has."""

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

    tenants = tuple(tenant(tag) for tag in range(core.config.tenants))
    return read("LOAD", 0)["quarter"], count("BUSY"), count("STALLED"), tenants


def _sum(counts: Iterable[Count]) -> Count:
    """A count of all of them."""
    found = tuple(counts)
    return Count(
        value=sum(each.value for each in found), saturated=any(each.saturated for each in found)
    )


def _summed(channels: Sequence[TenantMetrics]) -> TenantMetrics:
    """What a tenant had on all channels."""
    first = channels[0]
    fields = ("held_clocks", "promotions", "responses", "slo_violations", "colour_faults")
    counts: dict[str, Any] = {
        field: _sum(getattr(each, field) for each in channels) for field in fields
    }
    return TenantMetrics(
        tag=first.tag,
        name=first.name,
        queued_requests=sum(each.queued_requests for each in channels),
        peak_requests=max(each.peak_requests for each in channels),
        granted=tuple(
            dataclasses.replace(
                kinds[0],
                requests=_sum(each.requests for each in kinds),
                bytes=_sum(each.bytes for each in kinds),
            )
            for kinds in zip(*(each.granted for each in channels), strict=True)
        ),
        latency=tuple(
            _sum(bins) for bins in zip(*(each.latency for each in channels), strict=True)
        ),
        **counts,
    )
