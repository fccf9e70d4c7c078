"""``mcos run``: one workload on the emitted Verilog under one arbiter."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_policy.samples import contract_path
from mcos_sim.commands.options import (
    MOST_CLOCKS,
    MOST_SEED,
    Memory,
    clock_span,
    contract_for,
)
from mcos_sim.console import output, progress, require_outputs, say, tell, write_json
from mcos_sim.engines import Engine, build, run_scenario
from mcos_sim.errors import UserError
from mcos_sim.memory.name import MemoryName
from mcos_sim.sweep.grid import Workload

if TYPE_CHECKING:
    from mcos_policy.compiler import Compiled
    from mcos_sim.scenario import RunResult, Scenario, Window
    from mcos_sim.waves.recording import Recording
    from mcos_sim.waves.worst import Percentile

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = (
    "mcos run --workload saturated --waves build/window.vcd --window 9000:11000 "
    "--json build/run.json"
)

_MOST_WINDOW_CLOCKS = 1_000_000
"""Clocks of a waveform: half a gigabyte while it is recorded."""

VIOLATION = "violation"
"""What ``--record`` is given to look for a broken rule."""


class Arbiter(enum.StrEnum):
    """Arbiters, as the command spells them."""

    MCOS = "mcos"
    FCFS = "fcfs"
    ROUND_ROBIN = "round-robin"
    FIXED_PRIORITY = "fixed-priority"


def command(
    contract: Annotated[
        Path | None,
        typer.Argument(
            parser=contract_path,
            metavar="CONTRACT",
            help="Contract file, TOML, or a sample's name.",
            show_default="decode-prefill or that of the memory, or MODEL with --trace",
        ),
    ] = None,
    workload: Annotated[
        Workload, typer.Option(help="The essay's prefill and decoders, in one of two settings.")
    ] = Workload.LOADED,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Serve the requests of a Mooncake or Azure trace instead.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Model that serves the trace.")] = "llama-3-70b",
    requests: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Requests taken from the trace.")
    ] = 200,
    grants: Annotated[
        int,
        typer.Option(
            min=1, max=10_000_000, help="Memory requests that the trace is scaled to, at least."
        ),
    ] = 1_000_000,
    arbiter: Annotated[
        Arbiter, typer.Option(help="Arbiter that the hardware is built with.")
    ] = Arbiter.MCOS,
    engine: Annotated[
        Engine,
        typer.Option(
            help="The RTL in cocotb, with every check; compiled, fast; or the model, fastest."
        ),
    ] = Engine.COCOTB,
    clocks: Annotated[
        int, typer.Option(min=2_000, max=MOST_CLOCKS, help="Length of a run without a trace.")
    ] = 200_000,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")] = 1,
    memory: Memory = MemoryName.SIMPLE,
    waves: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="VCD to write, with --window.", show_default=False),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(metavar="A:B", help="Clocks A up to B of the waveform.", show_default=False),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            metavar="worst:pN[:TENANT]|violation",
            help="Run again and write the waveform around the request of that percentile, or "
            "around the first clock in which a rule is broken.",
            show_default=False,
        ),
    ] = None,
    directory: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the run's files.")
    ] = Path("build/run"),
    json: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also write the figures as JSON.", show_default=False),
    ] = None,
) -> None:
    """Run one workload through the channel and print what every tenant got.

    Without a trace, the essay's workload: one prefill burst and three decoders. With one, a
    service that answers its first requests: decode reads weights and context KV every step,
    prefill writes KV. Bytes and time of a trace are scaled by one factor, which is printed.
    """
    from mcos_hw.registers import ArbiterKind
    from mcos_sim.commands.compile import compile_for
    from mcos_sim.experiments.memory_figures import memory_figures
    from mcos_sim.experiments.replay import figures
    from mcos_sim.memory.behind import behind
    from mcos_sim.scenario import Window
    from mcos_sim.waves.window import window_files
    from mcos_sim.waves.worst import late_request

    watched = record == VIOLATION
    wanted = _wanted(record, window)
    if watched and engine is Engine.COCOTB:
        raise UserError(
            "--record violation needs --engine compiled, which is the same hardware, or reference"
        )
    if watched or wanted is not None:
        waves = waves or directory / ("violation.vcd" if watched else "worst.vcd")
        _require_vcd(waves)
        recorded = None
    else:
        recorded = _window(waves, window, clocks if trace is None else None)
    if contract is None:
        contract = contract_for(memory) if trace is None else contract_path(model)
    require_outputs(
        [*(() if waves is None else window_files(waves)), json],
        inputs=[contract, trace],
        folders=[directory],
    )
    kind = ArbiterKind[arbiter.name]
    common = {"name": arbiter.value, "arbiter": kind, "seed": seed, "window": recorded}
    if trace is None:
        compiled = compile_for(contract, tenants=16, notes=arbiter is Arbiter.MCOS)
        facts: dict[str, Any] = {"workload": workload.value}
        scenario = _essay_scenario(compiled, workload, clocks, memory, common)
    else:
        compiled, facts, scenario = _trace_scenario(
            contract, trace, model, requests=requests, grants=grants, common=common
        )
        scenario = behind(scenario, memory, compiled)
    if wanted is not None:
        wanted.require_tenant([stream.name for stream in scenario.streams])
    expected = scenario.clocks if trace is None else facts["schedule_clocks"]
    run = functools.partial(_run, directory=directory)
    if watched and waves is not None:
        result = _run_watched(functools.partial(run, engine), scenario, expected, waves)
    else:
        result = run(engine, scenario, expected)

    found = {
        "arbiter": arbiter.value,
        "engine": engine.value,
        "config_hash": compiled.config.hash,
        "contract": compiled.origin,
        "memory": memory_figures(scenario, result, memory),
        "memory_latency_clocks": scenario.memory_latency,
        "port_credit_bytes": scenario.memory_credit,
        "seed": seed,
        "workload": facts,
        **figures(scenario, result),
    }
    late = None
    if wanted is not None and waves is not None:
        late = late_request(result, wanted)
        first, end = late.window(result.clocks)
        recorded = Window(path=waves, first=first, end=end, focus=late.granted)
        run(
            Engine.COMPILED if engine is Engine.COCOTB else engine,
            dataclasses.replace(scenario, window=recorded, clocks=end),
            end,
        )
        found["recorded"] = {**dataclasses.asdict(late), "file": str(waves)}
    if json is not None:
        write_json(json, found)
    _show(found, traced=trace is not None)
    if late is not None:
        tell(
            f"{record}: request {late.index:,} of {late.tenant}, {late.latency:,} clocks: offered "
            f"in {late.offered:,}, granted in {late.granted:,}, answered in {late.completed:,}"
        )
    if recorded is not None:
        _tell_files(recorded.path)
    if trace is not None:
        _require_all_granted(found)


def _tell_files(waves: Path) -> None:
    """Name a waveform and what was written beside it."""
    from mcos_sim.waves.window import window_files

    kinds = ("waveform", "state", "GTKWave save file", "Surfer command file")
    for what, file in zip(kinds, window_files(waves), strict=True):
        say(f"{what}: {file}")


def _wanted(record: str | None, window: str | None) -> Percentile | None:
    """Which request is to be recorded, None where none is."""
    from mcos_sim.waves.worst import Percentile

    if record is None:
        return None
    if window is not None:
        raise UserError("--record chooses the window itself; leave --window out")
    return None if record == VIOLATION else Percentile.parse(record)


def _run_watched(
    run: Callable[..., RunResult], scenario: Scenario, expected: int, waves: Path
) -> RunResult:
    """Run with every rule checked in every clock; at a violation, record it and exit with 1."""
    from mcos_sim.environment.environment import EnvironmentFault
    from mcos_sim.scenario import FIRST_CLOCK, Window
    from mcos_sim.waves.watching import MARGIN_CLOCKS, Seen, Watch

    try:
        result = run(scenario, expected, recording=Watch(scenario))
    except Seen as seen:
        clock, what = seen.violation.clock, seen.sentence
    except EnvironmentFault as fault:
        clock, what = fault.clock, str(fault)
    else:
        say(f"no rule is broken in {result.clocks:,} clocks; nothing was recorded")
        return result
    first, end = max(FIRST_CLOCK, clock - MARGIN_CLOCKS), clock + MARGIN_CLOCKS // 2
    window = Window(path=waves, first=first, end=min(scenario.clocks, end), focus=clock)
    # What is wrong may also end the run before the window does.
    with contextlib.suppress(EnvironmentFault):
        run(dataclasses.replace(scenario, window=window, clocks=window.end), window.end)
    say(what)
    _tell_files(waves)
    raise typer.Exit(1)


def _run(
    engine: Engine,
    scenario: Scenario,
    expected: int,
    *,
    directory: Path,
    recording: Recording | None = None,
) -> RunResult:
    """The scenario on an engine, with progress shown."""
    with progress("Building the simulator from the emitted Verilog", 1) as advance:
        build(engine, scenario.config, scenario.arbiter)
        advance(1)
    with progress(f"Running {scenario.name} on {engine.description}", expected) as advance:
        return run_scenario(
            engine,
            scenario,
            directory=directory,
            recording=recording,
            on_progress=advance,
        )


def _require_vcd(waves: Path) -> None:
    if waves.suffix != ".vcd":
        raise UserError(f"--waves must name a .vcd file, not {str(waves)!r}; add .vcd")


def _window(waves: Path | None, window: str | None, clocks: int | None) -> Window | None:
    """The window to record in a run of ``clocks``, None where its length is not known before."""
    from mcos_sim.scenario import FIRST_CLOCK, Window

    if waves is None and window is None:
        return None
    if waves is None or window is None:
        raise UserError("--waves FILE and --window A:B must be given together; add the other one")
    first, end = clock_span("--window", window)
    _require_vcd(waves)
    if first < FIRST_CLOCK:
        raise UserError(
            f"--window must begin in clock {FIRST_CLOCK} or later, when the image is loaded, "
            f"not in clock {first}"
        )
    if clocks is not None and end > clocks:
        raise UserError(
            f"--window must end by clock {clocks}, where the run ends, not {end}; raise --clocks"
        )
    if end - first > _MOST_WINDOW_CLOCKS:
        raise UserError(
            f"--window must be at most {_MOST_WINDOW_CLOCKS:,} clocks long, not {end - first:,}; "
            "give a shorter one"
        )
    return Window(path=waves, first=first, end=end)


def _essay_scenario(
    compiled: Compiled, workload: Workload, clocks: int, memory: MemoryName, common: dict
) -> Scenario:
    from mcos_sim.experiments.contention import Setting, contention_scenario, workloads

    setting = Setting(clocks=clocks, seed=common["seed"], memory=memory)
    scenario = contention_scenario(
        compiled,
        workloads(memory)[workload.value],
        "mcos",
        setting,
        name=common["name"],
        window=common["window"],
    )
    return dataclasses.replace(scenario, arbiter=common["arbiter"])


def _trace_scenario(
    contract: Path, trace: Path, model: str, *, requests: int, grants: int, common: dict
) -> tuple[Compiled, dict, Scenario]:
    from mcos_sim.commands.compile import compile_for
    from mcos_sim.experiments.contention import Setting
    from mcos_sim.experiments.replay import replay_scenario
    from mcos_sim.traffic.inference import inference_streams
    from mcos_sim.traffic.models import find_model
    from mcos_sim.traffic.trace import read_trace

    geometry = find_model(model)
    compiled = compile_for(contract, tenants=16)
    requested = read_trace(trace, seed=common["seed"])
    for remark in requested.remarks:
        say(f"{trace}: warning: {remark}")
    workload = inference_streams(
        requested,
        geometry,
        config=compiled.config,
        channels=compiled.contract.fabric.channels,
        requests=requests,
        grants=grants,
    )
    latency = Setting().memory_latency
    scenario = replay_scenario(compiled, workload, memory_latency=latency, **common)
    return compiled, workload.facts, scenario


def _show(found: dict, *, traced: bool) -> None:
    from rich.table import Table

    facts = found["workload"]
    if traced:
        tell(
            f"{facts['trace_requests']:,} requests of {facts['source']} on one of "
            f"{facts['channels']:,} channels, {facts['model']}: bytes and time scaled by "
            f"{facts['scale']:.4g}, {facts['rounded_up']:,} amounts rounded up to one beat "
            f"({facts['rounded_up_bytes']:,} B), offered load {facts['offered_load']:.1%}"
        )
    runs_on = Engine(found["engine"]).description
    table = Table(title=f"{found['arbiter']}: {found['clocks']:,} clocks of {runs_on}")
    table.add_column("tenant")
    for name in ("window", "grants", "bytes asked", "granted", "share", "steps", "p50", "p99"):
        table.add_column(name, justify="right", overflow="fold")
    for row in found["tenants"]:
        table.add_row(
            row["name"],
            f"{row['window']:,}",
            f"{row['grants']:,}",
            f"{row['bytes_requested']:,}",
            f"{row['bytes_granted']:,}",
            f"{row['share']:.1%}",
            f"{row['steps']:,}",
            *("-" if row[key] is None else f"{row[key]:,}" for key in ("p50_clocks", "p99_clocks")),
        )
    output.print(table)
    output.print(
        f"{found['grants']:,} grants, {found['bytes']:,} bytes, "
        f"utilisation {found['utilisation']:.1%}, seed {found['seed']}; step latency in clocks"
    )
    memory = found["memory"]
    if "row_changes" in memory:
        tell(
            f"{memory['name']}: {memory['conflicts']:.2%} of the bursts in conflict, "
            f"{memory['closed']:.2%} to a closed bank, {memory['of_ceiling']:.1%} of what refresh "
            f"leaves, {memory['pj_per_byte']:.1f} pJ/B"
        )


def _require_all_granted(found: dict) -> None:
    late = [row for row in found["tenants"] if row["bytes_granted"] != row["bytes_requested"]]
    facts = {row["name"]: row for row in found["workload"]["tenants"]}
    for row in found["tenants"]:
        wanted = facts[row["name"]]["read_bytes"] + facts[row["name"]]["write_bytes"]
        if row["bytes_requested"] != wanted and row not in late:
            late.append(row)
    if late:
        names = ", ".join(row["name"] for row in late)
        say(f"mcos: error: the run ended in clock {found['clocks']:,} before {names} was served")
        raise typer.Exit(1)
