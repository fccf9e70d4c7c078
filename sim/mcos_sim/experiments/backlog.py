"""All tenants always backlogged: how near their shares come to their weights."""

from mcos_hw.registers import ArbiterKind
from mcos_policy.compiler import Compiled
from mcos_sim.experiments.behind import behind, capacity
from mcos_sim.experiments.statistics import bytes_between, grants_between
from mcos_sim.memory.name import MemoryName
from mcos_sim.ported.sizes import Ports
from mcos_sim.scenario import Channel, RunResult, Scenario, one_port
from mcos_sim.traffic.essay import backlogged_streams

__all__ = [
    "backlog_scenario",
    "share_error",
]


GRANTS = 110_000
"""Grants of the whole phase; those of the first tenth are not measured."""

_WINDOW = 256
"""Requests that each tenant keeps outstanding, for each channel."""


def backlog_scenario(
    compiled: Compiled,
    arbiter: ArbiterKind,
    *,
    memory_latency: int,
    memory: MemoryName,
    seed: int,
    name: str,
    channels: int = 1,
    axi_ports: Ports = (),
) -> Scenario:
    """The phase in which every tenant has more to ask than it can get, sizes 1 beat to the most."""
    config = compiled.config
    mean_bytes = config.beat_bytes * (1 + config.max_beats) / 2
    window = min(_WINDOW * channels, (1 << config.id_width) - 1)
    streams = backlogged_streams(grants=GRANTS, window=window, seed=seed, config=config)
    channel = Channel(latency=memory_latency, credit=compiled.settings.channel.port_credit)
    scenario = Scenario(
        name=name,
        arbiter=arbiter,
        config=config,
        image=compiled.image.words,
        ports=one_port(streams),
        clocks=round(1.1 * GRANTS * mean_bytes / (channels * capacity(compiled, memory))),
        channels=(channel,) * channels,
        seed=seed,
    )
    scenario = behind(scenario, memory, compiled)
    return scenario.behind_axi(axi_ports) if axi_ports else scenario


def share_error(compiled: Compiled, result: RunResult) -> tuple[int, float]:
    """Grants measured, and the largest relative error of a tenant's share of the bytes granted.

    The target is the tenant's part of the sum of guarantees, and bytes of best effort do not count;
    where nobody is guaranteed anything, all have the same part.
    """
    first = result.clocks // 10
    granted = {t.tag: bytes_between(t, first, result.clocks) for t in result.tenants}
    weights = {tag: compiled.settings.tenants[tag].committed_rate for tag in granted}
    if any(weights.values()):
        granted = {tag: amount for tag, amount in granted.items() if weights[tag]}
    else:
        weights = dict.fromkeys(granted, 1)
    total = sum(weights.values())
    errors = [
        abs(granted[tag] / sum(granted.values()) * total / weights[tag] - 1) for tag in granted
    ]
    grants = sum(grants_between(tenant, first, result.clocks) for tenant in result.tenants)
    return grants, max(errors)
