"""``mcos run``: a contract and its traffic on the hardware, under one arbiter."""

from __future__ import annotations

import dataclasses
import enum
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcos_policy.samples import contract_path
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.commands.options import (
    CONTRACT_HELP,
    MOST_CLOCKS,
    MOST_SEED,
    Memory,
    command_words,
    contract_argument,
    contract_for,
)
from mcos_sim.commands.recorded import (
    VIOLATION,
    given_window,
    require_vcd,
    run_watched,
    tell_files,
    wanted_request,
)
from mcos_sim.commands.traffic_options import require_one_traffic
from mcos_sim.console import progress, require_outputs, say, tell, write_json, writing
from mcos_sim.engines.dispatch import Engine, build, run_scenario
from mcos_sim.errors import ExitCode, UserError
from mcos_sim.memory.name import MemoryName
from mcos_sim.sweep.grid import Workload

if TYPE_CHECKING:
    from mcos_sim.engines.recording import Recording
    from mcos_sim.scenario import RunResult, Scenario

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = 'mcos run decode-prefill --traffic-of "decode-a=closed:window=16,think=1us"'


class Arbiter(enum.StrEnum):
    """Arbiters, as the command spells them."""

    MCOS = "mcos"
    FCFS = "fcfs"
    ROUND_ROBIN = "round-robin"
    FIXED_PRIORITY = "fixed-priority"


def command(
    context: typer.Context,
    contract: Annotated[
        Path | None,
        contract_argument(
            CONTRACT_HELP,
            show_default="decode-prefill or that of the memory, or MODEL with --trace",
        ),
    ] = None,
    traffic: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What each tenant asks for, TOML.",
            show_default="at the guarantee with a latency_slo, else backlogged",
        ),
    ] = None,
    traffic_of: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATTERN[:key=value,...]",
            help="What one tenant asks for, as in the file.",
            show_default=False,
        ),
    ] = None,
    workload: Annotated[
        Workload | None,
        typer.Option(
            help="The essay's prefill and decoders, in one of two settings.",
            show_default="loaded without CONTRACT and traffic",
        ),
    ] = None,
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
            help="The RTL verilated, seconds once built; in cocotb, with every check; or the model."
        ),
    ] = Engine.VERILATED,
    clocks: Annotated[
        int, typer.Option(min=2_000, max=MOST_CLOCKS, help="Length of a run without --trace.")
    ] = 200_000,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")] = 1,
    memory: Memory = MemoryName.SIMPLE,
    require_slo: Annotated[
        bool, typer.Option("--require-slo", help="Exit with 1 if a latency_slo is violated.")
    ] = False,
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
    *,
    hardware: HardwareOptions,
) -> None:
    """Run a contract with traffic of its tenants; say what each got and whether its SLO was kept.

    Any contract runs. Without --traffic and --traffic-of a tenant with a latency_slo asks at its
    guarantee, and one without asks for more than it can get. Without CONTRACT it is the essay's
    workload: one prefill burst and three decoders. With --trace a service answers its first
    requests: decode reads weights and context KV every step, prefill writes KV. Bytes and time of
    a trace are scaled by one factor, which is printed.
    """
    from mcos_hw.registers import ArbiterKind
    from mcos_sim.commands.compile import compile_for
    from mcos_sim.commands.run_table import show_run
    from mcos_sim.experiments.memory_figures import memory_figures
    from mcos_sim.experiments.objectives import run_figures
    from mcos_sim.experiments.prepare import (
        Common,
        prepare_plan,
        prepare_trace,
        prepare_workload,
    )
    from mcos_sim.report.run_page import write_run
    from mcos_sim.scenario import Window
    from mcos_sim.traffic.models import find_model
    from mcos_sim.waves.window import window_files
    from mcos_sim.waves.worst import late_request

    require_one_traffic(context, traffic, traffic_of, workload, trace)
    watched = record == VIOLATION
    wanted = wanted_request(record, window)
    if watched and engine is Engine.COCOTB:
        raise UserError(
            "--record violation needs --engine verilated, which is the same hardware, or reference"
        )
    if watched or wanted is not None:
        waves = waves or directory / ("violation.vcd" if watched else "worst.vcd")
        require_vcd(waves)
        recorded = None
    else:
        recorded = given_window(waves, window, clocks if trace is None else None)
    if contract is None:
        if traffic is None and not traffic_of and trace is None:
            workload = workload or Workload.LOADED
        contract = contract_for(memory) if trace is None else contract_path(find_model(model).name)
    page = directory / "report.html"
    outputs = [*(() if waves is None else window_files(waves)), json, page]
    require_outputs(outputs, inputs=[contract, traffic, trace], folders=[directory])
    common = Common(
        name=arbiter.value,
        arbiter=ArbiterKind[arbiter.name],
        seed=seed,
        memory=memory,
        window=recorded,
    )
    compiled = compile_for(contract, hardware=hardware, notes=False)
    with progress("Preparing the traffic", None):
        if trace is not None:
            prepared = prepare_trace(
                compiled, trace=trace, model=model, requests=requests, grants=grants, common=common
            )
        elif workload is not None:
            prepared = prepare_workload(
                compiled, workload=workload.value, clocks=clocks, common=common
            )
        else:
            prepared = prepare_plan(
                compiled, file=traffic, options=traffic_of or (), clocks=clocks, common=common
            )
    if trace is None and workload is None:
        require_outputs(outputs, inputs=prepared.files)
        tell(prepared.facts["sentence"])
    notes = compiled.notes if arbiter is Arbiter.MCOS else ()
    for remark in (*notes, *prepared.remarks):
        say(remark)
    scenario, expected = prepared.scenario, prepared.expected
    if wanted is not None:
        wanted.require_tenant([stream.name for stream in scenario.streams])
    run = functools.partial(_run, directory=directory)
    if watched and waves is not None:
        result = run_watched(functools.partial(run, engine), scenario, expected, waves)
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
        "traffic": prepared.kind,
        "workload": prepared.facts,
        **run_figures(compiled, scenario, result, prepared.words),
    }
    late = None
    if wanted is not None and waves is not None:
        late = late_request(result, wanted)
        first, end = late.window(result.clocks)
        recorded = Window(path=waves, first=first, end=end, focus=late.granted)
        run(
            Engine.VERILATED if engine is Engine.COCOTB else engine,
            dataclasses.replace(scenario, window=recorded, clocks=end),
            end,
        )
        found["recorded"] = {**dataclasses.asdict(late), "file": str(waves)}
    if json is not None:
        write_json(json, found)
    files = {"figures": json, "waveform": recorded and recorded.path, "traffic": traffic}
    with writing(page), progress("Drawing the report", None):
        write_run(
            found,
            contract.read_text(encoding="utf-8-sig"),
            {what: str(file) for what, file in files.items() if file is not None},
            page,
            command=command_words(context),
        )
    show_run(found)
    if late is not None:
        tell(
            f"{record}: request {late.index:,} of {late.tenant}, {late.latency:,} clocks: offered "
            f"in {late.offered:,}, granted in {late.granted:,}, answered in {late.completed:,}"
        )
    if recorded is not None:
        tell_files(recorded.path)
    say(f"report: {page}")
    if trace is not None:
        _require_all_granted(found)
    _require_promises(found, arbiter, require_slo=require_slo)


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
    running = f"Running {scenario.name} on {engine.description}"
    with progress(running, expected, unit="clocks") as advance:
        return run_scenario(
            engine,
            scenario,
            directory=directory,
            recording=recording,
            on_progress=advance,
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


def _require_promises(found: dict, arbiter: Arbiter, *, require_slo: bool) -> None:
    """Exit with 1 if MCOS broke a promise, or an objective was to be kept and was not."""
    from mcos_sim.experiments.run_words import breach_sentence, supposed

    broken = [row for row in found["tenants"] if row["breaches"]] if arbiter is Arbiter.MCOS else []
    for row in broken:
        say(f"mcos: error: {breach_sentence(row, found['clock_khz'])}")
    if broken:
        say(f"mcos: {supposed(found['memory']['name'])}")
    late = require_slo and any(row["violations"] for row in found["tenants"])
    if late:
        say("mcos: error: --require-slo: an objective was not kept")
    if late or broken:
        raise typer.Exit(ExitCode.FAILED)
