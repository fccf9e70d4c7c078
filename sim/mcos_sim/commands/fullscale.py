"""``mcos fullscale``: one channel's slice of an H200 under every arbiter, nothing scaled down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcos_sim.commands.options import ContractOfMemory, Memory, contract_for
from mcos_sim.console import loading, print_table, progress, require_outputs, say, write_json
from mcos_sim.memory.name import MemoryName

if TYPE_CHECKING:
    from mcos_hw.config import ChannelConfig

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos fullscale --steps 8 --json build/fullscale/short.json"

_RUNS = ("alone", "fcfs", "round_robin", "fixed_priority", "mcos")


def command(
    contract: ContractOfMemory = None,
    steps: Annotated[
        int,
        typer.Option(
            min=4, max=10_000, help="Decode steps of 17 ms; the burst begins in the middle."
        ),
    ] = 200,
    memory: Memory = MemoryName.SIMPLE,
    json: Annotated[
        Path, typer.Option(metavar="PATH", help="Where the figures are written as JSON.")
    ] = Path("build/fullscale/result.json"),
) -> None:
    """Run a channel's slice of an H200-class decode with a prefill burst on the reference engine.

    Three decoders use 72 % of the channel in steps of 17 ms; a prefill with 1,200 requests
    outstanding comes in the middle. 200 steps are 3.4 s of the channel, 2.7 thousand million clocks
    an arbiter.
    """
    with loading():
        from mcos_sim.commands.compile import compile_for
        from mcos_sim.experiments.full_scale import Slice, measure_full_scale
        from mcos_sim.machine import machine

    contract = contract or contract_for(memory)
    require_outputs([json], inputs=[contract])
    compiled = compile_for(contract, notes=False)
    of = Slice(steps=steps, memory=memory)
    work = len(_RUNS) * steps * of.step_clocks(compiled.config)
    with progress("Running the reference model", work, unit="clocks") as advance:
        rows = measure_full_scale(compiled, of, runs=_RUNS, on_progress=advance)
    headings = "run, all steps, in burst, p50 ms, p99 ms, p99 / alone, utilisation, seconds"
    print_table(
        f"{steps} steps of {of.step_seconds * 1000:.0f} ms, those in the burst",
        headings.split(", "),
        [
            (
                name,
                *(str(row[key]) for key in ("steps_in_all", "steps")),
                *(_milliseconds(row[key], compiled.config) for key in ("p50_clocks", "p99_clocks")),
                "-" if row["p99_over_alone"] is None else f"{row['p99_over_alone']:.3f}",
                f"{row['utilisation']:.1%}",
                f"{row['seconds']:.0f}",
            )
            for name, row in rows.items()
        ],
    )
    write_json(
        json,
        {
            "config_hash": compiled.config.hash,
            "contract": compiled.origin,
            "machine": machine(),
            "memory": memory.value,
            "runs": rows,
            "steps": steps,
        },
    )
    say(f"figures: {json}")


def _milliseconds(clocks: int | None, config: ChannelConfig) -> str:
    return "-" if clocks is None else f"{clocks / config.clock_khz:.2f}"
