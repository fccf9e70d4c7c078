"""Cores that constraint files are written for: emitted by ``mcos verilog``."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mcos_sim.errors import InternalError

__all__ = ["emit"]


def emit(arguments: Sequence[str], directory: Path) -> Path:
    """Emit a core into a folder, in a process of its own.

    Parameters
    ----------
    arguments : Sequence[str]
        Arguments of ``mcos verilog``, without where to write.
    directory : Path
        The folder.

    Returns
    -------
    Path
        The Verilog.

    Raises
    ------
    InternalError
        If there is none afterwards; the text ends with what the command said.
    """
    done = subprocess.run(
        [sys.executable, "-m", "mcos_sim", "verilog", *arguments, "-o", str(directory)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    record = next(directory.glob("*.json"), None)
    if done.returncode or record is None:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise InternalError(
            f"mcos verilog {' '.join(arguments)} must write a core, not stop with {said[-1]}"
        )
    return record.with_suffix(".v")
