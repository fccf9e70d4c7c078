"""Options that several commands have."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from mcos_sim.errors import UserError

__all__ = [
    "CORES",
    "Simulators",
    "Workers",
    "clock_span",
]


Simulators = Annotated[Path, typer.Option(help="Folder of built simulators.")]

Workers = Annotated[int, typer.Option(min=1, help="Processes.", show_default="one a core")]

CORES = os.cpu_count() or 1


def clock_span(option: str, text: str) -> tuple[int, int]:
    """First clock, and the clock after the last, of an option's ``A:B``.

    Raises
    ------
    UserError
        If it is not of that form, or A is not before B.
    """
    match = re.fullmatch(r"(\d+):(\d+)", text)
    if match is None or int(match[1]) >= int(match[2]):
        raise UserError(
            f"{option} must be two clocks A:B with A before B, not {text!r}; "
            f"for example {option} 1000:2000"
        )
    return int(match[1]), int(match[2])
