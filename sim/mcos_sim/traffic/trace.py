"""Reading a trace of any known format."""

import os

from mcos_sim.traffic import azure, mooncake
from mcos_sim.traffic.arrivals import Trace
from mcos_sim.traffic.lines import malformed, read_lines

__all__ = [
    "FORMATS",
    "read_trace",
]


FORMATS = (mooncake.FORMAT, azure.FORMAT)
"""Names of the formats that can be read and generated."""

_ABOVE_HEADERS = ("#TYPE ", "sep=")
"""What Export-Csv of Windows PowerShell, and spreadsheets, put in a line above the header."""


def read_trace(path: os.PathLike[str] | str, *, seed: int = 0) -> Trace:
    """Read a trace; its first line, not its name, tells the format.

    Parameters
    ----------
    path : path-like
        Mooncake JSON lines or Azure CSV.
    seed : int
        Seed that spreads arrivals inside the resolution of a Mooncake file.

    Raises
    ------
    UserError
        If the file cannot be read, has neither format, or a line is malformed; the text begins
        with ``path:line:``.
    """
    lines = read_lines(path)
    if lines[0][1].startswith(_ABOVE_HEADERS) and len(lines) > 1:
        del lines[0]
    number, first = lines[0]
    if first.lstrip().startswith("{"):
        return mooncake.parse_mooncake(lines, path=path, seed=seed)
    if any(name in first for name in azure.COLUMNS):
        return azure.parse_azure(lines, path=path)
    rule = f"a trace must begin with a JSON object or with the header {','.join(azure.COLUMNS)}"
    if first.lstrip().startswith("["):
        rule += "; write one request a line, without the brackets and commas of an array"
    raise malformed(path, number, rule, first)
