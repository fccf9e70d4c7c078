"""What two images tell the hardware differently."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.diff.images import compare_images
from mcos_policy.settings import Settings

CONFIG = ChannelConfig()


@pytest.fixture
def settings(base: str, contract_file: Callable[[str], Path]) -> Settings:
    return compile_contract(contract_file(base), CONFIG).settings


def _channel(settings: Settings, **fields: Any) -> Settings:
    return dataclasses.replace(settings, channel=dataclasses.replace(settings.channel, **fields))


def _tenant(settings: Settings, **fields: Any) -> Settings:
    tenants = list(settings.tenants)
    tenants[3] = dataclasses.replace(tenants[3], **fields)
    return dataclasses.replace(settings, tenants=tuple(tenants))


def _told(before: Settings, after: Settings) -> list[tuple[str, str, str, str, str]]:
    changes = compare_images(before, after, (CONFIG, CONFIG), {3: "a"})
    return [(c.subject, c.key, c.before, c.after, c.words) for c in changes]


TENANT = [
    ({"committed_rate": 491_520}, ("committed_rate", "5 GB/s", "6 GB/s", "+20 %")),
    (
        {"committed_rate": 409_601},
        ("committed_rate", "5 GB/s", "5.00001 GB/s", "+0.000244 %"),
    ),
    (
        {"committed_depth": 20_000_000},
        ("committed_depth", "10,000,000 B", "20,000,000 B", "+100 %"),
    ),
    ({"inverse_weight": 1 << 23}, ("weight", "1", "2", "+100 %")),
    ({"age_limit": 0}, ("age_limit", "1.28 us", "never", "")),
    ({"latency_slo": 800}, ("latency_slo", "not set", "1 us", "")),
    ({"work_conserving": 0}, ("work_conserving", "on", "off", "")),
    ({"priority": 2}, ("priority", "1", "2", "")),
    ({"colours": 0x0F}, ("colours", "0xffff", "0xf", "")),
    ({"refuse_outside": 1}, ("refuse_outside", "off", "on", "")),
]


@pytest.mark.parametrize(("fields", "told"), TENANT, ids=[str(fields) for fields, _ in TENANT])
def test_one_field_of_a_tenant(
    fields: dict[str, int], told: tuple[str, ...], settings: Settings
) -> None:
    assert _told(settings, _tenant(settings, **fields)) == [("a (tag 3)", *told)]


CHANNEL = [
    ({"pacer_rate": 62 << 16}, ("pacer_rate", "51.2 GB/s", "49.6 GB/s", "-3.12 %")),
    ({"port_credit": 1024}, ("port_credit", "9,216 B", "1,024 B", "-88.9 %")),
    ({"overcommitted": 1}, ("overcommitted", "off", "on", "")),
    ({"promotion_interval": 8}, ("promotion_interval", "16", "8", "-50 %")),
    ({"epoch_clocks": 0}, ("epoch", "10 ms", "none", "")),
    ({"inverse_total_weight": 1 << 26}, ("sum of weights", "3", "4", "+33.3 %")),
    ({"colour_bit_0": 13}, ("colour_bit_0", "0", "13", "")),
]


@pytest.mark.parametrize(("fields", "told"), CHANNEL, ids=[str(fields) for fields, _ in CHANNEL])
def test_one_field_of_the_channel(
    fields: dict[str, int], told: tuple[str, ...], settings: Settings
) -> None:
    assert _told(settings, _channel(settings, **fields)) == [("channel", *told)]


def test_what_is_alike_is_not_told(settings: Settings) -> None:
    assert _told(settings, settings) == []


def test_tenants_that_come_and_go(settings: Settings) -> None:
    gone = _tenant(settings, enable=0, committed_rate=0)
    assert _told(settings, gone) == [("a (tag 3)", "tenant", "committed 5 GB/s", "disabled", "")]
    spare = {"committed_rate": 0, "committed_depth": 0}
    changes = _told(gone, _tenant(settings, **spare))
    assert changes == [("a (tag 3)", "tenant", "disabled", "best effort", "")]
    # The hardware goes by nothing of a disabled tenant.
    assert _told(gone, _tenant(gone, peak_rate=1, priority=7)) == []


def test_hardware_of_another_clock(settings: Settings) -> None:
    """The same registers are another rate."""
    slow = ChannelConfig(clock_khz=400_000)
    changes = compare_images(settings, settings, (CONFIG, slow), {})
    told = {(c.subject, c.key): (c.before, c.after) for c in changes}
    assert told["hardware", "clock"] == ("800 MHz", "400 MHz")
    assert told["tag 3", "committed_rate"] == ("5 GB/s", "2.5 GB/s")
    assert told["tag 3", "age_limit"] == ("1.28 us", "2.56 us")
    assert ("tag 3", "committed_depth") not in told


def test_hardware_of_fewer_tags(base: str, contract_file: Callable[[str], Path]) -> None:
    few = ChannelConfig(tenants=4)
    path = contract_file(base)
    sides = [compile_contract(path, config).settings for config in (few, CONFIG)]
    changes = compare_images(*sides, (few, CONFIG), {})
    assert [(c.subject, c.before, c.after) for c in changes] == [("hardware", "4", "16")]


def test_what_a_fabric_is_told(settings: Settings) -> None:
    before = dataclasses.replace(settings, fabric={"grain": 1, "mask_0": 0x92492492})
    after = dataclasses.replace(before, fabric={"grain": 2, "mask_0": 0x92492492})
    assert _told(before, before) == []
    assert _told(before, after) == [("fabric", "grain", "1", "2", "")]
    assert _told(before, settings) == [
        ("fabric", "grain", "1", "left as it is", ""),
        ("fabric", "mask_0", "0x92492492", "left as it is", ""),
    ]
    slower = dataclasses.replace(settings.channel, depth1_clocks=8)
    apart = dataclasses.replace(settings, channels=(settings.channel, slower))
    assert [row[0] for row in _told(settings, apart)] == ["channel 1"]
    ports = dataclasses.replace(settings, ports=((1, 2, 3), (4, 5, 6)))
    other = dataclasses.replace(settings, ports=((1, 2, 3), (4, 0, 0)))
    assert _told(ports, other) == [("port 1", "rows and credits", "set", "2 words differ", "")]
    assert _told(ports, settings)[0][2:4] == ("set", "left as they are")
