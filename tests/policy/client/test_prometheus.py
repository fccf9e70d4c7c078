"""Epochs added up as Prometheus wants them, read back by its own parser."""

import dataclasses

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import LATENCY_BINS
from mcos_policy.client import Client, Count, MappedFile
from mcos_policy.client.prometheus import MetricsCollector
from tests.policy.client.bench import core_file

FOUR = ChannelConfig(tenants=4)

NAMES = {0: "prefill", 2: 'de"code'}


@pytest.fixture
def client(tmp_path):
    path = core_file(
        tmp_path / "core",
        FOUR,
        EPOCH=7,
        EPOCH_LENGTH=80_000,
        GENERATION=2,
        LOAD=2,
        BUSY=40_000,
        STALLED=800,
        QUEUE=[0x0201, 0, 0x0504, 0],
        HELD=[8_000, 0, 16_000, 0],
        RESPONSES=[30, 0, 50, 0],
        SLO_VIOLATIONS=[1, 0, 2, 0],
        GRANT_REQUESTS=[*range(8), *[0] * 8, *range(100, 108), *[0] * 8],
        GRANT_BYTES=[*range(0, 800, 100), *[0] * 8, *range(1_000, 1_800, 100), *[0] * 8],
        LATENCY=[*[0] * 6, 10, 20, *[0] * 24, *[0] * 7, 25, 20, *[0] * 6, 5, *[0] * 16],
    )
    return Client(MappedFile(path), FOUR, names=NAMES)


def parsed(collector) -> dict[tuple, float]:
    """Every sample of the text by its name and its labels."""
    registry = CollectorRegistry()
    registry.register(collector)
    text = generate_latest(registry).decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, *sorted(sample.labels.items())] = sample.value
    return found


def taken(client, *epochs):
    collector = MetricsCollector(client)
    for metrics in epochs:
        collector.take(metrics)
    return collector


def test_nothing_is_told_before_something_is_read(client):
    assert parsed(MetricsCollector(client)) == {}


def test_an_epoch_in_base_units_with_its_labels(client):
    metrics = client.metrics()
    found = parsed(taken(client, metrics))
    decode = ("tenant", 'de"code')
    assert found["mcos_core_clock_hertz",] == 800e6
    assert found["mcos_epoch_seconds",] == pytest.approx(100e-6)
    assert found["mcos_commits_total",] == 2
    assert found["mcos_channel_busy_seconds_total",] == pytest.approx(50e-6)
    assert found["mcos_channel_stalled_seconds_total",] == pytest.approx(1e-6)
    assert found["mcos_channel_load_ratio",] == 0.5
    assert found["mcos_tenant_info", ("tag", "2"), decode] == 1
    assert found["mcos_tenant_queued_requests", decode] == 4
    assert found["mcos_tenant_queued_peak_requests", decode] == 5
    assert found["mcos_tenant_held_seconds_total", decode] == pytest.approx(20e-6)
    assert found["mcos_tenant_responses_total", decode] == 50
    assert found["mcos_tenant_slo_violations_total", decode] == 2
    labels = ("class", "scavenged"), ("direction", "write"), decode
    assert found["mcos_tenant_granted_requests_total", *labels] == 106
    assert found["mcos_tenant_granted_bytes_total", *labels] == 1_600
    about = [key for key in found if key[0] == "mcos_core_info"]
    assert about[0][1:] == (
        ("arbiter", "mcos"),
        ("map_hash", f"{client.core.registers.hash:#010x}"),
        ("tenants", "4"),
        ("version", "0.1.0"),
    )


def test_a_histogram_is_cumulative_with_inclusive_limits_and_no_sum(client):
    found = parsed(taken(client, client.metrics()))
    decode = ("tenant", 'de"code')
    name = "mcos_tenant_latency_seconds"
    rows = {
        key[1][1]: value
        for key, value in found.items()
        if key[0] == f"{name}_bucket" and key[2] == decode
    }
    assert len(rows) == LATENCY_BINS
    by_clocks = {
        round(float(edge) * 800e6): value for edge, value in rows.items() if edge != "+Inf"
    }
    # Latencies are whole clocks: under 256 is at most 255.
    assert (by_clocks[127], by_clocks[255], by_clocks[511], by_clocks[32_767]) == (0, 25, 45, 45)
    assert rows["+Inf"] == found[f"{name}_count", decode] == 50
    assert not [key for key in found if key[0] == f"{name}_sum"]


def test_epochs_add_up_once_each_and_missed_ones_are_counted(client):
    metrics = client.metrics()
    later = dataclasses.replace(metrics, epoch=8, load_quarters=0)
    much_later = dataclasses.replace(metrics, epoch=12)
    collector = taken(client, metrics, metrics, later, later, much_later)
    found = parsed(collector)
    assert found["mcos_tenant_responses_total", ("tenant", "prefill")] == 3 * 30
    assert found["mcos_epochs_read_total",] == 3
    assert found["mcos_epochs_missed_total",] == 3
    assert found["mcos_core_resets_total",] == 0
    collector.take(dataclasses.replace(metrics, epoch=1))
    found = parsed(collector)
    assert found["mcos_tenant_responses_total", ("tenant", "prefill")] == 4 * 30
    assert (found["mcos_core_resets_total",], found["mcos_epochs_missed_total",]) == (1, 3)


def test_an_epoch_before_the_first_one_adds_nothing(client):
    none = dataclasses.replace(client.metrics(), epoch=0)
    found = parsed(taken(client, none))
    assert found["mcos_epochs_read_total",] == 0
    assert found["mcos_tenant_responses_total", ("tenant", "prefill")] == 0
    assert found["mcos_tenant_queued_requests", ("tenant", "prefill")] == 1


def test_a_count_that_saturated_is_told(client):
    metrics = client.metrics()
    first, *others = metrics.tenants
    full = Count(value=(1 << 31) - 1, saturated=True)
    first = dataclasses.replace(first, responses=full, promotions=full)
    found = parsed(taken(client, dataclasses.replace(metrics, tenants=(first, *others))))
    assert found["mcos_saturated_counts_total",] == 2
    assert found["mcos_tenant_responses_total", ("tenant", "prefill")] == full.value


def test_tags_without_a_name(client):
    """All of them where no name is known; otherwise those for which something was counted."""

    def tenants(collector):
        return [
            dict(key[1:])["tenant"] for key in parsed(collector) if key[0] == "mcos_tenant_info"
        ]

    metrics = client.metrics()
    assert tenants(taken(client, metrics)) == ["prefill", 'de"code']
    third = dataclasses.replace(metrics.tenants[3], responses=Count(value=1))
    used = dataclasses.replace(metrics, tenants=(*metrics.tenants[:3], third))
    assert tenants(taken(client, used)) == ["prefill", 'de"code', "tag 3"]
    nameless = Client(client.transport, FOUR)
    assert tenants(taken(nameless, nameless.metrics())) == [f"tag {tag}" for tag in range(4)]


def test_every_name_is_of_the_conventions(client):
    registry = CollectorRegistry()
    registry.register(taken(client, client.metrics()))
    for family in registry.collect():
        assert family.name.startswith("mcos_")
        units = ("seconds", "bytes", "ratio", "hertz", "info", "requests")
        if family.type == "counter":
            assert all(each.name.endswith("_total") for each in family.samples)
            assert "Sum over the epochs" in family.documentation or "_tenant_" not in family.name
        else:
            assert family.name.endswith(units), family.name
        assert family.documentation.endswith(".")


def test_samples_are_those_of_the_text(client):
    collector = taken(client, client.metrics())
    samples = {
        (each["name"], *sorted(each["labels"].items())): each["value"]
        for each in collector.samples()
    }
    assert samples == parsed(collector)
