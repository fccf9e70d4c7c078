"""``mcos memory``: the memory models, checked and put to work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_policy.samples import SAMPLES
from mcos_sim.commands.edge import at_edge
from mcos_sim.commands.options import MOST_CLOCKS, MOST_SEED, contract_argument, json_option
from mcos_sim.console import print_table, progress, require_outputs, say, tell, write_json
from mcos_sim.tables import Column

if TYPE_CHECKING:
    from mcos_policy.compiler import Compiled

__all__ = [
    "EXAMPLE",
    "app",
]


EXAMPLE = "mcos memory colours"

app = typer.Typer(help="The HBM models: against another simulator, page colours, row conflicts.")


@app.command(epilog=f"Example: {EXAMPLE}")
@at_edge
def check(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Folder with summary.csv and the cases it names."),
    ],
    memory: Annotated[str, typer.Option(help="The device that the cases are of.")] = "hbm3",
    json: Annotated[Path | None, json_option("the outcome")] = None,
) -> None:
    """Serve each case's requests and compare every command and every request with what it says.

    A case is three files, NAME_trace.csv, NAME_req.csv and NAME_cmd.csv; its scheduler and its
    refresh are in summary.csv. A line a case; exit code 1 if one differs.
    """
    from mcos_sim.memory.hbm import find_preset
    from mcos_sim.memory.hbm.oracle import check, read_cases

    require_outputs([json], inputs=directory.glob("*.csv"))
    preset = find_preset(memory)
    found = []
    cases = read_cases(directory, preset)
    while True:
        with progress(f"Checking the cases of {directory}", None):
            case = next(cases, None)
            outcome = None if case is None else check(case, preset)
        if case is None or outcome is None:
            break
        found.append(
            {
                "case": case.name,
                "commands": outcome.commands,
                "difference": outcome.difference,
                "equal": outcome.difference is None,
                "requests": outcome.requests,
            }
        )
        told = "equal" if outcome.difference is None else outcome.difference
        tell(f"{case.name}: {outcome.requests:,} requests, {outcome.commands:,} commands: {told}")
    differing = sum(not each["equal"] for each in found)
    if json is not None:
        write_json(json, {"cases": found, "differing": differing, "memory": preset.name})
    if differing:
        raise typer.Exit(1)


@app.command(epilog="Example: mcos memory colours --clocks 1000000")
@at_edge
def colours(
    contract: Annotated[
        Path,
        contract_argument("Contract with the essay's tenants.", show_default="decode-prefill-hbm3"),
    ] = SAMPLES["decode-prefill-hbm3"],
    clocks: Annotated[
        int, typer.Option(min=10_000, max=MOST_CLOCKS, help="Clocks of every run.")
    ] = 1_000_000,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of where pages lie.")] = 1,
    json: Annotated[
        Path, typer.Option(metavar="PATH", help="Where the figures are written as JSON.")
    ] = Path("build/bench/colouring.json"),
) -> None:
    """Measure what page colours buy on HBM3: row changes, utilisation and energy.

    Four streams that together ask for more than the channel can pass, behind FCFS and behind MCOS,
    with pages anywhere and with pages by colour.
    """
    from mcos_sim.commands.compile import compile_for
    from mcos_sim.experiments.colouring import ESSAY, RUNS, measure_colouring

    require_outputs([json], inputs=[contract])
    compiled = compile_for(contract, notes=False)
    with progress("Running the reference model on HBM3", RUNS) as advance:
        rows = measure_colouring(compiled, clocks=clocks, seed=seed, on_progress=advance)
    names = ("page in", "workload", "arbiter", "pages")
    figures = ("row changes", "over floor", "of peak", "of ceiling", "pJ/B", "W")
    print_table(
        f"HBM3, pages of 4 KiB, {clocks:,} clocks a run",
        [*(Column(heading=name, name=True) for name in names), *figures],
        [
            (
                row["layout"],
                row["workload"],
                row["arbiter"],
                "coloured" if row["coloured"] else "anywhere",
                f"{row['row_changes']:.2%}",
                f"{100 * row['over_floor']:+.2f}",
                f"{row['utilisation']:.1%}",
                f"{row['of_ceiling']:.1%}",
                f"{row['pj_per_byte']:.1f}",
                f"{row['watts']:.2f}",
            )
            for row in rows
        ],
    )
    tell(
        f"The essay: conflicts {ESSAY['conflicts_free']:.0%} and "
        f"{ESSAY['conflicts_coloured']:.0%}, utilisation {ESSAY['utilisation_free']:.0%} and "
        f"{ESSAY['utilisation_coloured']:.0%}, {ESSAY['watts_free']:g} W and "
        f"{ESSAY['watts_coloured']:g} W."
    )
    _write_figures(json, compiled, {"essay": ESSAY, "runs": rows}, clocks=clocks, seed=seed)


@app.command(epilog="Example: mcos memory conflicts --clocks 1000000")
@at_edge
def conflicts(
    contract: Annotated[
        Path,
        contract_argument(
            "Contract; its first tenant hits rows, the others miss all.",
            show_default="row-conflicts-hbm3",
        ),
    ] = SAMPLES["row-conflicts-hbm3"],
    clocks: Annotated[
        int, typer.Option(min=10_000, max=MOST_CLOCKS, help="Clocks of every run.")
    ] = 1_000_000,
    seed: Annotated[
        int, typer.Option(min=0, max=MOST_SEED, help="Seed of addresses and directions.")
    ] = 1,
    json: Annotated[
        Path, typer.Option(metavar="PATH", help="Where the figures are written as JSON.")
    ] = Path("build/bench/row_conflicts.json"),
) -> None:
    """Put a tenant with a guarantee beside tenants of whom every request misses a row, on HBM3.

    Once as the contract says, where guarantees are admitted at their cost in memory time, and once
    as counting bytes would have it.
    """
    from mcos_sim.commands.compile import compile_for
    from mcos_sim.experiments.row_conflicts import RUNS as CONFLICT_RUNS
    from mcos_sim.experiments.row_conflicts import measure_row_conflicts

    require_outputs([json], inputs=[contract])
    compiled = compile_for(contract, notes=False)
    running = "Running the reference model on HBM3"
    with progress(running, CONFLICT_RUNS * clocks, unit="clocks") as advance:
        found = measure_row_conflicts(compiled, clocks=clocks, seed=seed, on_progress=advance)
    alone = found["adversaries_alone"]
    figures = ("of its guarantee", "longest delay", "bound", "others, B/clock", "row changes")
    print_table(
        f"HBM3, {clocks:,} clocks a run",
        ["guarantees admitted by", *figures],
        [
            (
                name.replace("_", " "),
                f"{row['of_guarantee']:.1%}",
                f"{row['delay_clocks']:,}",
                f"{row['delay_bound_clocks']:,.0f}",
                f"{row['adversary_bytes_per_clock']:.1f}",
                f"{row['row_changes']:.1%}",
            )
            for name, row in ((each, found[each]) for each in ("compiled_cost", "byte_charging"))
        ],
    )
    tell(
        f"The others alone: {alone['bytes_per_clock']:.1f} bytes a clock, a cost of "
        f"{alone['cost']:.2f}."
    )
    _write_figures(json, compiled, found, clocks=clocks, seed=seed)


def _write_figures(
    path: Path, compiled: Compiled, figures: dict[str, Any], *, clocks: int, seed: int
) -> None:
    """Write what was measured, and on what."""
    from mcos_sim.machine import machine

    head = {
        "clocks": clocks,
        "config_hash": compiled.config.hash,
        "contract": compiled.origin,
        "machine": machine(),
        "seed": seed,
    }
    write_json(path, {**head, **figures})
    say(f"figures: {path}")
