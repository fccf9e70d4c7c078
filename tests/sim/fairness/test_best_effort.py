"""Best-effort tenants on the model: they get what is left, and the others lose nothing to them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import GrantClass
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.objectives import judge
from mcos_sim.experiments.promises import run_one_channel
from mcos_sim.experiments.statistics import bytes_between
from mcos_sim.scenario import FIRST_CLOCK, RunResult
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

CONFIG = ChannelConfig(tenants=4)
CLOCKS = 40_000
BEGIN = FIRST_CLOCK + CLOCKS // 4
FABRIC = "[fabric]\nchannels = 1\n"
GUARANTEED = """
[[tenant]]
name = "a"
[tenant.bandwidth]
guaranteed = "20 GB/s"
burst = "{burst}"
burst_duration = "1 us"
work_conserving = {conserving}
"""
SPARE = """
[[tenant]]
name = "spare"
[tenant.bandwidth]
guaranteed = "0 GB/s"
"""
HARD = GUARANTEED.format(burst="20 GB/s", conserving="false")
EAGER = GUARANTEED.format(burst="51.2 GB/s", conserving="true")


@pytest.fixture
def contract(tmp_path: Path) -> Callable[[str], Compiled]:
    def write(text: str) -> Compiled:
        path = tmp_path / "c.toml"
        path.write_text(FABRIC + text)
        return compile_contract(path, CONFIG)

    return write


def _flood(tag: int, beats: int = 16, window: int = 32) -> Stream:
    count = CLOCKS * CONFIG.bytes_per_clock // (beats * CONFIG.beat_bytes)
    requests = np.zeros(count, dtype=REQUEST)
    requests["beats"] = beats
    steps = np.zeros(1, dtype=STEP)
    steps["count"] = count
    return Stream(
        name=f"tenant-{tag}", tag=tag, window=window, closed=True, requests=requests, steps=steps
    )


def _paced(tag: int, *, burst: int, period: int) -> Stream:
    """So many longest requests at once, again and again."""
    steps = np.zeros(CLOCKS // period, dtype=STEP)
    steps["first"] = burst * np.arange(len(steps))
    steps["count"] = burst
    steps["ready"] = FIRST_CLOCK + 1_000 + period * np.arange(len(steps))
    requests = np.zeros(burst * len(steps), dtype=REQUEST)
    requests["beats"] = 16
    return Stream(
        name=f"tenant-{tag}", tag=tag, window=400, closed=False, requests=requests, steps=steps
    )


def _run(compiled: Compiled, *streams: Stream) -> RunResult:
    return run_one_channel(CONFIG, compiled.settings, list(streams), CLOCKS)


def _rate(result: RunResult, place: int) -> float:
    """Part of the channel that a tenant got."""
    end = FIRST_CLOCK + CLOCKS
    granted = bytes_between(result.tenants[place], BEGIN, end)
    return granted / (end - BEGIN) / CONFIG.bytes_per_clock


def test_alone_it_gets_the_whole_channel_at_line_rate(contract) -> None:
    compiled = contract(EAGER + SPARE)
    result = _run(compiled, _flood(1))
    assert _rate(result, 0) == pytest.approx(1.0, abs=0.001)
    assert set(result.tenants[0].classes) == {GrantClass.SCAVENGED}


def test_beside_a_guarantee_it_gets_what_is_left(contract) -> None:
    """The other one is backlogged, and uses its guarantee as conforming and no more."""
    compiled = contract(HARD + SPARE)
    alone = _run(compiled, _flood(0))
    result = _run(compiled, _flood(0), _flood(1))
    guarantee = 20 / 51.2
    assert _rate(result, 0) == pytest.approx(guarantee, abs=0.001)
    assert _rate(result, 0) >= _rate(alone, 0) - 0.001
    assert _rate(result, 1) == pytest.approx(1 - guarantee, abs=0.001)


def test_without_a_burst_it_comes_after_every_burst(contract) -> None:
    """Only its age limit, the longest there is, gets it anything beside a backlogged burst."""
    compiled = contract(EAGER + SPARE)
    assert compiled.settings.tenants[1].age_limit > CLOCKS
    result = _run(compiled, _flood(0), _flood(1))
    assert _rate(result, 0) > 0.999
    assert _rate(result, 1) < 0.001


def test_its_age_limit_gets_it_promoted(contract) -> None:
    limit = 2_000
    compiled = contract(EAGER + SPARE + f'age_limit = "{limit * 1.25} ns"\n')
    result = _run(compiled, _flood(0), _flood(1))
    granted = result.tenants[1].granted
    gaps = np.diff(granted[granted > BEGIN])
    assert limit <= gaps.max() <= limit + 100


def test_with_a_burst_it_shares_bursts_by_weight(contract) -> None:
    compiled = contract(EAGER + SPARE + 'burst = "51.2 GB/s"\n')
    result = _run(compiled, _flood(0), _flood(1))
    assert _rate(result, 1) == pytest.approx(1 / 11, rel=0.02)
    assert GrantClass.BURST in set(result.tenants[1].classes)


def test_best_effort_alone_shares_alike(contract) -> None:
    compiled = contract(SPARE + SPARE.replace("spare", "other"))
    result = _run(compiled, _flood(0), _flood(1, beats=4))
    assert _rate(result, 0) == pytest.approx(0.5, abs=0.01)
    assert _rate(result, 1) == pytest.approx(0.5, abs=0.01)


def test_it_does_not_delay_a_lone_request_of_others(contract) -> None:
    """A flood of its own moves virtual time, and bursts catch up what it moved."""
    other = HARD.replace('"a"', '"b"').replace("20 GB/s", "10 GB/s").replace("1 us", "20 us")
    eager = HARD.replace("1 us", "20 us")
    compiled = contract(eager + other + other.replace('"b"', '"c"') + SPARE)
    burst = 100
    result = _run(
        compiled,
        _paced(0, burst=burst, period=16_000),
        _paced(1, burst=burst, period=16_000),
        _paced(2, burst=1, period=997),
        _flood(3),
    )
    lone = result.tenants[2]
    answered = lone.completed >= 0
    latest = int((lone.completed - lone.offered)[answered].max())
    objective = judge(compiled.contract, CONFIG)[2]
    assert objective.bound is not None
    assert latest <= objective.bound
    assert latest <= 250
