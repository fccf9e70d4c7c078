"""What explain says, against numbers worked by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.explain import explain


def test_explain(contract_file: Callable[[str], Path], base: str) -> None:
    explanation = explain(compile_contract(contract_file(base), ChannelConfig()))
    assert (explanation.channels, explanation.capacity_fabric) == (8, 409.6)
    assert explanation.reserved_share == pytest.approx(120 / 409.6)
    b, a = explanation.tenants
    assert ((a.name, a.tag), (b.name, b.tag)) == (("a", 3), ("b", 0))
    assert (a.guaranteed_fabric, a.guaranteed_channel, a.bytes_per_clock) == (40, 5, 6.25)
    assert (b.burst_fabric, b.burst_channel) == (160.5, 20.0625)
    assert a.capacity_share == pytest.approx(40 / 409.6)
    assert (a.rate_error, a.peak_error, a.weight_error) == (0, 0, 0)
    assert (a.weight, b.weight) == (1, 2)
    assert b.weight_share == pytest.approx(2 / 3)
    # (512 + alpha) / (64 / 3) + 1, and beside other classes 2 x 512 / 64 more.
    assert (a.delay_clocks, a.delay_ns) == (105, 131.25)
    assert (a.conforming_clocks, a.conforming_ns) == (121, 151.25)
    assert a.alpha == pytest.approx(512 + 3 * 512 / 3 + 2 * 512 * 2 / 3)
    assert a.depth1_alpha == pytest.approx(512 / 3)
    assert a.registers.committed_rate == 409_600
    assert json.loads(json.dumps(explanation.as_mapping()))["units"].startswith(
        "guaranteed_gbps = 120 means 120 GB/s: 120 x 10^9 bytes per second"
    )


def test_quantization_errors(contract_file: Callable[[str], Path], base: str) -> None:
    text = base.replace('"40 GB/s"', '"30 GB/s"').replace('"400 GB/s"', '"333.31 GB/s"')
    text = text.replace("= 80", "= 90.71")
    b, a = explain(compile_contract(contract_file(text), ChannelConfig())).tenants
    assert 0 < a.peak_error < 1 / 3_000_000  # rounded up, by less than one unit
    assert 0 < b.rate_error < 1 / 900_000
    assert 0 < abs(b.weight_error) < 1e-4
    assert b.weight == pytest.approx(90.71 / 30)
