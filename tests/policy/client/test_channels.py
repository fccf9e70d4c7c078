"""A core of several channels: found, read channel by channel, and added up."""

import pytest

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.registers import LATENCY_BINS, channel_map, channels_map, fabric_map
from mcos_policy.client import Client, ClientError, Count, MappedFile
from mcos_policy.client.prometheus import MetricsCollector
from tests.policy.client.bench import core_file
from tests.policy.client.test_prometheus import parsed

FOUR = ChannelConfig(tenants=4, beat_bytes=64, max_beats=8)
SATURATED = 1 << 31


def core_of(path, channels=2, **words):
    """A core whose channel c has c times the counts of channel 1, and in which a count is full."""
    registers = fabric_map(FabricConfig.around(FOUR, channels=channels))
    parts = {}
    for c in range(channels):
        parts |= {
            ("LOAD", c): 3 - c % 4,
            ("BUSY", c): 1_000 * c,
            ("STALLED", c): [10 * c],
            ("QUEUE", c): [0x0201 + c, 0, 0, 0],
            ("RESPONSES", c): [5 * c, 7, 0, 0],
            ("SLO_VIOLATIONS", c): [0, c | (SATURATED if c == 1 else 0), 0, 0],
            ("GRANT_BYTES", c): [64 * c, 0, 0, 0, 128 * c, 0, 0, 0, *[0] * 24],
            ("LATENCY", c): [0, c, *[0] * (4 * LATENCY_BINS - 2)],
            ("UTILISATION", c): [256 * c, 0, 1024, 0],
        }
    given = {"EPOCH": 4, "EPOCH_LENGTH": 8_000, "GENERATION": 1} | words
    return core_file(path, FOUR, registers, parts=parts, **given)


@pytest.mark.parametrize("channels", [2, 32])
def test_a_fabric_is_found_with_its_channels(channels, tmp_path):
    registers = channels_map(FOUR, channels)
    path = core_file(tmp_path / "core", FOUR, registers)
    for config in (None, FOUR):
        core = Client(MappedFile(path), config).core
        assert (core.channels, core.config) == (channels, FOUR)
        assert core.registers == registers


def test_ports_are_known_to_who_gives_their_map(tmp_path):
    fabric = FabricConfig.around(FOUR, channels=2)
    path = core_file(tmp_path / "core", fabric.channel, fabric_map(fabric))
    maps = (channel_map, lambda config: fabric_map(fabric))
    core = Client(MappedFile(path), fabric.channel, maps=maps).core
    assert core.registers == fabric_map(fabric)


def test_channels_that_no_core_has_are_told(tmp_path):
    capability = channel_map(FOUR)["CAPABILITY"].reset + 2
    path = core_file(tmp_path / "core", FOUR, CAPABILITY=capability)
    with pytest.raises(ClientError, match="must tell 1, 2, 4, 8, 16, 32 channels, not 3; use"):
        Client(MappedFile(path))


def test_registers_of_a_channel_by_name(tmp_path):
    client = Client(MappedFile(core_of(tmp_path / "core")), FOUR)
    assert client.read_channel(1, "QUEUE") == {"now": 2, "peak": 2}
    with pytest.raises(IndexError, match="part of 'CHANNEL' must be below 2, not 2"):
        client.read_channel(2, "QUEUE")
    single = Client(MappedFile(core_file(tmp_path / "single", FOUR)), FOUR)
    with pytest.raises(IndexError, match="channel must be one of several"):
        single.read_channel(0, "QUEUE")


def test_metrics_are_of_each_channel_and_of_all(tmp_path):
    metrics = Client(MappedFile(core_of(tmp_path / "core", 4)), FOUR).metrics()
    assert (metrics.epoch, metrics.epoch_clocks, metrics.load_quarters) == (4, 8_000, 3)
    assert [each.load_quarters for each in metrics.channels] == [3, 2, 1, 0]
    assert (metrics.busy_clocks.value, metrics.stalled_clocks.value) == (6_000, 60)
    assert [each.busy_clocks.value for each in metrics.channels] == [0, 1_000, 2_000, 3_000]
    first, second = metrics.tenants[:2]
    assert (first.queued_requests, first.peak_requests) == (1 + 2 + 3 + 4, 2)
    assert first.responses == Count(value=5 * 6)
    assert second.slo_violations == Count(value=6, saturated=True)
    assert sum(each.bytes.value for each in first.granted) == 192 * 6
    assert first.latency[1] == Count(value=6)
    assert [each.shares for each in metrics.channels[:2]] == [(0, 0, 1, 0), (0.25, 0, 1, 0)]
    # Counts of the hardware: that of one channel is full.
    assert sum(each.saturated for each in metrics.counts()) == 1


def test_prometheus_tells_channels_by_label_and_tenants_as_sums(tmp_path):
    client = Client(MappedFile(core_of(tmp_path / "core", 4)), FOUR, names={0: "decode"})
    collector = MetricsCollector(client)
    metrics = client.metrics()
    collector.take(metrics)
    found = parsed(collector)
    decode, third = ("tenant", "decode"), ("channel", "3")
    assert found["mcos_core_channels",] == 4
    assert found["mcos_channel_busy_seconds_total", third] == pytest.approx(3_000 / 800e6)
    assert found["mcos_channel_load_ratio", ("channel", "0")] == 0.75
    assert found["mcos_channel_tenant_share_ratio", third, decode] == 0.75
    assert found["mcos_channel_tenant_granted_bytes_total", third, decode] == 192 * 3
    violations = "mcos_channel_tenant_slo_violations_total"
    assert found[violations, third, ("tenant", "tag 1")] == 3
    assert found["mcos_tenant_responses_total", decode] == 5 * 6
    labels = ("class", "conforming"), ("direction", "write"), decode
    assert found["mcos_tenant_granted_bytes_total", *labels] == 128 * 6
    assert found["mcos_saturated_counts_total",] == 1
    assert not any(
        key[0].startswith("mcos_channel") and "channel" not in dict(key[1:]) for key in found
    )
    # A second epoch adds up; the same one again does not.
    collector.take(metrics)
    assert parsed(collector) == found
