"""Runs that try the bounds: one class, backlogged, one request in flight, and adversaries."""

import dataclasses
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.image import encode
from mcos_policy.quantize import single_class_index
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.engines.model import run_scenario
from mcos_sim.experiments.statistics import bytes_between
from mcos_sim.fairness.check import TenantBounds, check_bounds, share_errors
from mcos_sim.scenario import FIRST_CLOCK, Channel, RunResult, Scenario, one_port
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

__all__ = [
    "WEIGHTS",
    "Promises",
    "backlogged",
    "measure_promises",
    "mixed",
    "run_one_channel",
    "settings",
]


WEIGHTS = (16, 16, 8, 8, 4, 4, 2, 2, 1, 1, 1, 1, 16, 16, 16, 16)
"""Their sum is 128: every tag is exact, and a lag is not one of rounding."""

MEMORY_LATENCY = 80

BEGIN = FIRST_CLOCK + 5_000
"""Clock from which on the bounds are measured: by then all tenants have used their tokens up."""

EPOCH_CLOCKS = 8_000_000
"""10 ms at 800 MHz."""

PULSE_CLOCKS = 10_000
"""Epoch of the runs with adversaries, who may come and go at its rate."""

LEAST_DEPTH1_SHARE = 0.95
"""What a tenant with one request in flight gets of its guarantee, at least."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Promises:
    """What all runs gave.

    Parameters
    ----------
    cycles : int
        Clocks of all runs.
    wfi_worst_bytes, wfi_bound_bytes : float
        Index nearest to its bound, and that bound.
    wfi_violations, delay_violations : int
        Tenants of runs over their bounds.
    delay_worst : float
        Largest part of a delay bound that was used.
    max_share_error, share_bound : float
        Largest relative error of a backlogged tenant's share of an epoch, and what is allowed.
    depth1_share : float
        What a tenant with one request in flight gets of its guarantee.
    """

    cycles: int
    wfi_worst_bytes: float
    wfi_bound_bytes: float
    wfi_violations: int
    delay_violations: int
    delay_worst: float
    max_share_error: float
    share_bound: float
    depth1_share: float

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return (
            not self.wfi_violations
            and not self.delay_violations
            and self.max_share_error <= self.share_bound
            and self.depth1_share >= LEAST_DEPTH1_SHARE
        )


def settings(
    config: ChannelConfig,
    weights: tuple[int, ...],
    *,
    conforming: tuple[int, ...] = (),
    depth1_clocks: int = 0,
) -> Settings:
    """Contracts of these weights, with the pacer on and no promotions.

    All tenants but ``conforming`` have no tokens, so that they are scavenging: one class. A
    conforming one has its share guaranteed.
    """
    total = sum(weights)
    tenants = []
    for tag in range(config.tenants):
        rate = depth = 0
        if tag in conforming:
            rate = (config.bytes_per_clock << config.rate_fraction) * weights[tag] // total
            depth = 4 * config.l_max
        tenants.append(
            TenantSettings(
                enable=1,
                work_conserving=1,
                committed_rate=rate,
                committed_depth=depth,
                peak_rate=rate,
                peak_depth=depth,
                inverse_weight=(1 << config.reciprocal_fraction) // weights[tag],
                colours=1,
            )
        )
    channel = ChannelSettings(
        pacer_enable=1,
        overcommitted=0,
        pacer_rate=config.bytes_per_clock << config.rate_fraction,
        port_credit=18 * config.l_max,
        inverse_total_weight=(1 << config.total_reciprocal_fraction) // total,
        depth1_clocks=depth1_clocks,
        promotion_interval=16,
        epoch_clocks=PULSE_CLOCKS,
    )
    return Settings(channel=channel, tenants=tuple(tenants))


def run_one_channel(
    config: ChannelConfig, of: Settings, streams: list[Stream], clocks: int
) -> RunResult:
    """Streams on the model with these settings, and a memory that never holds them up."""
    return run_scenario(
        Scenario(
            name="promises",
            arbiter=ArbiterKind.MCOS,
            config=config,
            image=encode(config, channel_map(config), of, 0).words,
            ports=one_port(streams),
            clocks=FIRST_CLOCK + clocks,
            channels=(Channel(latency=MEMORY_LATENCY, credit=of.channel.port_credit),),
            seed=0,
        )
    )


def _stream(
    tag: int,
    beats: np.ndarray,
    *,
    window: int,
    burst: int,
    gaps: np.ndarray | None = None,
    period: int = 0,
) -> Stream:
    """Requests in bursts of ``burst``, each ``gaps`` after the last answer of the one before.

    With a period they come at its rate, whatever was answered. Eight short ones go before all of
    them and take the tokens.
    """
    warm = 8
    requests = np.zeros(warm + len(beats), dtype=REQUEST)
    requests["beats"][:warm] = 2
    requests["beats"][warm:] = beats
    firsts = warm + np.arange(0, len(beats), burst)
    steps = np.zeros(1 + len(firsts), dtype=STEP)
    steps["first"][1:] = firsts
    steps["count"][0] = warm
    steps["count"][1:] = np.minimum(burst, len(requests) - firsts)
    steps["ready"][1] = BEGIN
    if gaps is not None:
        steps["compute"][2:] = gaps[: len(firsts) - 1]
    if period:
        steps["ready"][1:] = BEGIN + period * np.arange(len(firsts))
    return Stream(
        name=f"tenant-{tag}",
        tag=tag,
        window=window,
        closed=not period,
        requests=requests,
        steps=steps,
    )


def mixed(
    config: ChannelConfig, clocks: int, rng: np.random.Generator, *, shortest: int
) -> list[Stream]:
    """Floods, storms of shortest requests, bursts, lone requests, and pulses once an epoch."""
    streams = []
    for tag in range(config.tenants):
        kind = rng.choice(("flood", "storm", "burst", "single", "pulse"))
        count = clocks // 16
        longest = shortest if kind == "storm" else config.max_beats
        beats = rng.integers(shortest, longest + 1, size=count)
        if rng.random() < 0.3:
            beats[:] = longest
        burst = {"single": 1, "burst": int(rng.choice((20, 200))), "pulse": 300}.get(kind, count)
        gaps = rng.choice((0, 10, 300, 5_000), size=-(-count // burst))
        window = 1 if kind == "single" else 64
        period = PULSE_CLOCKS if kind == "pulse" else 0
        streams.append(_stream(tag, beats, window=window, burst=burst, gaps=gaps, period=period))
    return streams


def _shortest(config: ChannelConfig) -> int:
    """Beats of the shortest requests with which r is in reach: a grant takes an interval."""
    return min(config.max_beats, -(-config.full_rate_bytes // config.beat_bytes))


def _attacked(
    config: ChannelConfig, clocks: int, victim: int, of: Settings, rng: np.random.Generator
) -> list[Stream]:
    """A tenant within its contract, and fifteen that do what they can."""
    # A compact channel keeps guarantees of requests that fill an interval.
    least = _shortest(config) if config.compact else 1
    streams = mixed(config, clocks, rng, shortest=least)
    beats = np.full(clocks // 64, max(least, int(rng.choice((1, 4, config.max_beats)))))
    size = int(beats[0]) * config.beat_bytes
    # Ten per cent under what it is guaranteed.
    spacing = size * (1 << config.rate_fraction) / of.tenants[victim].committed_rate * 1.1
    steps = np.zeros(len(beats), dtype=STEP)
    steps["first"] = np.arange(len(beats))
    steps["count"] = 1
    steps["ready"] = BEGIN + (np.arange(len(beats)) * spacing).astype(np.int64)
    requests = np.zeros(len(beats), dtype=REQUEST)
    requests["beats"] = beats
    streams[victim] = Stream(
        name="victim", tag=victim, window=64, closed=False, requests=requests, steps=steps
    )
    return streams


def backlogged(config: ChannelConfig, clocks: int, rng: np.random.Generator) -> list[Stream]:
    """All tenants backlogged for so many clocks, sizes 1 to ``max_beats``."""
    count = int(clocks * config.bytes_per_clock / (8.5 * config.beat_bytes) * 16 / 128 * 1.3) + 64
    return [
        _stream(tag, rng.integers(1, config.max_beats + 1, size=count), window=64, burst=count)
        for tag in range(config.tenants)
    ]


def measure_promises(
    config: ChannelConfig,
    *,
    runs: int,
    clocks: int,
    epochs: int,
    seed: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> Promises:
    """Run the model under traffic of every kind and hold it against its bounds.

    Parameters
    ----------
    config : ChannelConfig
        Sizes, 16 tenants.
    runs, clocks : int
        Runs of each kind of traffic, and their clocks.
    epochs : int
        Epochs of 10 ms with all tenants backlogged.
    seed : int
        Seed of everything random.
    on_progress : Callable or None
        Called after every run with its clocks.
    """
    rng = np.random.default_rng(seed)
    weights = dict(enumerate(WEIGHTS))
    one_class = settings(config, WEIGHTS)
    whole = _shortest(config)
    cycles = 0
    rows: list[TenantBounds] = []
    attacked: list[TenantBounds] = []

    def done(result: RunResult) -> RunResult:
        nonlocal cycles
        cycles += result.clocks - FIRST_CLOCK
        if on_progress is not None:
            on_progress(result.clocks - FIRST_CLOCK)
        return result

    for _ in range(runs):
        streams = mixed(config, clocks, rng, shortest=whole)
        result = done(run_one_channel(config, one_class, streams, clocks))
        rows += check_bounds(result, weights, config, first=BEGIN)
    for k in range(runs):
        victim = k % config.tenants
        two_classes = settings(config, WEIGHTS, conforming=(victim,))
        streams = _attacked(config, clocks, victim, two_classes, rng)
        result = done(run_one_channel(config, two_classes, streams, clocks))
        found = check_bounds(result, weights, config, first=BEGIN, two_classes=True)
        attacked.append(found[victim])

    length = EPOCH_CLOCKS * epochs + 10_000
    result = done(run_one_channel(config, one_class, backlogged(config, length, rng), length))
    errors = share_errors(result, weights, first=FIRST_CLOCK + 10_000, epoch=EPOCH_CLOCKS)
    total = sum(WEIGHTS)
    allowed = {
        tag: max(
            0.001,
            2
            * float(single_class_index(Fraction(weight, total), config))
            * total
            / (config.bytes_per_clock * weight * EPOCH_CLOCKS),
        )
        for tag, weight in weights.items()
    }
    nearest = max(errors, key=lambda tag: errors[tag] / allowed[tag])

    worst = max(rows, key=lambda row: row.wfi_bytes / row.wfi_bound_bytes)
    return Promises(
        cycles=cycles,
        wfi_worst_bytes=worst.wfi_bytes,
        wfi_bound_bytes=worst.wfi_bound_bytes,
        wfi_violations=sum(not row.wfi_holds for row in rows),
        delay_violations=sum(not row.delay_holds for row in rows + attacked),
        delay_worst=max(row.late_clocks / row.late_bound_clocks for row in rows + attacked),
        max_share_error=errors[nearest],
        share_bound=allowed[nearest],
        depth1_share=_depth1_share(config, clocks),
    )


def _depth1_share(config: ChannelConfig, clocks: int) -> float:
    """What a tenant of weight 4 with one longest request in flight gets of its share.

    Its guarantee is 2 bytes a clock, 512 bytes in 256 clocks, and a round trip takes about 100.
    """
    tag = WEIGHTS.index(4)
    rng = np.random.default_rng(2)
    streams = backlogged(config, clocks, rng)
    count = clocks // 64
    beats = np.full(count, config.max_beats)
    streams[tag] = _stream(tag, beats, window=1, burst=1)
    result = run_one_channel(config, settings(config, WEIGHTS, depth1_clocks=16), streams, clocks)
    first = FIRST_CLOCK + clocks // 10
    bytes_ = {t.tag: bytes_between(t, first, result.clocks) for t in result.tenants}
    return bytes_[tag] / sum(bytes_.values()) * sum(WEIGHTS) / WEIGHTS[tag]
