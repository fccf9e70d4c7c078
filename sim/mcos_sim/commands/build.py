"""``mcos build``: the bitstream of a board."""

from pathlib import Path
from typing import Annotated

import typer

from mcos_sim.console import (
    output,
    print_table,
    progress,
    require_outputs,
    say,
    tell,
    write_json,
)
from mcos_sim.errors import UserError

__all__ = [
    "BOARDS",
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos build --target ulx3s --seeds 3"

BOARDS = ("ulx3s",)
"""Boards that there are."""


def command(
    target: Annotated[str, typer.Option(help=f"Board: {', '.join(BOARDS)}.")] = "ulx3s",
    arbiter: Annotated[
        str,
        typer.Option(
            metavar="NAME[,NAME]", help="Arbiter of each channel of the board, side by side."
        ),
    ] = "mcos",
    seeds: Annotated[int, typer.Option(min=1, max=99, help="Placements; the worst counts.")] = 1,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Folder of all outputs.",
            show_default="build/TARGET",
        ),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Result, DIR/result.json by default.", show_default=False
        ),
    ] = None,
) -> None:
    """Build a bitstream with Yosys and nextpnr, and say how fast and how full it is.

    The worst seed must be 10 % faster than the clock of the board, or the command fails, and says
    by how much. What was built before of the same hardware is taken from DIR.
    """
    from mcos_hw.targets import ulx3s
    from mcos_policy.files import write_together
    from mcos_sim.commands.verilog import arbiters_of
    from mcos_sim.synthesis.bitstream import build, require_met, require_tools

    if target not in BOARDS:
        raise UserError(f"target must be one of {', '.join(BOARDS)}, not {target!r}; choose one")
    kinds = arbiters_of(arbiter)
    folder = Path("build", target) if directory is None else directory
    result = json or folder / "result.json"
    require_outputs([result], folders=[folder])
    require_tools()
    regenerate = f"mcos verilog --target {target} --arbiter {arbiter} -o DIRECTORY"
    with progress(f"Building {target}", 3 + seeds) as advance:

        def begin(step: str) -> None:
            say(step)
            advance(1)

        begin("elaborating")
        texts = ulx3s.files(kinds, regenerate=regenerate)
        folder.mkdir(parents=True, exist_ok=True)
        write_together({folder / name: text.encode() for name, text in texts.items()})
        built = build(
            texts[f"{ulx3s.TOP}.v"],
            clock_khz=ulx3s.board_config(kinds).fabric.channel.clock_khz,
            seeds=seeds,
            directory=folder,
            on_step=begin,
        )
    print_table(
        f"{target}, {arbiter}: clock {built.clock_mhz:g} MHz",
        ["seed", "MHz", "to spare", "LUTs", "flip-flops", "block RAMs", "multipliers", "minutes"],
        [
            [
                str(each.seed),
                f"{each.achieved_mhz:.1f}",
                f"{100 * (each.achieved_mhz / built.clock_mhz - 1):.0f} %",
                f"{each.utilisation['luts']:,}",
                f"{each.utilisation['ffs']:,}",
                str(each.utilisation["brams"]),
                str(each.utilisation["dsps"]),
                f"{each.seconds / 60:.1f}",
            ]
            for each in built.placements
        ],
    )
    output.print(f"synthesis took {built.seconds / 60:.1f} minutes")
    write_json(result, {"arbiters": [kind.name.lower() for kind in kinds], **built.row})
    tell(f"{built.bitstream}: {built.bitstream.stat().st_size:,} bytes")
    say(f"result: {result}")
    require_met(built)
