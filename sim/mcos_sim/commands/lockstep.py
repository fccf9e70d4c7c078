"""``mcos lockstep``: hardware against model, clock by clock, over random cases."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcos_hw.config import CHANNELS
from mcos_sim.commands.channel_options import FABRIC_TENANTS
from mcos_sim.commands.options import CORES, MOST_SEED, Arbiter, Workers, json_option
from mcos_sim.console import loading, output, progress, require_outputs, say, write_json, writing
from mcos_sim.errors import UserError
from mcos_sim.ported.sizes import MOST_PORTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcos_sim.lockstep.campaign import Design, Report
    from mcos_sim.lockstep.case import Case
    from mcos_sim.lockstep.compare import Difference
    from mcos_sim.lockstep.fabric_campaign import FabricDesign
    from mcos_sim.verilated.build import Library

__all__ = [
    "EXAMPLE",
    "command",
    "run_campaign",
]


EXAMPLE = "mcos lockstep --lateness 3 --lateness 0 --cases 40 --json build/lockstep.json"

_WINDOW_CLOCKS = 200
"""Clocks before a difference that its waveform shows."""

_REPRODUCTION = ("case.json", "both.vcd")
"""Files of what differs: the case, and the waveform of both sides."""

_SHOWN = 12
"""Fields of a difference that are printed."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DesignOptions:
    """Which hardware is compared: every combination."""

    tenants: Annotated[
        list[int] | None,
        typer.Option(help="Sizes to compare.", show_default="16, or 4 of several channels"),
    ] = None
    lateness: Annotated[
        list[int] | None, typer.Option(help="Lateness to compare, 0 to 3.", show_default="3")
    ] = None
    grant_interval: Annotated[
        list[int] | None,
        typer.Option(
            help="Grant intervals to compare, 1 or 4 to 8; above 1 with a lateness of 0.",
            show_default="1",
        ),
    ] = None
    arbiter: Annotated[Arbiter, typer.Option(help="Arbiter of the hardware.")] = Arbiter.MCOS
    channels: Annotated[
        int,
        typer.Option(
            min=1, max=CHANNELS[-1], help="Channels; of several each is held against its model."
        ),
    ] = 1
    ports: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_PORTS,
            help="AXI ports in front of several channels; every request of each is compared.",
            show_default="one for each channel",
        ),
    ] = None

    def fabric(self) -> FabricDesign:
        """The fabric of several channels.

        Raises
        ------
        UserError
            If no hardware has one of the sizes, or there are several.
        """
        from mcos_hw.config import FabricConfig
        from mcos_sim.lockstep.fabric_campaign import FabricDesign

        if self.channels not in CHANNELS:
            raise UserError(
                f"--channels must be one of {', '.join(map(str, CHANNELS))}, not {self.channels}; "
                "choose another"
            )
        designs = dataclasses.replace(self, tenants=self.tenants or [FABRIC_TENANTS]).designs()
        if len(designs) > 1:
            raise UserError(
                f"with --channels there must be one design, not {len(designs)}; give each size once"
            )
        (design,) = designs
        try:
            fitted = FabricConfig.around(design.config).channel
            config = dataclasses.replace(
                design.config, beat_bytes=fitted.beat_bytes, max_beats=fitted.max_beats
            )
        except ValueError as error:
            raise UserError(str(error)) from None
        ports = self.ports or min(self.channels, MOST_PORTS)
        return FabricDesign(
            config=config, arbiter=design.arbiter, channels=self.channels, ports=ports
        )

    def designs(self) -> list[Design]:
        """The designs.

        Raises
        ------
        UserError
            If no hardware has one of the sizes.
        """
        from mcos_hw.config import ChannelConfig
        from mcos_hw.registers import ArbiterKind
        from mcos_sim.lockstep.campaign import Design

        kind = ArbiterKind[self.arbiter.name]
        try:
            return [
                Design(
                    config=ChannelConfig(tenants=count, lateness=late, grant_interval=interval),
                    arbiter=kind,
                )
                for count in self.tenants or [ChannelConfig.tenants]
                for interval in self.grant_interval or [ChannelConfig.grant_interval]
                for late in self.lateness or [0 if interval > 1 else ChannelConfig.lateness]
            ]
        except ValueError as error:
            raise UserError(str(error)) from None


def command(
    *,
    hardware: DesignOptions,
    cases: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Random contracts and traffic.")
    ] = 20,
    clocks: Annotated[
        int, typer.Option(min=100, max=10_000_000, help="Clocks of traffic in each.")
    ] = 20_000,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of the first case.")] = 1,
    reproduce: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Run one written case again.", show_default=False),
    ] = None,
    workers: Workers = CORES,
    directory: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for what differs.")
    ] = Path("build/lockstep"),
    json: Annotated[Path | None, json_option("the figures")] = None,
) -> None:
    """Compare the emitted Verilog with the reference model in every clock.

    Both run the same random contracts, commits and requests. The first case that differs is made
    as short as possible and written to a file, with a waveform that has both sides.

    With --channels every channel is compared in every clock, and every request at every port. A
    difference is named by channel or port, and its seed shows it again.
    """
    if hardware.channels == 1 and hardware.ports is not None:
        raise UserError("--ports must go with several --channels; leave it out, or add them")
    if hardware.channels > 1:
        if reproduce is not None:
            raise UserError("--reproduce must be of one channel; leave --channels out")
        require_outputs([json])
        _compare_fabric(
            hardware.fabric(), seed=seed, cases=cases, clocks=clocks, workers=workers, json=json
        )
        return
    with loading():
        from mcos_sim.engines.verilated import channel_library
        from mcos_sim.lockstep.case import random_case
        from mcos_sim.lockstep.compare import compare
        from mcos_sim.lockstep.store import read_case

    require_outputs(
        [json, *(directory / name for name in _REPRODUCTION if reproduce is None)],
        inputs=[reproduce],
        folders=[directory],
    )
    if reproduce is not None:
        case = read_case(reproduce)
        scenario = case.scenario
        with progress("Building the verilated hardware", 1) as advance:
            library = channel_library(scenario.config, scenario.arbiter)
            advance(1)
        try:
            with progress("Comparing hardware and model", None):
                outcome = compare(case, library)
        except (OverflowError, ValueError) as error:
            raise UserError(
                f"{reproduce} must be a case that can be run, and is not: {error}"
            ) from None
        if outcome.difference is None:
            output.print(f"{outcome.clocks:,} clocks compared, no difference")
            return
        _show(outcome.difference)
        raise typer.Exit(1)

    designs = hardware.designs()
    report = run_campaign(designs, seed=seed, cases=cases, clocks=clocks, workers=workers)
    output.print(
        f"{report.clocks:,} clocks of {report.cases:,} random configurations on {len(designs)} "
        f"designs compared, {len(report.findings)} differ"
    )
    found = {
        "config_hashes": [design.config.hash for design in designs],
        "lockstep_cycles": report.clocks,
        "configurations": report.cases,
        "differences": len(report.findings),
        "seeds": [finding.seed for finding in report.findings],
        "first_seed": seed,
    }
    if report.findings:
        first = report.findings[0]
        library = channel_library(first.design.config, first.design.arbiter)
        case = random_case(
            first.design.config, arbiter=first.design.arbiter, seed=first.seed, clocks=clocks
        )
        found["reproduction"] = _reproduce(case, first.difference, library, directory)
    if json is not None:
        write_json(json, found)
    if report.findings:
        raise typer.Exit(1)


def _compare_fabric(
    design: FabricDesign, *, seed: int, cases: int, clocks: int, workers: int, json: Path | None
) -> None:
    """Compare a fabric, and exit with 1 if it differs."""
    with loading():
        from mcos_sim.lockstep.fabric_campaign import fabric_campaign
        from mcos_sim.scenario import FIRST_CLOCK

    with progress("Building the verilated hardware", 1) as advance:
        design.build()
        advance(1)
    work = cases * (clocks + FIRST_CLOCK)
    with progress("Comparing hardware and model", work, unit="clocks") as advance:
        report = fabric_campaign(
            design,
            first_seed=seed,
            cases=cases,
            clocks=clocks,
            workers=workers,
            on_progress=advance,
        )
    ports = report.ports
    output.print(
        f"{report.clocks:,} clocks of {report.cases:,} random configurations on {design.channels} "
        f"channels behind {design.ports} ports compared, {ports.requests:,} requests at the ports; "
        f"{len(report.findings)} differ"
    )
    if json is not None:
        write_json(
            json,
            {
                "channels": design.channels,
                "ports": design.ports,
                "config_hashes": [design.config.hash],
                "lockstep_cycles": report.clocks,
                "configurations": report.cases,
                "requests": dataclasses.asdict(ports),
                "differences": [
                    {
                        "seed": each.seed,
                        "clock": each.difference.clock,
                        "signals": {
                            name: {"hardware": hardware, "model": model}
                            for name, (hardware, model) in each.difference.values.items()
                        },
                    }
                    for each in report.findings
                ],
                "first_seed": seed,
            },
        )
    if report.findings:
        first = report.findings[0]
        _show(first.difference)
        say(
            f"seed {first.seed} shows it again: mcos lockstep --channels {design.channels} --ports "
            f"{design.ports} --tenants {design.config.tenants} --arbiter "
            f"{design.arbiter.name.lower().replace('_', '-')} --cases 1 --clocks {clocks} --seed "
            f"{first.seed}"
        )
        raise typer.Exit(1)


def run_campaign(
    designs: Sequence[Design], *, seed: int, cases: int, clocks: int, workers: int
) -> Report:
    """Build designs and run a campaign on them, both with their progress shown."""
    from mcos_sim.engines.verilated import channel_library
    from mcos_sim.lockstep.campaign import campaign

    with progress("Building the verilated hardware", len(designs)) as advance:
        for design in designs:
            channel_library(design.config, design.arbiter)
            advance(1)
    work = cases * clocks
    with progress("Comparing hardware and model", work, unit="clocks") as advance:
        return campaign(
            designs,
            first_seed=seed,
            cases=cases,
            clocks=clocks,
            workers=workers,
            on_progress=advance,
        )


def _show(difference: Difference) -> None:
    say(f"clock {difference.clock}: hardware and model differ in {len(difference.values)} fields")
    for name, (hardware, model) in list(difference.values.items())[:_SHOWN]:
        say(f"  {name}: hardware {hardware:#x}, model {model:#x}")


def _reproduce(case: Case, difference: Difference, library: Library, directory: Path) -> dict:
    """Write the shortest case found and its waveform; what is known of it."""
    from mcos_sim.lockstep.compare import traces
    from mcos_sim.lockstep.shrink import shrink
    from mcos_sim.lockstep.store import case_record
    from mcos_sim.lockstep.waveform import write_both
    from mcos_sim.scenario import FIRST_CLOCK

    with progress("Making the case short", None):
        case, difference = shrink(case, difference, library)
    file, waves = (directory / name for name in _REPRODUCTION)
    write_json(file, case_record(case))
    first = max(FIRST_CLOCK, difference.clock - _WINDOW_CLOCKS)
    with writing(waves), progress("Writing the waveform", None):
        sides = traces(case, library, first=first)
        write_both(waves, sides, first=first, config=case.scenario.config)
    _show(difference)
    clocks = difference.clock - FIRST_CLOCK
    say(f"{clocks} clocks of traffic show it again: mcos lockstep --reproduce {file}")
    say(f"waveform of both sides: {waves}")
    return {"clocks": clocks, "file": str(file), "waves": str(waves)}
