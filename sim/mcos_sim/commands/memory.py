"""``mcos memory``: the memory models against another simulator's results."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from mcos_sim.console import output, require_outputs, write_json

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos memory check ../shared/oracle"


class Action(enum.StrEnum):
    """What to do."""

    CHECK = "check"


def command(
    action: Annotated[Action, typer.Argument(help="check: a folder of cases.")],
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Folder with summary.csv and the cases it names."),
    ],
    memory: Annotated[str, typer.Option(help="The device that the cases are of.")] = "hbm3",
    json: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also write the outcome as JSON.", show_default=False),
    ] = None,
) -> None:
    """Serve each case's requests and compare every command and every request with what it says.

    A case is three files, NAME_trace.csv, NAME_req.csv and NAME_cmd.csv; its scheduler and its
    refresh are in summary.csv. A line a case; exit code 1 if one differs.
    """
    from mcos_sim.memory.hbm import find_preset
    from mcos_sim.memory.hbm.oracle import check, read_cases

    require_outputs([json])
    preset = find_preset(memory)
    found = []
    for case in read_cases(directory, preset):
        outcome = check(case, preset)
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
        output.print(
            f"{case.name}: {outcome.requests:,} requests, {outcome.commands:,} commands: {told}",
            markup=False,
            soft_wrap=True,
        )
    differing = sum(not each["equal"] for each in found)
    if json is not None:
        write_json(json, {"cases": found, "differing": differing, "memory": preset.name})
    if differing:
        raise typer.Exit(1)
