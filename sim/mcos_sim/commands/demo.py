"""``mcos demo``: the main job from contract to report."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from mcos_hw.config import ChannelConfig
from mcos_policy.samples import contract_words
from mcos_sim.commands.channel_options import (
    FABRIC_TENANTS,
    ChannelsOption,
    port_kind,
    ports_of,
    require_channels,
)
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.commands.options import (
    MOST_CLOCKS,
    MOST_SEED,
    ContractOfMemory,
    Memory,
    PortKind,
    PortOption,
    contract_for,
)
from mcos_sim.console import loading, output, progress, require_outputs, say, write_json, writing
from mcos_sim.engines.dispatch import Engine
from mcos_sim.errors import UserError
from mcos_sim.memory.name import MemoryName
from mcos_sim.ported.sizes import MOST_PORTS, queue_depth_behind

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos demo decode-prefill -o build/demo"


_CLOCKS, _HBM_CLOCKS = 1_600_000, 2_400_000
"""Long enough for 300 steps of every decoder."""

_AXI_PORTS = ((1, 2, 3), (0,))
"""Tags at each AXI port: the decoders share one, and the prefill, which they must not feel, has its
own."""

_AXI_DECODER_WINDOW = 19
"""Reads that a decoder keeps outstanding at an AXI port, where each takes longer than at a channel:
so many that the decoders alone use as much, 70 to 75 % of the channel."""

_FABRIC_DECODER_WINDOW = 20
"""The same for each of several channels, by Little's law.

A decoder that is to have 24 % of a channel on average takes 26 % while a step lasts: 0.13 requests
of 128 B a clock. Each is answered some 150 clocks after its offer, so 20 are outstanding in each
channel. A decoder asks all channels, so its window is as many times that."""

DemoPorts = Annotated[
    int | None,
    typer.Option(
        "--ports",
        min=1,
        max=16,
        help="AXI ports in front of several channels.",
        show_default="one for each channel",
    ),
]


def command(
    context: typer.Context,
    contract: ContractOfMemory = None,
    directory: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of all outputs.")
    ] = Path("build/demo"),
    full: Annotated[
        bool, typer.Option("--full", help="Also sweep the prefill's window and the port credit.")
    ] = False,
    clocks: Annotated[
        int | None,
        typer.Option(
            min=100_000,
            max=MOST_CLOCKS,
            help="Clocks of every run.",
            show_default="1600000, or 2400000 on HBM, whose steps are longer, and more where the "
            "channel passes less than 64 bytes a clock",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=MOST_SEED, help="Seed of step sizes and compute times.")
    ] = 1,
    memory: Memory = MemoryName.SIMPLE,
    port: PortOption = PortKind.CHANNEL,
    channels: ChannelsOption = 1,
    ports: DemoPorts = None,
    engine: Annotated[
        Engine | None,
        typer.Option(help="What all runs are of.", show_default="the RTL, in whichever suits"),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Result, DIR/result.json by default.", show_default=False
        ),
    ] = None,
) -> None:
    """Run one prefill burst and three decoders through real RTL, under four arbiters.

    Compiles the contract, loads the image over AXI4-Lite into the emitted Verilog, and runs the
    decoders alone and beside the burst under FCFS, round robin, fixed priority and MCOS. Prints
    the comparison; writes the result, a report page and a waveform with its save file. Exits with
    1 if a figure misses its mark. Behind AXI ports, whose hardware takes minutes to build, FCFS
    and MCOS are compared. With --channels the demand, the windows and all figures are of that many
    channels.
    """
    from mcos_sim.commands.compile import compile_for

    contract = contract or contract_for(memory)
    port = port_kind(context, port, channels)
    axi = port is PortKind.AXI
    if ports is not None and channels == 1:
        raise UserError("--ports must go with several --channels; leave it out")
    hardware = HardwareOptions(tenants=FABRIC_TENANTS) if channels > 1 else None
    depth = ChannelConfig.queue_depth
    if channels > 1:
        depth = queue_depth_behind(ports or min(channels, MOST_PORTS))
    compiled = compile_for(contract, hardware=hardware, notes=False, axi=axi, queue_depth=depth)
    require_channels(compiled, channels)
    # The report shows what was compiled, whatever becomes of the file during the runs.
    contract_text = contract.read_text(encoding="utf-8-sig")

    # What draws the report takes seconds to import; a contract at fault is told before.
    with loading():
        from mcos_sim.engines.dispatch import build_simulators
        from mcos_sim.experiments.contention import Setting, slowness
        from mcos_sim.experiments.demo import Demo
        from mcos_sim.report import page, table
        from mcos_sim.report.marks import marks
        from mcos_sim.waves.window import window_files

    fewest = _CLOCKS if memory is MemoryName.SIMPLE else _HBM_CLOCKS
    clocks = clocks or slowness(compiled.config) * fewest
    result_path = json or directory / "result.json"
    report_path = directory / "report.html"
    # On a slower channel a request takes longer, so fewer of them bring a decoder its bytes.
    window = max(1, Setting.decoder_window // slowness(compiled.config))
    setting = Setting(clocks=clocks, decoder_window=window, seed=seed, memory=memory)
    if axi:
        setting = dataclasses.replace(
            setting, axi_ports=_AXI_PORTS, decoder_window=_AXI_DECODER_WINDOW
        )
    if channels > 1:
        setting = dataclasses.replace(setting, decoder_window=_FABRIC_DECODER_WINDOW)
        setting = dataclasses.replace(
            setting.for_channels(channels, compiled.config),
            axi_ports=ports_of(compiled, ports, port=port, channels=channels),
        )
    demo = Demo(compiled, setting, full=full, directory=directory, engine=engine)
    recorded = [] if channels > 1 else window_files(demo.window_path)
    require_outputs(
        [result_path, report_path, *recorded],
        inputs=[contract],
        folders=[directory],
    )

    with progress("Building simulators from the emitted Verilog", 1) as advance:
        build_simulators(demo.jobs, on_built=advance)
    of = engine.description if engine else "the RTL"
    running = f"Running {demo.runs} simulations of {of}"
    with progress(running, demo.clocks, unit="clocks") as advance:
        result = demo.run(on_progress=advance)

    output.print(table.render(result))
    files = {"result": result_path, "report": report_path}
    if recorded:
        files |= {
            "waveform": demo.window_path,
            "GTKWave save file": demo.window_path.with_suffix(".gtkw"),
            "state at the waveform's start": demo.window_path.with_suffix(".json"),
        }
    write_json(result_path, result)
    named = {what: str(file) for what, file in files.items()}
    with writing(report_path), progress("Drawing the report", None):
        page.write(
            result,
            contract_text,
            named,
            report_path,
            command=f"mcos demo {contract_words(contract)} --clocks {clocks} --seed {seed} "
            f"--memory {memory.value} "
            + (f"--channels {channels}" if channels > 1 else f"--port {port.value}")
            + (f" --ports {ports}" if ports else "")
            + (f" --engine {engine.value}" if engine else "")
            + " --full" * full,
        )
    for what, file in named.items():
        say(f"{what}: {file}")
    failed = [mark for mark in marks(result) if not mark.passed]
    if failed:
        say(f"mcos: {len(failed)} marks failed: " + ", ".join(m.label for m in failed))
        raise typer.Exit(1)
