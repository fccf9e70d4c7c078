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


def test_terms_worked_by_hand(base: str, contract_file: Callable[[str], Path]) -> None:
    first, second = _judged(contract_file, base)
    assert first.terms == {
        # 16 requests of the other, and 576 bytes that are granted ahead, 128 bytes a clock; then
        # half of the clocks make room for one more. Three clocks to the queue.
        "ingress": 2 * (16 + 4.5) + 3,
        # (512 + alpha) / (64 / 3) + 1, alpha as in test_explain.
        "fair queueing": pytest.approx(105),
        "other classes": pytest.approx(16),
        "one request in flight": 8,
        "promotions": pytest.approx(8),
        "memory": 144 + 2,
    }
    assert first.bound == pytest.approx(327)
    assert second.bound == pytest.approx(327 - 105 + 57)


@pytest.mark.parametrize(
    ("fabric", "term", "clocks"),
    [
        ('latency = "100 ns"', "memory", 80 + 2),
        ('port_credit = "4 KiB"', "memory", 64 + 2),
        ('depth1 = "0 ns"', "one request in flight", 0),
        ('depth1 = "1 ns"', "one request in flight", 8),
        # An age limit is 992 clocks at least: one promotion, whatever the interval.
        ("promotion_interval = 1", "promotions", 8),
        ("promotion_interval = 255", "promotions", 8),
    ],
)
def test_terms(
    base: str, contract_file: Callable[[str], Path], fabric: str, term: str, clocks: int
) -> None:
    first, _ = _judged(contract_file, base.replace("channels = 8", f"channels = 8\n{fabric}"))
    assert float(first.terms[term]) == pytest.approx(clocks)


def test_age_limits_and_the_interval_bound_promotions(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    # The limit of b is 160 clocks, 8 rounds of 16 less 2 that may be short: 137 clocks and 8 for
    # each promotion have two in them; with one in 255 it is one again.
    limited = base + 'age_limit = "200 ns"\n'
    assert _judged(contract_file, limited)[0].terms["promotions"] == pytest.approx(16)
    rare = limited.replace("channels = 8", "channels = 8\npromotion_interval = 255")
    assert _judged(contract_file, rare)[0].terms["promotions"] == pytest.approx(8)
    never = base + 'age_limit = "0 ns"\n'
    assert _judged(contract_file, never)[0].terms["promotions"] == 0


def test_tokens_that_come_late_and_a_jump_of_virtual_time(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    third = base.split("[[tenant]]")[2].replace('"b"', '"c"').replace("= 80", "= 160")
    text = base.replace("channels = 8", 'channels = 8\ndepth1 = "0 ns"')
    first, *_ = _judged(contract_file, text + "\n[[tenant]]" + third)
    # Of weights 1, 2, 4 the last one may be owed twice a longest request: 16 clocks.
    fair = float(first.terms["fair queueing"])
    assert first.terms["other classes"] == pytest.approx(16 + 16)
    # At 0.85 of capacity g is nearly r_i, and a wait of more than X brings tokens for more.
    full = text.replace('"40 GB/s"', '"116 GB/s"').replace("= 80", "= 232")
    full = full.replace("burst_gbps = 160.5", "burst_gbps = 400")
    first, _ = _judged(contract_file, full)
    fair = float(first.terms["fair queueing"])
    found = (fair / 3 + 8 + 16) / (1 - 232 / 409.6)
    assert first.terms["other classes"] == pytest.approx(found - fair)
    assert found - fair > 16


@pytest.mark.parametrize(("lateness", "owed"), [(3, 2 + 4), (0, 4)])
def test_as_many_are_owed_a_jump_as_are_on_the_way(
    base: str, contract_file: Callable[[str], Path], lateness: int, owed: int
) -> None:
    text = base.replace("channels = 8", 'channels = 8\ndepth1 = "0 ns"').replace("40 GB", "4 GB")
    template = text.split("[[tenant]]")[2]
    for name, rate in (("c", 16), ("d", 4)):
        text += "\n[[tenant]]" + template.replace('"b"', f'"{name}"').replace("= 80", f"= {rate}")
    text = text.replace("guaranteed_gbps = 80", "guaranteed_gbps = 8")
    config = ChannelConfig(lateness=lateness)
    contract = compile_contract(contract_file(text), config).contract
    first = judge(contract, config, [0])[0]
    # Beside weights of 1, 2 and 4: a jump is a longest request at a weight of 1.
    assert first.terms["other classes"] == pytest.approx(16 + 8 * owed)


def test_a_higher_priority_goes_first_as_far_as_its_bucket_reaches(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    text = base + "priority = 0\n"
    plain = _judged(contract_file, text)
    over = text.replace("channels = 8", "channels = 8\novercommitted = true")
    first, second = _judged(contract_file, over)
    # 80 GB/s for 1.5 ms on one of eight channels: 15 MB, 234,375 clocks.
    assert first.terms["other classes"] > 234_375
    assert second.terms == plain[1].terms


def test_without_the_pacer_nothing_is_promised(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    text = base.replace("channels = 8", "channels = 8\npacer = false")
    first, _ = _judged(contract_file, text.replace("burst =", 'latency_slo = "1 ms"\nburst ='))
    assert (first.bound, first.verdict) == (None, Verdict.NOT_PROMISED)


def test_a_bucket_holds_what_a_wait_brings(base: str, contract_file: Callable[[str], Path]) -> None:
    text = base.replace('"2 ms"', '"1 ns"')
    settings = compile_contract(contract_file(text), CONFIG).settings.tenants[3]
    # 6.25 bytes a clock for 137 clocks and the four in which tokens do not count yet.
    assert settings.committed_depth == 512 + 882
    assert settings.peak_depth == 512 + 882
    assert settings.age_limit == 1024
