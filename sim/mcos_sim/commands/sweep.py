"""``mcos sweep``: many runs at once, on this machine or on a cluster."""

from __future__ import annotations

import dataclasses
import math
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_hw.config import CHANNELS
from mcos_sim.commands.channel_options import FABRIC_TENANTS, require_channels
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.commands.options import (
    CORES,
    MOST_CLOCKS,
    MOST_OUTSTANDING,
    MOST_SEED,
    Workers,
    contract_argument,
    contract_for,
    json_option,
)
from mcos_sim.console import (
    loading,
    print_table,
    progress,
    require_outputs,
    say,
    write_json,
    writing,
)
from mcos_sim.engines.dispatch import Engine
from mcos_sim.errors import UserError
from mcos_sim.memory.name import MemoryName
from mcos_sim.sweep.grid import Contender, Grid, Hardware, Workload
from mcos_sim.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mcos_policy.compiler import Compiled
    from mcos_sim.sweep.cluster import Cluster
    from mcos_sim.sweep.processes import Processes
    from mcos_sim.sweep.run_points import Failure, Sweep

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = (
    "mcos sweep decode-prefill --arbiter fcfs --arbiter mcos --seed 1:10 "
    "--prefill-window 16 --prefill-window 256"
)

_TOLD_FAILURES = 5

_MOST_POINTS = 100_000
"""Points of a sweep; they are all held in memory, and half a day's work on two cores."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Axes:
    """What a sweep varies, beside contracts."""

    workload: Annotated[
        list[Workload] | None,
        typer.Option(help="Setting of the essay's workload.", show_default="loaded"),
    ] = None
    arbiter: Annotated[
        list[Contender] | None,
        typer.Option(
            help="Arbiter; alone is the decoders without the prefill.",
            show_default="alone, fcfs and mcos",
        ),
    ] = None
    engine: Annotated[
        list[Engine] | None, typer.Option(help="What runs it.", show_default="reference")
    ] = None
    memory: Annotated[
        list[MemoryName] | None,
        typer.Option(help="What stands behind the channel.", show_default="simple"),
    ] = None
    channels: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=CHANNELS[-1],
            help="Channels that are run; several are behind AXI ports.",
            show_default="1",
        ),
    ] = None
    ports: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=16,
            help="AXI ports in front of the channels.",
            show_default="one for each of several channels; one channel has none",
        ),
    ] = None
    seed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N or A:B", help="Seed, or seeds A up to and with B.", show_default="1"
        ),
    ] = None
    clocks: Annotated[
        list[int] | None,
        typer.Option(min=2_000, max=MOST_CLOCKS, help="Length of each run.", show_default="400000"),
    ] = None
    prefill_window: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=MOST_OUTSTANDING,
            help="Requests that the prefill keeps outstanding in each channel.",
            show_default="1200",
        ),
    ] = None
    decoder_window: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=MOST_OUTSTANDING,
            help="Requests that each decoder keeps outstanding in each channel.",
            show_default="16",
        ),
    ] = None
    prefill_beats: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=16, help="Beats of a prefill request.", show_default="the workload's"
        ),
    ] = None
    decoder_beats: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=16, help="Beats of a decoder's request.", show_default="the workload's"
        ),
    ] = None
    credit: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=1_000, help="Port credit in multiples of the contract's.", show_default="1"
        ),
    ] = None
    pacer: Annotated[
        bool, typer.Option(help="Hold granted bytes at the channel's rate; credit matters without.")
    ] = True

    @property
    def memories(self) -> list[MemoryName]:
        """Each memory once."""
        return _unique(self.memory, MemoryName.SIMPLE)

    def grid(self, contracts: Iterable[Path]) -> Grid:
        """Every combination of the values, with each contract.

        Raises
        ------
        UserError
            If a seed is none, or there are too many combinations.
        """
        return Grid(
            values={
                "contract": [str(file) for file in contracts],
                "workload": _unique(self.workload, Workload.LOADED),
                "arbiter": _unique(self.arbiter, Contender.ALONE, Contender.FCFS, Contender.MCOS),
                "engine": _unique(self.engine, Engine.REFERENCE),
                "memory": self.memories,
                "channels": _unique(self.channels, 1),
                "ports": _unique(self.ports, None),
                "seed": _seeds(self.seed or ["1"]),
                "clocks": _unique(self.clocks, 400_000),
                "prefill_window": _unique(self.prefill_window, 1200),
                "decoder_window": _unique(self.decoder_window, 16),
                "prefill_beats": _unique(self.prefill_beats, None),
                "decoder_beats": _unique(self.decoder_beats, None),
                "credit": _unique(self.credit, 1),
                "pacer": [self.pacer],
            }
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Runners:
    """What runs the points of a sweep."""

    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Run on the workers of this dask scheduler instead of on this machine.",
            show_default=False,
        ),
    ] = None
    workers: Workers = CORES

    def started(self, points: int) -> Cluster | Processes:
        """Runners for some points."""
        if self.scheduler is None:
            from mcos_sim.sweep.processes import Processes

            return Processes(min(self.workers, points))
        from mcos_sim.sweep.cluster import Cluster

        return Cluster(self.scheduler)


def command(
    contract: Annotated[
        list[Path] | None,
        contract_argument(
            "Contract files, TOML, with the essay's tenants.",
            show_default="decode-prefill, or that of the memory if it is one",
        ),
    ] = None,
    *,
    axes: Axes,
    runners: Runners,
    directory: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of all results."),
    ] = Path("build/sweep"),
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table to write, .csv or .parquet.",
            show_default="DIR/table.csv",
        ),
    ] = None,
    json: Annotated[Path | None, json_option("a summary")] = None,
) -> None:
    """Run every combination of the values given, and write one table and one page of plots.

    Options may be repeated. What was run stays in DIR: the same command goes on where it was
    stopped, and one with more values runs only what is new. The table has a row for each tenant of
    each run.
    """
    table = table or directory / "table.csv"
    page = directory / "sweep.html"
    memories = axes.memories
    files = contract or [contract_for(memories[0] if len(memories) == 1 else MemoryName.SIMPLE)]
    if len(set(files)) != len(files):
        raise UserError("each contract must be named once; leave the others out")
    grid = axes.grid(files)
    _require_count(math.prod(map(len, grid.values.values())))

    with loading():
        from mcos_sim.sweep.page import write_page
        from mcos_sim.sweep.run_points import Sweep
        from mcos_sim.sweep.table import require_format, write_table

    require_format(table)
    require_outputs([table, page, json], inputs=files, folders=[directory])
    compiled = _compiled(grid)
    with progress(f"Looking for what {directory} has", None):
        sweep = Sweep(grid, compiled, directory=directory)
    resumed = len(sweep.known)
    if resumed:
        say(
            f"{resumed:,} of {len(sweep.points):,} points were run before and are taken as they are"
        )
    begun = time.perf_counter()
    failures = _run(sweep, runners) if sweep.missing else []
    seconds = time.perf_counter() - begun

    with progress("Writing the table and the page", None):
        rows = sweep.table()
        write_table(table, rows)
        if rows:
            with writing(page):
                write_page(page, grid, rows)
    found: dict[str, Any] = {
        "axes": grid.values,
        "failed": [
            {"arbiter": str(each.point.arbiter), "seed": each.point.seed, "reason": each.reason}
            for each in failures
        ],
        "page": str(page),
        "points": len(sweep.points),
        "resumed": resumed,
        "rows": len(rows),
        "seconds": round(seconds, 3),
        "table": str(table),
    }
    if json is not None:
        write_json(json, found)
    _show(sweep, found, failures)


def _compiled(grid: Grid) -> dict[Hardware, Compiled]:
    """Each contract for the hardware of each point."""
    from mcos_sim.commands.compile import compile_for

    found = {}
    for point in grid:
        if point.hardware not in found:
            several = point.channels > 1
            found[point.hardware] = compile_for(
                Path(point.contract),
                hardware=HardwareOptions(tenants=FABRIC_TENANTS) if several else None,
                notes=False,
                axi=point.axi,
            )
            require_channels(found[point.hardware], point.channels)
    return found


def _run(sweep: Sweep, runners: Runners) -> list[Failure]:
    """Run what is missing. What stops it loses nothing that was found."""
    missing = len(sweep.missing)
    try:
        with (
            runners.started(missing) as started,
            progress(f"Running {missing:,} points", missing, unit="points") as advance,
        ):
            return sweep.run(started, on_done=advance)
    except KeyboardInterrupt:
        say(
            f"stopped: {len(sweep.known):,} of {len(sweep.points):,} points are kept in "
            f"{sweep.directory}; the same command goes on from there"
        )
        raise typer.Exit(130) from None


def _seeds(texts: list[str]) -> list[int]:
    seeds: list[int] = []
    for text in texts:
        match = re.fullmatch(r"(\d{1,10})(?::(\d{1,10}))?", text)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last or last > MOST_SEED:
            raise UserError(
                f"--seed must be a number up to {MOST_SEED}, or A:B with A not after B, "
                f"not {text!r}; for example --seed 1:20"
            )
        _require_count(len(seeds) + last - first + 1)
        seeds += range(first, last + 1)
    return _unique(seeds)


def _require_count(points: int) -> None:
    if points > _MOST_POINTS:
        raise UserError(
            f"a sweep must have at most {_MOST_POINTS:,} points, not {points:,}; "
            "give fewer seeds or fewer values, or sweep in parts"
        )


def _unique(values: list | None, *default: Any) -> list:
    """Each value once, in the order given; the defaults where none was."""
    return list(dict.fromkeys(values or default))


def _show(sweep: Sweep, found: dict, failures: list[Failure]) -> None:
    rows = sweep.table()
    shown = []
    groups = dict.fromkeys((row["arbiter"], row["tenant"]) for row in rows)
    for arbiter, tenant in groups:
        own = [row for row in rows if (row["arbiter"], row["tenant"]) == (arbiter, tenant)]
        late = sorted(row["p99_clocks"] for row in own if row["p99_clocks"] is not None)
        shares = sorted(row["share"] for row in own)
        told = [late[len(late) // 2], late[0], late[-1]] if late else []
        latencies = [f"{clocks:,}" for clocks in told] or ["-"] * 3
        shown.append((arbiter, tenant, *latencies, f"{shares[len(shares) // 2]:.1%}"))
    print_table(
        f"{found['points']:,} points, p99 of steps in clocks",
        ["arbiter", Column(heading="tenant", name=True), "median", "least", "largest", "share"],
        shown,
    )
    say(f"table: {found['table']}")
    say(f"page: {found['page']}")
    if failures:
        for each in failures[:_TOLD_FAILURES]:
            say(f"{each.point.arbiter}, seed {each.point.seed}: {each.reason}")
        say(
            f"mcos: error: {len(failures):,} of {found['points']:,} points could not be run; "
            "the same command tries them again"
        )
        raise typer.Exit(1)
