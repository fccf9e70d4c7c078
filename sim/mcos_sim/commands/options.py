"""Options that several commands have."""

import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "CORES",
    "Simulators",
    "Workers",
]


Simulators = Annotated[Path, typer.Option(help="Folder of built simulators.")]

Workers = Annotated[int, typer.Option(min=1, help="Processes.", show_default="one a core")]

CORES = os.cpu_count() or 1
