"""``mcos verilog``: a channel as Verilog, with its register header."""

import importlib
import shlex
from json import loads
from pathlib import Path
from typing import Annotated

import typer

from mcos_hw.registers import ArbiterKind
from mcos_policy.files import write_together
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.commands.options import contract_argument
from mcos_sim.console import json_text, progress, require_outputs, tell, writing
from mcos_sim.errors import UserError

__all__ = [
    "EXAMPLE",
    "TARGETS",
    "command",
]


EXAMPLE = "mcos verilog fpga --tenants 4 -o build/verilog"

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
    contract: Annotated[
        Path | None,
        contract_argument(
            "Contract whose [hardware] it is, TOML, or a sample's name.", show_default="none"
        ),
    ] = None,
    target: Annotated[str, typer.Option(help=f"What for: {', '.join(TARGETS)}.")] = "generic",
    arbiter: Annotated[
        str, typer.Option(help=f"Who chooses the grants: {', '.join(_ARBITERS)}.")
    ] = "mcos",
    json: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also write mcos.json to PATH.", show_default=False),
    ] = None,
    *,
    hardware: HardwareOptions,
) -> None:
    """Write a channel as one self-contained Verilog-2005 file, and what goes with it.

    mcos.v is the hardware, mcos_inst.vh an instance to copy, mcos_tb.v a testbench for an image of
    mcos compile; mcos.sdc, .xdc and .lpf constrain the clock; mcos_registers.h, .rdl and .md are
    its registers for C, SystemRDL and people; mcos_client.h and mcos_example.c its driver in C;
    mcos.json its ports, sizes and hashes for programs.
    The same arguments always give the same bytes.
    """
    from mcos_policy.hardware import hardware_words, option_words

    if target not in TARGETS:
        raise UserError(f"target must be one of {', '.join(TARGETS)}, not {target!r}; choose one")
    if arbiter not in _ARBITERS:
        raise UserError(
            f"arbiter must be one of {', '.join(_ARBITERS)}, not {arbiter!r}; choose one"
        )
    config = hardware.config(contract)
    of_target = importlib.import_module(f"mcos_hw.targets.{target}")
    outputs = [*(directory / name for name in of_target.NAMES), json]
    require_outputs(outputs, inputs=[contract], folders=[directory])
    words = ["--target", target, "--arbiter", arbiter, *option_words(config)]
    regenerate = f"mcos verilog {shlex.join(words)} -o DIRECTORY"
    with progress(f"Writing Verilog for {config.tenants} tenants", None):
        files = of_target.files(config, arbiter=_ARBITERS[arbiter], regenerate=regenerate)
    written = {directory / name: text.encode() for name, text in files.items()}
    more = {} if json is None else {json: json_text(loads(files["mcos.json"])).encode()}
    with writing(*written, *more):
        write_together(written | more)
    for path, data in written.items():
        tell(f"{path}: {len(data):,} bytes")
    tell(f"hardware: {hardware_words(config)}")
