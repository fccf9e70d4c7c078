"""Quantisation: exact arithmetic, rounding in the tenant's favour, and its limits."""

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import SectionKind
from mcos_policy.compiler import compile_contract
from mcos_policy.contract import Bandwidth
from mcos_policy.quantize import (
    age_limit,
    bucket_depth,
    committed_rates,
    per_clock,
    single_class_delay,
    weights,
)
from mcos_policy.settings import ChannelSettings, TenantSettings

CONFIG = ChannelConfig()
UNIT = 1 << CONFIG.rate_fraction


def test_per_clock() -> None:
    assert per_clock(Fraction(409_600_000_000), 8, CONFIG) == 64


def test_committed_rates_round_up_while_the_sum_allows() -> None:
    third = Fraction(1, 3)
    assert committed_rates({0: third, 7: third}, CONFIG) == {0: 21846, 7: 21846}


def test_committed_rates_round_down_at_the_limit() -> None:
    limit = Fraction(85, 100) * 64
    assert limit * UNIT != CONFIG.admissible_rate  # the limit itself has to be rounded down
    rates = committed_rates({0: limit / 3, 1: limit / 3, 2: limit / 3}, CONFIG)
    assert set(rates.values()) == {1188386}
    assert sum(rates.values()) <= CONFIG.admissible_rate < sum(rates.values()) + 3


def test_committed_rates_keep_an_exact_limit() -> None:
    rates = committed_rates({0: Fraction(CONFIG.admissible_rate, UNIT)}, CONFIG)
    assert rates == {0: CONFIG.admissible_rate}


def test_bucket_depth() -> None:
    assert bucket_depth(Fraction(8 * 10**9), Fraction(1, 500), 8, CONFIG) == 2_000_000
    assert bucket_depth(Fraction(8 * 10**9), Fraction(1, 3), 8, CONFIG) == 333_333_334
    assert bucket_depth(Fraction(8), Fraction(1), 8, CONFIG) == CONFIG.l_max


def test_weights() -> None:
    got = weights({5: Fraction(3), 6: Fraction(1), 9: Fraction(255)}, CONFIG)
    assert got.inverse == {5: 5592405, 6: 1 << 24, 9: 65793}
    assert got.exact == {5: 3, 6: 1, 9: 255}
    assert got.quantized[9] == Fraction(1 << 24, 65793)
    assert got.total == sum(got.quantized.values())
    assert got.inverse_total == round((1 << 28) / got.total)
    for key, exact in got.exact.items():
        assert abs(got.quantized[key] / exact - 1) < Fraction(1, 10_000)
    assert abs(got.inverse_total * got.total / (1 << 28) - 1) < Fraction(1, 10_000)


def test_default_age_limit() -> None:
    promise = Bandwidth(
        guaranteed=Fraction(10**9), burst=Fraction(10**9), burst_duration=Fraction(1, 1000)
    )
    assert age_limit(promise, Fraction(256), CONFIG) == 1024
    assert age_limit(promise, Fraction(1025, 4), CONFIG) == 1025
    assert age_limit(promise, Fraction(1 << 20), CONFIG) == (1 << 20) - 1


def test_single_class_delay() -> None:
    assert single_class_delay(Fraction(1), CONFIG, rate=Fraction(64)) == 41


def test_settings(contract_file: Callable[[str], Path], base: str) -> None:
    extra = (
        'latency = "100.1 ns"\nepoch = "1 ms"\ndepth1 = "0 ns"\npacer = false\n'
        "overcommitted = true\npromotion_interval = 7\n"
    )
    text = base.replace("channels = 8\n", "channels = 8\n" + extra)
    text += (
        'priority = 15\nwork_conserving = false\nlatency_slo = "25.0001 us"\nage_limit = "2 us"\n'
    )
    settings = compile_contract(contract_file(text), CONFIG).settings
    third, two_thirds = Fraction(1 << 24, 1 << 24), Fraction(1 << 24, 1 << 23)
    assert settings.channel == ChannelSettings(
        pacer_enable=0,
        overcommitted=1,
        pacer_rate=64 * UNIT,
        port_credit=5152,  # 100.1 ns x 51.2 GB/s = 5125.12 bytes, up to a beat of 32
        inverse_total_weight=round((1 << 28) / (third + two_thirds)),
        depth1_clocks=0,
        promotion_interval=7,
        epoch_clocks=800_000,
    )
    assert settings.tenants[3] == TenantSettings(
        enable=1,
        work_conserving=1,
        priority=1,
        committed_rate=409_600,  # 40 GB/s / 8 / 800 MHz = 6.25 bytes per clock
        committed_depth=10_000_000,
        peak_rate=4_096_000,
        peak_depth=100_000_000,
        inverse_weight=1 << 24,
        age_limit=1024,
        latency_slo=0,
        colours=0xFFFF,
    )
    assert settings.tenants[0] == TenantSettings(
        enable=1,
        work_conserving=0,
        priority=15,
        committed_rate=819_200,
        committed_depth=15_000_000,
        peak_rate=1_643_520,
        peak_depth=30_093_750,
        inverse_weight=1 << 23,
        age_limit=1600,
        latency_slo=20_000,  # rounded down
        colours=0xFFFF,
    )
    others = [each for tag, each in enumerate(settings.tenants) if tag not in (0, 3)]
    assert others == [TenantSettings()] * 14


@pytest.mark.parametrize("config", [CONFIG, ChannelConfig(tenants=4, beat_bytes=64)])
def test_settings_are_the_register_map_s_fields_of_every_size(config: ChannelConfig) -> None:
    kinds = {SectionKind.CHANNEL: ChannelSettings, SectionKind.TENANT: TenantSettings}
    for section, kind in kinds.items():
        fields = channel_map(config).section_fields(section)
        assert [field.name for field in dataclasses.fields(kind)] == [each.name for each in fields]


@pytest.mark.parametrize("kind", [ChannelSettings, TenantSettings])
def test_a_misspelt_setting(kind: type) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'enabel'"):
        kind(enabel=1)
    with pytest.raises(AttributeError, match="has no attribute 'enabel'"):
        kind().enabel  # noqa: B018
