"""``mcos run``: a contract and its traffic on the hardware, under one arbiter."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcos_policy.samples import contract_path
from mcos_sim.commands.channel_options import (
    ChannelsOption,
    OwnPortsOption,
    owns_ports,
    port_kind,
    ports_of,
    require_channels,
)
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.commands.options import (
    CONTRACT_HELP,
    Arbiter,
    PortKind,
    PortOption,
    PortsOption,
    Setup,
    command_words,
    contract_argument,
    contract_for,
    json_option,
)
from mcos_sim.commands.recorded import Recorded, RecordOptions, run_watched, tell_files
from mcos_sim.commands.traffic_options import TrafficOptions
from mcos_sim.console import progress, require_outputs, say, tell, write_json, writing
from mcos_sim.engines.dispatch import Engine, build, run_scenario
from mcos_sim.errors import ExitCode
from mcos_sim.sweep.grid import Workload

if TYPE_CHECKING:
    from mcos_policy.compiler import Compiled
    from mcos_sim.engines.recording import Recording
    from mcos_sim.experiments.prepare import Prepared
    from mcos_sim.ported.sizes import Ports
    from mcos_sim.scenario import RunResult, Scenario

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = 'mcos run decode-prefill --traffic-of "decode-a=closed:window=16,think=1us"'


def command(
    context: typer.Context,
    contract: Annotated[
        Path | None,
        contract_argument(
            CONTRACT_HELP,
            show_default="decode-prefill or that of the memory, or MODEL with --trace",
        ),
    ] = None,
    *,
    traffic: TrafficOptions,
    setup: Setup,
    port: PortOption = PortKind.CHANNEL,
    ports: PortsOption = None,
    channels: ChannelsOption = 1,
    own_ports: OwnPortsOption = None,
    require_slo: Annotated[
        bool, typer.Option("--require-slo", help="Exit with 1 if a latency_slo is violated.")
    ] = False,
    recording: RecordOptions,
    directory: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the run's files.")
    ] = Path("build/run"),
    json: Annotated[Path | None, json_option("the figures")] = None,
    hardware: HardwareOptions,
) -> None:
    """Run a contract with traffic of its tenants; say what each got and whether its SLO was kept.

    Any contract runs. Without --traffic and --traffic-of a tenant with a latency_slo asks at its
    guarantee, and one without asks for more than it can get. Without CONTRACT it is the essay's
    workload: one prefill burst and three decoders. With --trace a service answers its first
    requests: decode reads weights and context KV every step, prefill writes KV. Bytes and time of
    a trace are scaled by one factor, which is printed.
    """
    from mcos_sim.commands.compile import compile_for
    from mcos_sim.commands.run_table import show_run
    from mcos_sim.experiments.memory_figures import memory_figures
    from mcos_sim.experiments.objectives import run_figures
    from mcos_sim.report.run_page import write_run
    from mcos_sim.scenario import Window
    from mcos_sim.traffic.models import find_model
    from mcos_sim.waves.worst import late_request

    traffic.require_one_way(context)
    recorded = recording.chosen(
        directory=directory,
        engine=setup.engine,
        clocks=setup.clocks if traffic.trace is None else None,
    )
    if contract is None:
        if not traffic.planned and traffic.trace is None:
            traffic = dataclasses.replace(traffic, workload=traffic.workload or Workload.LOADED)
        contract = (
            contract_for(setup.memory)
            if traffic.trace is None
            else contract_path(find_model(traffic.model).name)
        )
    page = directory / "report.html"
    outputs = [*recorded.files(channels), json, page]
    inputs = [contract, traffic.traffic, traffic.trace]
    require_outputs(outputs, inputs=inputs, folders=[directory])
    port = port_kind(context, port, channels)
    recorded.require_engine(setup.engine, channels)
    compiled = compile_for(contract, hardware=hardware, notes=False, axi=port is PortKind.AXI)
    require_channels(compiled, channels)
    own = owns_ports(own_ports, channels)
    axi_ports = ports_of(compiled, ports, port=port, channels=channels, own=own)
    prepared = _prepared(compiled, traffic, setup, recorded, channels, axi_ports)
    if traffic.trace is None and traffic.workload is None:
        require_outputs(outputs, inputs=prepared.files)
        tell(prepared.facts["sentence"])
    notes = compiled.notes if setup.arbiter is Arbiter.MCOS else ()
    for remark in (*notes, *prepared.remarks):
        say(remark)
    if compiled.contract.fabric.coordinator:
        say(
            f"{compiled.origin['name']}: coordinator in [fabric] is not part of a run: each "
            "channel keeps its share of a guarantee; see docs/coordinator.md for what it gives"
        )
    scenario, expected = prepared.scenario, prepared.expected
    if recorded.request is not None:
        recorded.request.require_tenant([stream.name for stream in scenario.streams])
    run = functools.partial(_run, directory=directory)
    if recorded.watched and recorded.waves is not None:
        result = run_watched(functools.partial(run, setup.engine), prepared, recorded.waves)
    else:
        result = run(setup.engine, scenario, expected)

    found = {
        "arbiter": setup.arbiter.value,
        "engine": setup.engine.value,
        "config_hash": compiled.config.hash,
        "contract": compiled.origin,
        "port": {"kind": port.value, "tags": axi_ports},
        "memory": memory_figures(scenario, result, setup.memory),
        "memory_latency_clocks": scenario.channel.latency,
        "port_credit_bytes": scenario.channel.credit,
        "seed": setup.seed,
        "traffic": prepared.kind,
        "workload": prepared.facts,
        **run_figures(compiled, scenario, result, prepared.words),
    }
    late, window = None, recorded.window
    if recorded.request is not None and recorded.waves is not None:
        late = late_request(result, recorded.request)
        first, end = late.window(result.clocks)
        window = Window(path=recorded.waves, first=first, end=end, focus=late.granted)
        run(
            Engine.VERILATED if setup.engine is Engine.COCOTB else setup.engine,
            dataclasses.replace(scenario, window=window, clocks=end),
            end,
        )
        found["recorded"] = {**dataclasses.asdict(late), "file": str(recorded.waves)}
    if json is not None:
        write_json(json, found)
    files = {"figures": json, "waveform": window and window.path, "traffic": traffic.traffic}
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
            f"{recording.record}: request {late.index:,} of {late.tenant}, {late.latency:,} "
            f"clocks: offered in {late.offered:,}, granted in {late.granted:,}, answered in "
            f"{late.completed:,}"
        )
    if window is not None:
        tell_files(window.path, channels)
    say(f"report: {page}")
    if traffic.trace is not None:
        _require_all_granted(found)
    _require_promises(found, setup.arbiter, require_slo=require_slo)


def _prepared(
    compiled: Compiled,
    traffic: TrafficOptions,
    setup: Setup,
    recorded: Recorded,
    channels: int,
    axi_ports: Ports,
) -> Prepared:
    """The run, in whichever way its traffic is said."""
    from mcos_hw.registers import ArbiterKind
    from mcos_sim.experiments.prepare import (
        Common,
        prepare_plan,
        prepare_trace,
        prepare_workload,
    )

    common = Common(
        name=setup.arbiter.value,
        arbiter=ArbiterKind[setup.arbiter.name],
        seed=setup.seed,
        memory=setup.memory,
        window=recorded.window,
        channels=channels,
        axi_ports=axi_ports,
    )
    with progress("Preparing the traffic", None):
        if traffic.trace is not None:
            return prepare_trace(
                compiled,
                trace=traffic.trace,
                model=traffic.model,
                requests=traffic.requests,
                grants=traffic.grants,
                common=common,
            )
        if traffic.workload is not None:
            workload = traffic.workload.value
            return prepare_workload(compiled, workload=workload, clocks=setup.clocks, common=common)
        return prepare_plan(
            compiled,
            file=traffic.traffic,
            options=traffic.traffic_of or (),
            clocks=setup.clocks,
            common=common,
        )


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
        build(engine, scenario.config, scenario.arbiter, scenario.axi_ports, len(scenario.channels))
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
    from mcos_sim.experiments.run_words import SHARED_PORTS, breach_sentence, supposed

    broken = [row for row in found["tenants"] if row["breaches"]] if arbiter is Arbiter.MCOS else []
    for row in broken:
        say(f"mcos: error: {breach_sentence(row, found['clock_khz'])}")
    if broken:
        shared = any(len(tags) > 1 for tags in found["port"]["tags"])
        say(f"mcos: {SHARED_PORTS if shared else supposed(found['memory']['name'])}")
    late = require_slo and any(row["violations"] for row in found["tenants"])
    if late:
        say("mcos: error: --require-slo: an objective was not kept")
    if late or broken:
        raise typer.Exit(ExitCode.FAILED)
