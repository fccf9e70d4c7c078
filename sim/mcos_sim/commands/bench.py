"""``mcos bench``: what the engines reach, with the machine and the versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcos_policy.samples import SAMPLES
from mcos_sim.commands.bench_fabric import bench_fabric
from mcos_sim.commands.options import contract_argument
from mcos_sim.console import (
    loading,
    output,
    print_table,
    progress,
    require_outputs,
    say,
    write_json,
)
from mcos_sim.errors import UserError

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos bench --json build/bench/result.json"


def command(
    contract: Annotated[
        Path,
        contract_argument("Contract, of whose tenants all are backlogged.", show_default="sixteen"),
    ] = SAMPLES["sixteen"],
    scale: Annotated[float, typer.Option(min=0.001, max=100, help="Length of the runs.")] = 1.0,
    directory: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the runs' files.")
    ] = Path("build/bench"),
    fabric_ports: Annotated[
        int, typer.Option(min=1, max=16, help="Ports of the fabric that is measured.")
    ] = 8,
    fabric_channels: Annotated[
        int, typer.Option(min=1, max=32, help="Its channels, a power of two.")
    ] = 8,
    json: Annotated[
        Path,
        typer.Option(metavar="PATH", help="Where the figures are written as JSON."),
    ] = Path("build/bench/result.json"),
    fabric_json: Annotated[
        Path,
        typer.Option(metavar="PATH", help="The same of the fabric; other keys there stay."),
    ] = Path("build/bench/fabric.json"),
) -> None:
    """Measure the engines' clocks a second, the memory's requests a second, AXI ports, a fabric.

    Of ports it measures beats a clock and clocks from pin to pin; of a fabric also grants a clock
    of its channels, and how area and clocks a second grow with them.
    """
    with loading():
        from mcos_hw.config import CHANNELS
        from mcos_hw.registers import ArbiterKind
        from mcos_sim.commands.compile import compile_for
        from mcos_sim.engines.dispatch import Engine, build
        from mcos_sim.experiments.memory_speed import measure_memory_speeds
        from mcos_sim.experiments.port_speed import STEPS, measure_port_speeds
        from mcos_sim.experiments.speed import measure_speeds
        from mcos_sim.machine import machine

    if fabric_channels not in CHANNELS:
        raise UserError(
            f"--fabric-channels must be one of {', '.join(map(str, CHANNELS))}, "
            f"not {fabric_channels}"
        )
    require_outputs([json, fabric_json], inputs=[contract], folders=[directory])
    compiled = compile_for(contract, notes=False)
    with progress("Building the engines", len(Engine)) as advance:
        for engine in Engine:
            build(engine, compiled.config, ArbiterKind.MCOS)
            advance(1)
    with progress("Running the engines", None):
        speeds = measure_speeds(compiled, directory=directory, scale=scale)
    with progress("Serving requests", None):
        memory = measure_memory_speeds(scale=scale)
    with progress("Building and measuring AXI ports", STEPS) as advance:
        ports = measure_port_speeds(scale=scale, on_step=lambda: advance(1))

    slowest = speeds["cocotb"].cycles_per_s
    print_table(
        f"{compiled.origin['name']}, one core",
        ("engine", "clocks", "clocks/s", "times cocotb"),
        [
            (
                name.replace("_", " "),
                f"{speed.clocks:,}",
                f"{speed.cycles_per_s:,.0f}",
                f"{speed.cycles_per_s / slowest:,.1f}",
            )
            for name, speed in speeds.items()
        ],
    )
    told = ", ".join(
        f"{name.removesuffix('_req_per_s')} {rate:,.0f}" for name, rate in memory.items()
    )
    output.print(f"HBM3 model, requests of 64 B a second: {told}")
    print_table(
        "AXI ports of 64 B, clocks from pin to pin on an empty fabric",
        ("L", "ports", *(channel.upper() for channel in ports["direct"])),
        [
            (
                str(row["lateness"]),
                str(row["ports"]),
                *(str(row["latency_clocks"][channel]) for channel in ports["direct"]),
            )
            for row in ports["fabrics"]
        ],
    )
    rated = [row for row in ports["fabrics"] if "beats_per_clock" in row]
    print_table(
        "AXI ports of 64 B, beats a clock of R and W",
        ("bursts", *(f"L = {row['lateness']}" for row in rated)),
        [
            (
                name.replace("_", " "),
                *(
                    "{reads:.3f} {writes:.3f}".format(**row["beats_per_clock"][name])
                    for row in rated
                ),
            )
            for name in rated[0]["beats_per_clock"]
        ],
    )
    found = {
        "config_hash": compiled.config.hash,
        "contract": compiled.origin,
        "engines": {
            name: {
                "clocks": speed.clocks,
                "cycles_per_s": round(speed.cycles_per_s),
                "times_cocotb": round(speed.cycles_per_s / slowest, 2),
            }
            for name, speed in speeds.items()
        },
        "machine": machine(),
        "memory": {name: round(rate) for name, rate in memory.items()},
        "ports": ports,
        "reference_light_load": round(speeds["reference_light_load"].cycles_per_s),
    }
    write_json(json, found)
    say(f"figures: {json}")
    bench_fabric(fabric_json, ports=fabric_ports, channels=fabric_channels, scale=scale)
    say(f"figures: {fabric_json}")
