"""One run of one workload under one arbiter, and what it says of every tenant."""

from typing import Any

from mcos_policy.compiler import Compiled
from mcos_sim.experiments.names import require_names
from mcos_sim.experiments.statistics import step_percentiles
from mcos_sim.scenario import Channel, RunResult, Scenario, one_port
from mcos_sim.traffic.inference import InferenceWorkload

__all__ = [
    "figures",
    "replay_scenario",
]


PATIENCE = 4
"""A trace that needs more than this many times its scheduled clocks does not end by itself."""


def replay_scenario(
    compiled: Compiled, workload: InferenceWorkload, *, memory_latency: int, **options
) -> Scenario:
    """The run of a trace-driven workload to its last response.

    Parameters
    ----------
    compiled : Compiled
        The contract; its tenants must have the workload's names and tags.
    workload : InferenceWorkload
        Streams of one channel.
    memory_latency : int
        Clocks from a command's last byte to its completion.
    **options
        The other fields of :class:`mcos_sim.scenario.Scenario`.

    Raises
    ------
    UserError
        If the contract lacks a tenant of the workload.
    """
    require_names(compiled, {stream.name: stream.tag for stream in workload.streams})
    return Scenario(
        config=compiled.config,
        image=compiled.image.words,
        ports=one_port(workload.streams),
        clocks=PATIENCE * workload.facts["schedule_clocks"],
        channels=(Channel(latency=memory_latency, credit=compiled.settings.channel.port_credit),),
        contract=compiled.origin["name"],
        **options,
    )


def figures(scenario: Scenario, result: RunResult) -> dict:
    """What a run says of every tenant, with stable keys.

    Parameters
    ----------
    scenario : Scenario
        What was run.
    result : RunResult
        What it gave.

    Returns
    -------
    dict
        ``clocks``, ``clocks_per_second``, ``grants``, ``bytes``, ``utilisation`` and
        ``tenants[]`` with ``name``, ``tag``, ``window``, ``requests``, ``grants``,
        ``bytes_requested``, ``bytes_granted``, ``share``, ``steps``, ``p50_clocks``,
        ``p99_clocks``. Requests are those that the requester offered; one that was still waiting
        when the run ended counts as requested and not as granted. Shares are parts of what the
        channels could have moved since the first request.
    """
    # The image is loaded before the first request; those clocks are nobody's.
    begin = min(int(tenant.offered[0]) for tenant in result.tenants if len(tenant.offered))
    capacity = (result.clocks - begin) * scenario.config.bytes_per_clock * len(scenario.channels)
    rows: list[dict[str, Any]] = []
    for stream, tenant in zip(scenario.streams, result.tenants, strict=True):
        granted = int(tenant.sizes[: len(tenant.granted)].sum())
        rows.append(
            {
                "name": tenant.name,
                "tag": tenant.tag,
                "window": stream.window,
                "requests": len(tenant.offered),
                "grants": len(tenant.granted),
                "bytes_requested": int(tenant.sizes.sum()),
                "bytes_granted": granted,
                "share": granted / capacity,
                **step_percentiles(tenant, first=0),
            }
        )
    return {
        "clocks": result.clocks,
        "clocks_per_second": result.clocks / result.seconds,
        "grants": sum(row["grants"] for row in rows),
        "bytes": sum(row["bytes_granted"] for row in rows),
        "utilisation": sum(row["share"] for row in rows),
        "tenants": rows,
    }
