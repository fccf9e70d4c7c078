"""One channel's slice of a whole accelerator, nothing scaled down.

An H200 has 4.8 TB/s (NVIDIA, "H200 Tensor Core GPU", 2023), some 94 channels of 51.2 GB/s. A step
of about 17 ms that reads all the time moves 870 MB through each of them. Three decoders share it,
as in the essay's workload: each reads its slice of weights and context, then computes. A prefill
bursts beside them for as many steps again as it was quiet.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_policy.compiler import Compiled
from mcos_sim.engines.model import run_scenario
from mcos_sim.experiments.behind import behind, capacity
from mcos_sim.experiments.contention import ARBITER_OF_RUN
from mcos_sim.experiments.statistics import step_percentiles
from mcos_sim.memory.name import MemoryName
from mcos_sim.scenario import FIRST_CLOCK, Channel, RunResult, Scenario, one_port
from mcos_sim.traffic.essay import DECODERS, PREFILL
from mcos_sim.traffic.stream import REQUEST, STEP, Stream
from mcos_sim.traffic.transfer import region_base

__all__ = [
    "Slice",
    "full_scale_scenario",
    "measure_full_scale",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slice:
    """What the run is made of.

    Parameters
    ----------
    steps : int
        Steps of each decoder; the prefill bursts from the middle of them on.
    step_seconds : float
        Time of a step without a prefill.
    load : float
        What the decoders use of the channel together.
    decoder_window, prefill_window : int
        Requests outstanding.
    memory_latency : int
        Clocks from a command's last byte to its completion.
    memory : MemoryName
        What is behind the port.
    """

    steps: int = 200
    step_seconds: float = 0.017
    load: float = 0.72
    decoder_window: int = 16
    prefill_window: int = 1200
    memory_latency: int = 116
    memory: MemoryName = MemoryName.SIMPLE

    def step_clocks(self, config: ChannelConfig) -> int:
        """Clocks of a step without a prefill."""
        return round(self.step_seconds * config.clock_khz * 1000)

    def burst(self, config: ChannelConfig) -> int:
        """Clock in which the prefill begins."""
        return FIRST_CLOCK + self.step_clocks(config) * (self.steps // 2)


def full_scale_scenario(compiled: Compiled, run: str, of: Slice) -> Scenario:
    """One run: ``alone``, ``fcfs``, ``round_robin``, ``fixed_priority`` or ``mcos``."""
    config = compiled.config
    clocks = of.step_clocks(config)
    decoders = len(DECODERS)
    rate = capacity(compiled, of.memory)
    bytes_ = int(clocks * rate * of.load / decoders)
    count = bytes_ // config.l_max
    # They read at the same time, and each has a third of the channel while they do.
    compute = clocks - int(count * decoders * config.l_max / rate)
    streams = [
        _stream(
            name,
            tag,
            Op.READ,
            count,
            compute,
            config=config,
            window=of.decoder_window,
            repeat=of.steps,
        )
        for tag, name in enumerate(DECODERS, start=1)
    ]
    end = FIRST_CLOCK + clocks * of.steps
    if run != "alone":
        prefill = _stream(
            PREFILL,
            0,
            Op.WRITE,
            100_000,
            0,
            config=config,
            window=of.prefill_window,
            repeat=10_000,
        )
        prefill.steps["ready"][0] = of.burst(config)
        streams.insert(0, dataclasses.replace(prefill, until=end))
    scenario = Scenario(
        name=run,
        arbiter=ARBITER_OF_RUN[run],
        config=config,
        image=compiled.image.words,
        ports=one_port(streams),
        clocks=end,
        channels=(
            Channel(latency=of.memory_latency, credit=compiled.settings.channel.port_credit),
        ),
        seed=0,
        keep_requests=False,
    )
    return behind(scenario, of.memory, compiled)


def _stream(
    name: str,
    tag: int,
    op: Op,
    count: int,
    compute: int,
    *,
    config: ChannelConfig,
    window: int,
    repeat: int,
) -> Stream:
    """A step of longest requests, over and over."""
    requests = np.zeros(count, dtype=REQUEST)
    requests["op"] = op
    requests["beats"] = config.max_beats
    requests["address"] = region_base(tag, config) + np.arange(count) * config.l_max
    return Stream(
        name=name,
        tag=tag,
        window=window,
        closed=True,
        requests=requests,
        steps=np.array([(0, count, 0, compute)], dtype=STEP),
        repeat=repeat,
    )


def measure_full_scale(
    compiled: Compiled,
    of: Slice,
    *,
    runs: tuple[str, ...],
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Run every arbiter and say what the decoders' steps took while the prefill burst.

    Returns
    -------
    dict[str, dict[str, Any]]
        By run: ``steps``, ``p50_clocks``, ``p99_clocks`` of the steps begun in the burst and ended,
        ``p99_over_alone``, None without such steps or without ``alone``, ``steps_in_all``,
        ``utilisation`` (of what the channel can pass), ``row_changes`` of an HBM,
        ``prefill_bytes``, ``clocks`` and ``seconds``.
    """
    rows: dict[str, dict[str, Any]] = {}
    for run in runs:
        result = run_scenario(full_scale_scenario(compiled, run, of), on_progress=on_progress)
        rows[run] = _row(result, compiled, of)
        alone, found = rows.get("alone", {}).get("p99_clocks"), rows[run]["p99_clocks"]
        rows[run]["p99_over_alone"] = round(found / alone, 4) if alone and found else None
    return rows


def _row(result: RunResult, compiled: Compiled, of: Slice) -> dict[str, Any]:
    decoders = [tenant for tenant in result.tenants if tenant.name in DECODERS]
    merged = dataclasses.replace(
        decoders[0],
        step_started=np.concatenate([tenant.step_started for tenant in decoders]),
        step_ended=np.concatenate([tenant.step_ended for tenant in decoders]),
    )
    clocks = result.clocks - FIRST_CLOCK
    moved = sum(tenant.bytes_granted for tenant in result.tenants)
    counts = result.channel.memory
    return {
        **step_percentiles(merged, first=of.burst(compiled.config)),
        "steps_in_all": int((merged.step_ended >= 0).sum()),
        "utilisation": round(moved / clocks / capacity(compiled, of.memory), 4),
        **({"row_changes": round(counts.row_changes, 4)} if counts else {}),
        "prefill_bytes": sum(t.bytes_granted for t in result.tenants if t.name == PREFILL),
        "clocks": clocks,
        "seconds": round(result.seconds, 1),
    }
