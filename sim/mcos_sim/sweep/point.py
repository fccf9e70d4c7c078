"""What a worker does: one point of a sweep to the rows of its table."""

import dataclasses
from pathlib import Path
from typing import Any

from mcos_policy.compiler import Compiled
from mcos_sim.engines.dispatch import run_scenario
from mcos_sim.experiments.contention import Setting, contention_scenario, workloads
from mcos_sim.experiments.replay import figures
from mcos_sim.ported.sizes import dealt
from mcos_sim.sweep.grid import AXES, Point

__all__ = [
    "COLUMNS",
    "run_point",
]


_OF_TENANT = {
    "name": "tenant",
    "requests": "requests",
    "grants": "grants",
    "bytes_requested": "bytes_requested",
    "bytes_granted": "bytes_granted",
    "share": "share",
    "steps": "steps",
    "p50_clocks": "p50_clocks",
    "p99_clocks": "p99_clocks",
}

COLUMNS = (*AXES, *_OF_TENANT.values(), "utilisation", "row_changes")
"""Columns of a sweep's table; nothing in them depends on the machine."""


def run_point(point: Point, compiled: Compiled, *, directory: Path) -> list[dict[str, Any]]:
    """Run a point.

    Parameters
    ----------
    point : Point
        What to run.
    compiled : Compiled
        Its contract.
    directory : pathlib.Path
        Folder of what a run under cocotb leaves.

    Returns
    -------
    list of dict
        A row a tenant, by :data:`COLUMNS`.

    Raises
    ------
    UserError
        If the contract has not the workload's tenants.
    HardwareError
        If the run fails.
    """
    setting = Setting(
        clocks=point.clocks,
        prefill_window=point.prefill_window,
        decoder_window=point.decoder_window,
        credit_factor=point.credit,
        pacer=point.pacer,
        seed=point.seed,
        memory=point.memory,
    ).for_channels(point.channels, compiled.config)
    if point.axi:
        ports = dealt(compiled.names, point.ports, channels=point.channels)
        setting = dataclasses.replace(setting, axi_ports=ports)
    sizes = {"prefill_beats": point.prefill_beats, "decoder_beats": point.decoder_beats}
    workload = dataclasses.replace(
        workloads(point.memory, compiled.config)[point.workload],
        **{name: beats for name, beats in sizes.items() if beats is not None},
    )
    scenario = contention_scenario(
        compiled, workload, point.arbiter.run, setting, name=directory.name
    )
    result = run_scenario(point.engine, scenario, directory=directory.parent)
    found, counts = figures(scenario, result), result.memory
    return [
        {
            **dataclasses.asdict(point),
            **{column: row[key] for key, column in _OF_TENANT.items()},
            "utilisation": found["utilisation"],
            "row_changes": counts.row_changes if counts else None,
        }
        for row in found["tenants"]
    ]
