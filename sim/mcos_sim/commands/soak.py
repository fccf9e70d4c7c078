"""``mcos soak``: long runs of lockstep, of the bounds and of the AXI ports."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from mcos_sim.commands.lockstep import run_campaign
from mcos_sim.commands.options import CORES, MOST_SEED, Workers
from mcos_sim.console import loading, output, progress, require_outputs, say, write_json

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos soak --cases 20 --transactions 20000 --json build/soak/short.json"

_LATENESS = (3, 0)
"""The fastest and the textbook's order."""

_INTERVALS = (4, 8)
"""The shortest and the longest interval of the compact channel."""


def command(
    cases: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Random contracts and traffic for lockstep.")
    ] = 520,
    clocks: Annotated[
        int, typer.Option(min=1_000, max=10_000_000, help="Clocks of each.")
    ] = 210_000,
    runs: Annotated[
        int, typer.Option(min=16, max=10_000, help="Runs of each kind for the bounds.")
    ] = 32,
    transactions: Annotated[
        int, typer.Option(min=2, max=1_000_000_000, help="Random AXI bursts through the ports.")
    ] = 1_000_000,
    fabric_transactions: Annotated[
        int,
        typer.Option(min=2, max=1_000_000_000, help="Random AXI bursts to several channels."),
    ] = 1_000_000,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")] = 1,
    workers: Workers = CORES,
    json: Annotated[
        Path, typer.Option(metavar="PATH", help="Where the figures are written as JSON.")
    ] = Path("build/soak/result.json"),
) -> None:
    """Compare hardware and model, and hold the model against its bounds, for many clocks.

    Lockstep is that of ``mcos lockstep`` with L = 3 and 0 and of compact channels with N = 4 and 8,
    each with a quarter of the cases. The bounds are worst-case fair index, delay, shares of 10 ms
    epochs, and a tenant with one request in flight; docs/fairness.md. Random AXI bursts go through
    the Verilog of the AXI top, and every byte of theirs is checked.
    """
    with loading():
        from mcos_hw.config import ChannelConfig
        from mcos_sim.axi.campaign import FABRICS, SPREAD_FABRICS, port_soak
        from mcos_sim.axi.fabric import fabric_library
        from mcos_sim.axi.isolation import measure_isolation
        from mcos_sim.experiments.promises import EPOCH_CLOCKS, measure_promises
        from mcos_sim.lockstep.campaign import Design
        from mcos_sim.machine import machine

    require_outputs([json])
    configs = [ChannelConfig(lateness=late) for late in _LATENESS]
    configs += [ChannelConfig(lateness=0, grant_interval=each) for each in _INTERVALS]
    designs = [Design(config=config) for config in configs]
    begun = time.monotonic()
    report = run_campaign(designs, seed=seed, cases=cases, clocks=clocks, workers=workers)
    output.print(
        f"{report.clocks:,} clocks of {report.cases:,} random configurations compared, "
        f"{len(report.findings)} differ"
    )

    epochs = 3
    length = 500_000
    bounds: dict[str, dict[int, dict[str, Any]]] = {"lateness": {}, "interval": {}}
    failed = bool(report.findings)
    for config in configs:
        work = 2 * runs * length + epochs * EPOCH_CLOCKS
        kind = f"N = {config.grant_interval}" if config.compact else f"L = {config.lateness}"
        told = f"Bounds with {kind}"
        with progress(told, work, unit="clocks") as advance:
            found = measure_promises(
                config, runs=runs, clocks=length, epochs=epochs, seed=seed, on_progress=advance
            )
        output.print(
            f"{kind}, {found.cycles:,} clocks: fair index "
            f"{found.wfi_worst_bytes:.0f} of {found.wfi_bound_bytes:.0f} B, "
            f"{found.wfi_violations} over it; delay {found.delay_worst:.0%} of its bound, "
            f"{found.delay_violations} over it; share error {found.max_share_error:.4%} "
            f"(allowed {found.share_bound:.4%}); one in flight {found.depth1_share:.1%}"
        )
        figures = dataclasses.asdict(found)
        if config.compact:
            bounds["interval"][config.grant_interval] = figures
        else:
            bounds["lateness"][config.lateness] = figures
        failed |= not found.kept
    passed = {}
    for key, told, fabrics, bursts in (
        ("port_soak", "AXI bursts", FABRICS, transactions),
        ("fabric_soak", "AXI bursts to several channels", SPREAD_FABRICS, fabric_transactions),
    ):
        with progress(told, bursts, unit="bursts") as advance:
            ports = port_soak(transactions=bursts, seed=seed, fabrics=fabrics, on_progress=advance)
        passed[key] = ports.figures()
        output.print(
            f"{passed[key]['transactions']:,} {told} in {ports.clocks:,} clocks, "
            f"{ports.faults} faults" + (f": {ports.first}" if ports.first else "")
        )
        failed |= ports.faults > 0

    fabric = FABRICS[0]
    isolation = measure_isolation(fabric, fabric_library(fabric), bursts=20_000, seed=seed)
    output.print(
        "A tenant at its guarantee, worst clocks beside others on another port: "
        + ", ".join(f"{name} {clocks}" for name, clocks in isolation.worst.items())
        + f"; bound {isolation.bound:.0f}"
    )
    failed |= not isolation.kept
    write_json(
        json,
        {
            **passed,
            "bounds": bounds["lateness"][_LATENESS[0]],
            "bounds_by_interval": bounds["interval"],
            "bounds_by_lateness": bounds["lateness"],
            "config_hashes": [config.hash for config in configs],
            "configurations": report.cases,
            "differences": len(report.findings),
            "lockstep_cycles": report.clocks,
            "machine": machine(),
            "port_isolation": isolation.figures(),
            "seconds": round(time.monotonic() - begun, 1),
            "seed": seed,
            "seeds_that_differ": [finding.seed for finding in report.findings],
        },
    )
    say(f"figures: {json}")
    if failed:
        raise typer.Exit(1)
