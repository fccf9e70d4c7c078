"""``mcos verilog``: a channel as Verilog, with its register header."""

import importlib
from json import loads
from pathlib import Path
from typing import Annotated

import typer

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.files import write_together
from mcos_sim.console import json_text, progress, require_outputs, tell, writing
from mcos_sim.errors import UserError

__all__ = [
    "EXAMPLE",
    "TARGETS",
    "command",
]


EXAMPLE = "mcos verilog --target generic -o build/verilog"

TARGETS = ("generic",)
"""Targets, each a module ``mcos_hw.targets.<name>`` with a function ``files``."""

_ARBITERS: dict[str, ArbiterKind] = {
    kind.name.lower().replace("_", "-"): kind for kind in ArbiterKind
}


def command(
    directory: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIRECTORY", help="Folder to write to.", show_default=False
        ),
    ],
    target: Annotated[str, typer.Option(help=f"What for: {', '.join(TARGETS)}.")] = "generic",
    tenants: Annotated[int, typer.Option(help="Tenant tags of the hardware: 4, 8 or 16.")] = 16,
    arbiter: Annotated[
        str, typer.Option(help=f"Who chooses the grants: {', '.join(_ARBITERS)}.")
    ] = "mcos",
    json: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also write mcos.json to PATH.", show_default=False),
    ] = None,
) -> None:
    """Write a channel as one self-contained Verilog-2005 file, with its register map.

    mcos.v is the hardware; mcos_registers.h, .rdl and .md its registers for C, SystemRDL and
    people; mcos.json its ports, sizes and hashes for programs. The same arguments always give the
    same bytes.
    """
    if target not in TARGETS:
        raise UserError(f"target must be one of {', '.join(TARGETS)}, not {target!r}; choose one")
    if arbiter not in _ARBITERS:
        raise UserError(
            f"arbiter must be one of {', '.join(_ARBITERS)}, not {arbiter!r}; choose one"
        )
    try:
        config = ChannelConfig(tenants=tenants)
    except ValueError as error:
        raise UserError(f"{error}; the hardware has 4, 8 or 16 tags") from None

    of_target = importlib.import_module(f"mcos_hw.targets.{target}")
    require_outputs([*(directory / name for name in of_target.NAMES), json], folders=[directory])
    regenerate = (
        f"mcos verilog --target {target} --tenants {tenants} --arbiter {arbiter} -o DIRECTORY"
    )
    with progress(f"Writing Verilog for {tenants} tenants", None):
        files = of_target.files(config, arbiter=_ARBITERS[arbiter], regenerate=regenerate)
    written = {directory / name: text.encode() for name, text in files.items()}
    more = {} if json is None else {json: json_text(loads(files["mcos.json"])).encode()}
    with writing(*written, *more):
        write_together(written | more)
    for path, data in written.items():
        tell(f"{path}: {len(data):,} bytes")
