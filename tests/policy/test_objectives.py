"""Latency objectives and bounds, against numbers worked by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.objectives import Objective, Verdict, judge

CONFIG = ChannelConfig()


def _judged(contract_file: Callable[[str], Path], text: str) -> list[Objective]:
    compiled = compile_contract(contract_file(text), CONFIG)
    return list(judge(compiled.contract, CONFIG).values())


def test_verdicts_change_at_the_bound_and_at_the_idle_latency(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    first, _ = _judged(contract_file, base)
    assert first.bound is not None
    assert (first.slo, first.verdict) == (None, None)
    # 180 ns of memory, three clocks into the queue, one from the completion to the response.
    assert first.idle == 144 + 3 + 1
    for nanoseconds, verdict in (
        (float(first.bound) * 1.25 + 0.01, Verdict.HOLDS),
        (float(first.bound) * 1.25 - 0.01, Verdict.NOT_PROMISED),
        (185, Verdict.NOT_PROMISED),
        (184.9, Verdict.IMPOSSIBLE),
    ):
        slo = f'guaranteed = "40 GB/s"\nlatency_slo = "{nanoseconds} ns"'
        text = base.replace('guaranteed = "40 GB/s"', slo)
        first, second = _judged(contract_file, text)
        assert (first.verdict, second.verdict) == (verdict, None), nanoseconds


@pytest.mark.parametrize(
    ("fabric", "term", "clocks"),
    [
        ('latency = "100 ns"', "memory", 80 + 2),
        ('port_credit = "4 KiB"', "memory", 64 + 2),
        ('depth1 = "0 ns"', "one request in flight", 0),
        ('depth1 = "1 ns"', "one request in flight", 8),
    ],
)
def test_terms(
    base: str, contract_file: Callable[[str], Path], fabric: str, term: str, clocks: int
) -> None:
    first, _ = _judged(contract_file, base.replace("channels = 8", f"channels = 8\n{fabric}"))
    assert first.terms[term] == clocks
