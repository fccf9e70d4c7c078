"""What a core counts, for Prometheus: counters that add epochs up, in bytes and seconds."""

import dataclasses
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from mcos_policy.client.client import Client
from mcos_policy.client.metrics import Count, Metrics, TenantMetrics, latency_limits

__all__ = ["MetricsCollector"]


_SUMMED = "Sum over the epochs that were read; mcos_epochs_missed_total counts the others."


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Summed:
    """A counter: the field of the metrics that it adds up, and how it is told.

    Parameters
    ----------
    field : str
        Field of ``Metrics`` or ``TenantMetrics``.
    name, text : str
        Name without ``_total``, and a sentence.
    in_seconds : bool
        Whether the field counts clocks.
    """

    field: str
    name: str
    text: str
    in_seconds: bool = False


_OF_CHANNEL = (
    _Summed(
        field="busy_clocks",
        name="mcos_channel_busy_seconds",
        text="Time in which granted bytes were owed to the pacer or unserved at the port.",
        in_seconds=True,
    ),
    _Summed(
        field="stalled_clocks",
        name="mcos_channel_stalled_seconds",
        text="Time in which a command waited for memory.",
        in_seconds=True,
    ),
)

_OF_TENANT = (
    _Summed(
        field="held_clocks",
        name="mcos_tenant_held_seconds",
        text="Time in which the head waited because no bucket covered it, or outside its colours.",
        in_seconds=True,
    ),
    _Summed(field="promotions", name="mcos_tenant_promotions", text="Grants by age."),
    _Summed(field="responses", name="mcos_tenant_responses", text="Requests served."),
    _Summed(
        field="slo_violations",
        name="mcos_tenant_slo_violations",
        text="Requests served later than the latency objective.",
    ),
    _Summed(
        field="colour_faults",
        name="mcos_tenant_colour_faults",
        text="Requests taken outside the tenant's page colours.",
    ),
)

_LATENCY = "latency"

_LOAD = "mcos_channel_load_ratio"

_LOAD_TEXT = "Bytes granted and not yet served over the port credit, rounded down to a quarter."


class MetricsCollector(Collector):
    """Adds up what a client reads, epoch by epoch, and gives it to ``prometheus_client``.

    The hardware's counters begin at 0 in every epoch; those of Prometheus only grow. So each epoch
    is to be taken once: an epoch that is read again adds nothing, and one that was not read is
    counted as missed. The first epoch that is taken is the first that counts. A count that
    saturated adds what the hardware's counter holds at most. Another thread may collect meanwhile.

    Of several channels, what a channel has is told with a label ``channel``, and what a tenant has
    is the sum over them.

    Parameters
    ----------
    client : Client
        Whose core it is, and whose tenants.
    """

    def __init__(self, client: Client) -> None:
        self.core = client.core
        self._names = dict(client.names)
        self._lock = threading.Lock()
        self._latest: Metrics | None = None
        self._totals: Counter[tuple[Any, ...]] = Counter()
        self._channel_totals: Counter[tuple[Any, ...]] = Counter()
        self.epochs_read = 0
        self.epochs_missed = 0
        self.resets = 0
        self._saturated = 0

    def take(self, metrics: Metrics) -> None:
        """Add an epoch, unless it was the last one that was added."""
        with self._lock:
            before, self._latest = self._latest, metrics
            if before is not None and metrics.epoch < before.epoch:
                self.resets += 1
                before = None
            last = 0 if before is None else before.epoch
            if metrics.epoch == last:
                return
            if before is not None:
                self.epochs_missed += metrics.epoch - last - 1
            self.epochs_read += 1
            self._saturated += sum(count.saturated for count in metrics.counts())
            for key, count in _counted(metrics):
                self._totals[key] += count.value
            for key, value in _counted_of_channels(metrics):
                self._channel_totals[key] += value

    def samples(self) -> list[dict[str, Any]]:
        """Every sample as a dictionary: ``name``, ``labels``, ``value``."""
        return [
            {"name": sample.name, "labels": dict(sample.labels), "value": sample.value}
            for family in self.collect()
            for sample in family.samples
        ]

    def collect(self) -> Iterator[Metric]:
        """The metric families; none before the first epoch is taken."""
        with self._lock:
            latest, totals = self._latest, self._totals.copy()
            channel_totals = self._channel_totals.copy()
            epochs = (self.epochs_read, self.epochs_missed, self.resets, self._saturated)
        if latest is None:
            return
        yield from self._of_core(latest)
        yield from _of_epochs(*epochs)
        if latest.channels:
            yield from _of_channels(self._shown(latest, totals), latest, channel_totals)
        else:
            yield from _of_channel(latest, totals)
        yield from _of_tenants(self._shown(latest, totals), latest, totals)

    def _shown(self, latest: Metrics, totals: Counter) -> list[tuple[str, TenantMetrics]]:
        """Tenants with the names that they are told by.

        Where some have names, a tag without one is shown if anything was counted for it.
        """
        used = {key[1] for key, total in totals.items() if len(key) > 1 and total}
        return [
            (self._names.get(tenant.tag, f"tag {tenant.tag}"), tenant)
            for tenant in latest.tenants
            if not self._names or tenant.tag in self._names or tenant.tag in used
        ]

    def _of_core(self, latest: Metrics) -> Iterator[Metric]:
        core = self.core
        about = GaugeMetricFamily(
            "mcos_core_info",
            "The core that is read.",
            labels=["version", "arbiter", "tenants", "map_hash"],
        )
        version = ".".join(map(str, core.version))
        arbiter = core.arbiter.name.lower().replace("_", "-")
        hashed = f"{core.registers.hash:#010x}"
        about.add_metric([version, arbiter, str(core.config.tenants), hashed], 1)
        yield about
        yield _gauge("mcos_core_clock_hertz", "Nominal clock.", 1000 * core.config.clock_khz)
        yield _gauge(
            "mcos_epoch_seconds",
            "Length of an epoch under the live image; 0 for none.",
            latest.seconds(latest.epoch_clocks),
        )
        yield _counter(
            "mcos_commits", "Images made live since the core's reset.", latest.generation
        )


def _counted(metrics: Metrics) -> Iterator[tuple[tuple[Any, ...], Count]]:
    """Every count with the key of its total: what, then the tag, then which of several."""
    for summed in _OF_CHANNEL:
        yield (summed.field,), getattr(metrics, summed.field)
    for tenant in metrics.tenants:
        for summed in _OF_TENANT:
            yield (summed.field, tenant.tag), getattr(tenant, summed.field)
        for each in tenant.granted:
            kind = (tenant.tag, each.direction, each.grant_class)
            yield ("requests", *kind), each.requests
            yield ("bytes", *kind), each.bytes
        for k, count in enumerate(tenant.latency):
            yield (_LATENCY, tenant.tag, k), count


def _counted_of_channels(metrics: Metrics) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Every count of each of several channels with the key of its total: what, channel, tag."""
    for k, channel in enumerate(metrics.channels):
        for summed in _OF_CHANNEL:
            yield (summed.field, k), getattr(channel, summed.field).value
        for tenant in channel.tenants:
            yield ("bytes", k, tenant.tag), sum(each.bytes.value for each in tenant.granted)
            yield ("slo_violations", k, tenant.tag), tenant.slo_violations.value


def _of_channel(latest: Metrics, totals: Counter) -> Iterator[Metric]:
    """What the only channel has."""
    for summed in _OF_CHANNEL:
        family = CounterMetricFamily(summed.name, f"{summed.text} {_SUMMED}")
        family.add_metric([], _value(totals[summed.field,], summed, latest))
        yield family
    yield _gauge(_LOAD, _LOAD_TEXT, latest.load_quarters / 4)


def _of_channels(
    shown: list[tuple[str, TenantMetrics]], latest: Metrics, totals: Counter
) -> Iterator[Metric]:
    """What each of several channels has, and each tenant of it."""
    yield _gauge("mcos_core_channels", "Channels of the core.", len(latest.channels))
    numbers = range(len(latest.channels))
    for summed in _OF_CHANNEL:
        family = CounterMetricFamily(summed.name, f"{summed.text} {_SUMMED}", labels=["channel"])
        for k in numbers:
            family.add_metric([str(k)], _value(totals[summed.field, k], summed, latest))
        yield family
    load = GaugeMetricFamily(_LOAD, _LOAD_TEXT, labels=["channel"])
    share = GaugeMetricFamily(
        "mcos_channel_tenant_share_ratio",
        "What a tenant was granted lately over the rate of the channel.",
        labels=["channel", "tenant"],
    )
    for k, channel in enumerate(latest.channels):
        load.add_metric([str(k)], channel.load_quarters / 4)
        for name, tenant in shown:
            share.add_metric([str(k), name], channel.shares[tenant.tag])
    yield from (load, share)
    for what, name, text in (
        ("bytes", "mcos_channel_tenant_granted_bytes", "Bytes granted."),
        (
            "slo_violations",
            "mcos_channel_tenant_slo_violations",
            "Requests served later than the latency objective.",
        ),
    ):
        family = CounterMetricFamily(name, f"{text} {_SUMMED}", labels=["channel", "tenant"])
        for k in numbers:
            for tenant_name, tenant in shown:
                family.add_metric([str(k), tenant_name], totals[what, k, tenant.tag])
        yield family


def _of_epochs(read: int, missed: int, resets: int, saturated: int) -> Iterator[Metric]:
    yield _counter("mcos_epochs_read", "Epochs whose counts were added.", read)
    yield _counter(
        "mcos_epochs_missed",
        "Epochs that ended between two readings, so that their counts were not added.",
        missed,
    )
    yield _counter("mcos_core_resets", "Readings whose epoch was before the last one's.", resets)
    yield _counter(
        "mcos_saturated_counts",
        "Counts that were higher than their counter holds; what was added for them is less.",
        saturated,
    )


def _of_tenants(
    shown: list[tuple[str, TenantMetrics]], latest: Metrics, totals: Counter
) -> Iterator[Metric]:
    tags = GaugeMetricFamily("mcos_tenant_info", "Tag of a tenant.", labels=["tenant", "tag"])
    queued = GaugeMetricFamily(
        "mcos_tenant_queued_requests", "Requests in the queue at present.", labels=["tenant"]
    )
    peak = GaugeMetricFamily(
        "mcos_tenant_queued_peak_requests",
        "Most requests in the queue in the epoch that was read last.",
        labels=["tenant"],
    )
    for name, tenant in shown:
        tags.add_metric([name, str(tenant.tag)], 1)
        queued.add_metric([name], tenant.queued_requests)
        peak.add_metric([name], tenant.peak_requests)
    yield from (tags, queued, peak)
    for summed in _OF_TENANT:
        family = CounterMetricFamily(summed.name, f"{summed.text} {_SUMMED}", labels=["tenant"])
        for name, tenant in shown:
            family.add_metric([name], _value(totals[summed.field, tenant.tag], summed, latest))
        yield family
    for what, text in (("requests", "Requests granted."), ("bytes", "Bytes granted.")):
        family = CounterMetricFamily(
            f"mcos_tenant_granted_{what}",
            f"{text} {_SUMMED}",
            labels=["tenant", "direction", "class"],
        )
        for name, tenant in shown:
            for each in tenant.granted:
                total = totals[what, tenant.tag, each.direction, each.grant_class]
                family.add_metric([name, each.direction, each.grant_class.name.lower()], total)
        yield family
    yield _latency(shown, latest, totals)


def _latency(
    shown: list[tuple[str, TenantMetrics]], latest: Metrics, totals: Counter
) -> HistogramMetricFamily:
    """The histograms. The hardware adds no latencies up, so there is no ``_sum``."""
    name = "mcos_tenant_latency_seconds"
    family = HistogramMetricFamily(
        name, f"Latency from first offer to response. {_SUMMED}", labels=["tenant"]
    )
    edges = [repr(latest.seconds(limit)) for limit in latency_limits()] + ["+Inf"]
    for tenant_name, tenant in shown:
        buckets, below = [], 0
        for k, edge in enumerate(edges):
            below += totals[_LATENCY, tenant.tag, k]
            buckets.append((edge, float(below)))
        family.add_metric([tenant_name], buckets, None)
        # The family leaves it out with the sum, but readers expect it.
        family.add_sample(f"{name}_count", {"tenant": tenant_name}, float(below))
    return family


def _value(total: int, summed: _Summed, latest: Metrics) -> float:
    return latest.seconds(total) if summed.in_seconds else total


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)
