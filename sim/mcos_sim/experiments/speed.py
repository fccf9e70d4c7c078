"""How many clocks a second each engine runs."""

import dataclasses
from pathlib import Path

import numpy as np

from mcos_hw.registers import ArbiterKind
from mcos_policy.compiler import Compiled
from mcos_sim.engines.dispatch import Engine, run_scenario
from mcos_sim.scenario import FIRST_CLOCK, Channel, RunResult, Scenario, one_port
from mcos_sim.stages import stage
from mcos_sim.traffic.essay import backlogged_streams
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

__all__ = [
    "Speed",
    "backlogged",
    "cycles_per_s",
    "light_load",
    "measure_speeds",
]


MEMORY_LATENCY = 80
"""Clocks; 100 ns at 800 MHz."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Speed:
    """Clocks run, and clocks a second of wall time, without set-up."""

    clocks: int
    cycles_per_s: float


def backlogged(compiled: Compiled, *, clocks: int, seed: int = 1) -> Scenario:
    """All tenants of a contract backlogged, sizes 1 to 16 beats."""
    names = [tenant.name for tenant in compiled.contract.tenants.values()]
    config = compiled.config
    mean_bytes = config.beat_bytes * (1 + config.max_beats) / 2
    grants = clocks * config.bytes_per_clock / mean_bytes
    # Nobody is granted more than half of it.
    streams = backlogged_streams(names, grants=int(grants / 2) + 1000, seed=seed, config=config)
    return _scenario(compiled, tuple(streams), clocks=clocks, name="backlogged", seed=seed)


def light_load(compiled: Compiled, *, clocks: int, load: float = 0.1, seed: int = 1) -> Scenario:
    """The same tenants at a part of the channel's rate, each request at its own random clock."""
    config = compiled.config
    rng = np.random.default_rng(seed)
    names = [tenant.name for tenant in compiled.contract.tenants.values()]
    mean_bytes = config.beat_bytes * (1 + config.max_beats) / 2
    count = int(clocks * load * config.bytes_per_clock / mean_bytes / len(names))
    streams = []
    for tag, name in enumerate(names):
        requests = np.zeros(count, dtype=REQUEST)
        requests["beats"] = rng.integers(1, config.max_beats, count, endpoint=True)
        requests["address"] = np.arange(count, dtype=np.uint64) * config.l_max
        steps = np.zeros(count, dtype=STEP)
        steps["first"] = np.arange(count)
        steps["count"] = 1
        steps["ready"] = FIRST_CLOCK + np.sort(rng.integers(0, clocks, count))
        streams.append(
            Stream(name=name, tag=tag, window=64, closed=False, requests=requests, steps=steps)
        )
    return _scenario(compiled, tuple(streams), clocks=clocks, name="light", seed=seed)


def _scenario(
    compiled: Compiled, streams: tuple[Stream, ...], *, clocks: int, name: str, seed: int
) -> Scenario:
    return Scenario(
        name=name,
        arbiter=ArbiterKind.MCOS,
        config=compiled.config,
        image=compiled.image.words,
        ports=one_port(streams),
        clocks=FIRST_CLOCK + clocks,
        channels=(Channel(latency=MEMORY_LATENCY, credit=compiled.settings.channel.port_credit),),
        seed=seed,
    )


def cycles_per_s(result: RunResult) -> Speed:
    """The speed of a run."""
    clocks = result.clocks - FIRST_CLOCK
    return Speed(clocks=clocks, cycles_per_s=clocks / result.seconds)


def measure_speeds(compiled: Compiled, *, directory: Path, scale: float = 1.0) -> dict[str, Speed]:
    """Speed of each engine on the first clocks of one stream, and of the model at a light load.

    Parameters
    ----------
    compiled : Compiled
        Contract; every tenant of it is backlogged.
    directory : pathlib.Path
        Folder of the cocotb run.
    scale : float
        Length of the runs; 1 is some seconds each.

    Returns
    -------
    dict[str, Speed]
        ``reference``, ``verilated``, ``cocotb`` and ``reference_light_load``.
    """

    def clocks(count: int) -> int:
        return max(10_000, int(count * scale))

    # What is compiled when it is first called must be so before anything is timed.
    run_scenario(Engine.REFERENCE, backlogged(compiled, clocks=10_000), directory=directory)
    long = backlogged(compiled, clocks=clocks(8_000_000))

    def shorter(count: int) -> Scenario:
        return dataclasses.replace(long, clocks=FIRST_CLOCK + min(clocks(count), long.clocks))

    light = light_load(compiled, clocks=clocks(50_000_000))
    runs = {
        "reference": (Engine.REFERENCE, long),
        "verilated": (Engine.VERILATED, shorter(1_000_000)),
        "cocotb": (Engine.COCOTB, shorter(100_000)),
        "reference_light_load": (Engine.REFERENCE, light),
    }
    found = {}
    for name, (engine, scenario) in runs.items():
        with stage(name.replace("_", " ")):
            found[name] = cycles_per_s(run_scenario(engine, scenario, directory=directory))
    return found
