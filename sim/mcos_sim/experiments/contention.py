"""The essay's experiment: three decoders beside a prefill burst, under every arbiter.

All runs of a scenario have the same decoders with the same requests over the same clocks. ``alone``
is the decoders without the prefill on the FCFS hardware.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.compiler import Compiled
from mcos_policy.image import encode
from mcos_sim.errors import UserError
from mcos_sim.experiments.behind import behind, capacity
from mcos_sim.experiments.max_min import max_min_shares
from mcos_sim.experiments.names import require_names
from mcos_sim.experiments.statistics import bytes_between, step_percentiles
from mcos_sim.memory.name import MemoryName
from mcos_sim.ported.sizes import Ports
from mcos_sim.scenario import Channel, RunResult, Scenario, Window, one_port
from mcos_sim.traffic.essay import (
    DECODERS,
    LOADED,
    PREFILL,
    SATURATED,
    EssayWorkload,
    essay_streams,
)

__all__ = [
    "ARBITER_OF_RUN",
    "WORKLOADS",
    "Setting",
    "compare",
    "contention_scenario",
    "slowness",
    "workloads",
]


WORKLOADS = {workload.name: workload for workload in (LOADED, SATURATED)}
"""The two settings of the workload, by name."""

_HBM_COMPUTE = 480
"""Mean compute time of a loaded decoder, in clocks, with which the decoders alone use 70 to 75 % of
what the channel passes where r is three quarters of the hardware's."""

ARBITER_OF_RUN = {
    "alone": ArbiterKind.FCFS,
    "fcfs": ArbiterKind.FCFS,
    "round_robin": ArbiterKind.ROUND_ROBIN,
    "fixed_priority": ArbiterKind.FIXED_PRIORITY,
    "mcos": ArbiterKind.MCOS,
}
"""Hardware of each run of a scenario."""

WARM_UP = 0.02
"""Part of the run at its beginning from which no step is counted."""

SETTLE = 0.01
"""Part of the run after the prefill's first request that no share is measured over."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """What the comparison is run with.

    Parameters
    ----------
    clocks : int
        Length of every run.
    prefill_window, decoder_window : int
        Requests outstanding; the essay's prefill has 1,200, its decoders one load each per lane.
    memory_latency : int
        Clocks from a command's last byte to its completion. The default, 145 ns, is an assumption:
        about 50 ns of an HBM3 row conflict (tRP + tRCD + CL at 6.4 Gb/s) and 95 ns of controller,
        PHY and the way to them.
    credit_factor : int
        Port credit, in multiples of the contract's.
    pacer : bool
        Whether granted bytes are held at the channel's rate.
    seed : int
        Seed of step sizes and compute times, and of where pages lie.
    memory : MemoryName
        What is behind each channel.
    channels : int
        How many channels are run; all of a run's demand and windows are for all of them.
    axi_ports : Ports
        Tags at each AXI port; without any, requests come in at the channel itself.
    """

    clocks: int = 1_600_000
    prefill_window: int = 1200
    decoder_window: int = 16
    memory_latency: int = 116
    credit_factor: int = 1
    pacer: bool = True
    seed: int = 1
    memory: MemoryName = MemoryName.SIMPLE
    channels: int = 1
    axi_ports: Ports = ()

    def for_channels(self, channels: int, config: ChannelConfig) -> "Setting":
        """The same with windows for several channels, as far as there are ids for them."""
        most = (1 << config.id_width) - 1
        return dataclasses.replace(
            self,
            channels=channels,
            prefill_window=min(most, channels * self.prefill_window),
            decoder_window=min(most, channels * self.decoder_window),
        )


def slowness(config: ChannelConfig) -> int:
    """How many times the default channel's bytes a clock are those of a slower one; at least 1."""
    return max(1, ChannelConfig.bytes_per_clock // config.bytes_per_clock)


def workloads(memory: MemoryName, config: ChannelConfig) -> dict[str, EssayWorkload]:
    """The two settings of the workload for a memory and a channel, by name.

    Decoders that are to use 70 to 75 % of r by themselves compute for longer where r is less.
    """
    found = WORKLOADS
    if memory is not MemoryName.SIMPLE:
        loaded = dataclasses.replace(
            LOADED, compute_mean=_HBM_COMPUTE, compute_jitter=_HBM_COMPUTE // 2
        )
        found = {**WORKLOADS, LOADED.name: loaded}
    factor = slowness(config)
    return {name: workload.on_slower_channel(factor) for name, workload in found.items()}


def contention_scenario(
    compiled: Compiled,
    workload: EssayWorkload,
    run: str,
    setting: Setting,
    *,
    name: str,
    window: Window | None = None,
) -> Scenario:
    """One run of the comparison.

    Parameters
    ----------
    compiled : Compiled
        The contract.
    workload : EssayWorkload
        One of :func:`workloads`.
    run : str
        One of :data:`ARBITER_OF_RUN`.
    setting : Setting
        What to run with.
    name : str
        Names the run's folder.
    window : Window or None
        Waveform to write.

    Raises
    ------
    UserError
        If the contract has not the essay's tenants under the essay's tags.
    """
    require_names(compiled, {name: tag for tag, name in enumerate((PREFILL, *DECODERS))})
    config = compiled.config
    if setting.axi_ports:
        # The workload counts beats of the default channel; that of a fabric is wider.
        workload = workload.in_wider_beats(config.beat_bytes // ChannelConfig.beat_bytes)
    channel = compiled.settings.channel
    credit = channel.port_credit * setting.credit_factor
    most = (1 << compiled.config.credit_width) - 1
    if credit > most:
        raise UserError(
            f"port credit must be at most {most} bytes, not {setting.credit_factor} times the "
            f"contract's {channel.port_credit}; give a smaller multiple"
        )
    settings = dataclasses.replace(
        compiled.settings,
        channel=dataclasses.replace(channel, port_credit=credit, pacer_enable=int(setting.pacer)),
    )
    streams = essay_streams(
        workload.on_channels(setting.channels),
        clocks=setting.clocks,
        prefill_window=setting.prefill_window,
        decoder_window=setting.decoder_window,
        seed=setting.seed,
        config=config,
        channels=setting.channels,
    )
    scenario = Scenario(
        name=name,
        arbiter=ARBITER_OF_RUN[run],
        config=config,
        image=encode(config, channel_map(config), settings, compiled.image.label).words,
        ports=one_port(streams),
        clocks=setting.clocks,
        channels=(Channel(latency=setting.memory_latency, credit=credit),) * setting.channels,
        seed=setting.seed,
        contract=compiled.origin["name"],
        window=window,
    )
    scenario = behind(scenario, setting.memory, compiled)
    if run == "alone":
        # The decoders' pages lie where they lie beside the prefill.
        streams = [stream for stream in scenario.streams if stream.name != PREFILL]
        scenario = scenario.with_streams(streams)
    return scenario.behind_axi(setting.axi_ports) if setting.axi_ports else scenario


def compare(
    compiled: Compiled, workload: EssayWorkload, setting: Setting, results: dict[str, RunResult]
) -> dict:
    """The figures of a scenario, from its runs.

    Shares are parts of what the channels can pass (r, less what a memory loses to refresh), of
    bytes granted while the prefill is backlogged.
    The target is the weighted max-min share, weights being guarantees and a decoder's demand what
    it took alone. The FCFS ratio is the smallest decoder's, the MCOS ratios the largest's.

    Latencies are those of all steps after the warm-up. Steps that start while the prefill asks are
    also counted apart, under ``burst``, for every run and for ``alone`` over the same clocks.

    Parameters
    ----------
    compiled : Compiled
        The contract.
    workload : EssayWorkload
        What was run.
    setting : Setting
        What it was run with.
    results : dict[str, RunResult]
        Results by run; ``alone`` must be among them.

    Returns
    -------
    dict
        One entry a run with ``tenants`` and ``utilisation``, and ``ratios``,
        ``mcos_utilisation_over_fcfs`` and ``honesty`` as far as the runs allow.
    """
    clocks = setting.clocks
    first = round((workload.prefill_from + SETTLE) * clocks)
    end = round(workload.prefill_until * clocks)
    burst = round(workload.prefill_from * clocks)
    warm_up = round(WARM_UP * clocks)

    rate = capacity(compiled, setting.memory)
    passed = (end - first) * rate * setting.channels

    def share(tenant) -> float:
        return bytes_between(tenant, first, end) / passed

    alone = {tenant.name: share(tenant) for tenant in results["alone"].tenants}
    targets = _targets(compiled, alone, rate)
    figures: dict = {}
    for run, result in results.items():
        rows: list[dict[str, Any]] = [
            {
                "name": tenant.name,
                **step_percentiles(tenant, first=warm_up),
                "burst": step_percentiles(tenant, first=burst, until=end),
                "bytes": bytes_between(tenant, 0, result.clocks),
                "share": share(tenant),
                "target_share": alone[tenant.name] if run == "alone" else targets[tenant.name],
            }
            for tenant in result.tenants
        ]
        used = sum(bytes_between(tenant, first, end) for tenant in result.tenants)
        figures[run] = {"tenants": rows, "utilisation": used / passed}
        memory = results[run].memory
        if memory is not None:
            figures[run]["row_changes"] = memory.row_changes

    def over_alone(run: str, key: str = "p99_clocks", *, part: str | None = None) -> list[float]:
        def latency(row: dict[str, Any]) -> int | None:
            return (row[part] if part else row)[key]

        base = {row["name"]: latency(row) for row in figures["alone"]["tenants"]}
        pairs = [(latency(row), base.get(row["name"])) for row in figures[run]["tenants"]]
        return [own / alone for own, alone in pairs if own is not None and alone is not None]

    guarantees = _guarantees(compiled, rate)
    granted = next(t.granted for t in results["mcos"].tenants if t.name == PREFILL)
    active = int(granted[-1] - granted[0])
    prefill = next(row for row in figures["mcos"]["tenants"] if row["name"] == PREFILL)
    figures["ratios"] = {
        "fcfs_over_alone": min(over_alone("fcfs")),
        "mcos_over_alone": max(over_alone("mcos")),
        "fcfs_over_alone_in_burst": min(over_alone("fcfs", part="burst")),
        "mcos_over_alone_in_burst": max(over_alone("mcos", part="burst")),
        "mcos_p50_over_alone_in_burst": max(over_alone("mcos", "p50_clocks", part="burst")),
        "prefill_of_target": prefill["share"] / prefill["target_share"],
    }
    figures["mcos_utilisation_over_fcfs"] = (
        figures["mcos"]["utilisation"] / figures["fcfs"]["utilisation"]
    )
    figures["honesty"] = {
        "alone_utilisation": figures["alone"]["utilisation"],
        "fewest_decoder_steps": min(
            row["steps"]
            for run in results
            for row in figures[run]["tenants"]
            if row["name"] != PREFILL
        ),
        "guarantee_over_alone_demand": min(
            guarantee / alone[name] for name, guarantee in guarantees.items() if name in alone
        ),
        "prefill_active": active / clocks,
    }
    return figures


def _targets(compiled: Compiled, alone: dict[str, float], rate: float) -> dict[str, float]:
    """Weighted max-min share of each tenant's demand, as parts of ``rate`` bytes a clock."""
    unit = rate * (1 << compiled.config.rate_fraction)
    tags = compiled.contract.tags()
    guarantees = _guarantees(compiled, rate)
    rows = [compiled.settings.tenants[tags[place]] for place in compiled.contract.tenants]
    demands: Sequence[float] = [alone.get(name, np.inf) for name in guarantees]
    weights: Sequence[float] = list(guarantees.values())
    if not all(weights):
        weights = [1 / row.inverse_weight for row in rows]
    shares = max_min_shares(
        1.0,
        demands,
        weights,
        [np.inf if row.work_conserving else row.peak_rate / unit for row in rows],
    )
    return dict(zip(guarantees, shares.tolist(), strict=True))


def _guarantees(compiled: Compiled, rate: float) -> dict[str, float]:
    """Guarantee of each tenant by name, as part of ``rate`` bytes a clock."""
    unit = rate * (1 << compiled.config.rate_fraction)
    tags = compiled.contract.tags()
    return {
        tenant.name: compiled.settings.tenants[tags[place]].committed_rate / unit
        for place, tenant in compiled.contract.tenants.items()
    }
