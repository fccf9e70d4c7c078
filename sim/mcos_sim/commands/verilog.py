"""``mcos verilog``: a channel as Verilog, alone or behind AXI ports, with its register header."""

import dataclasses
import enum
import importlib
import shlex
from json import loads
from pathlib import Path
from typing import Annotated

import typer

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_hw.targets.wrapping import Memories, memories_name
from mcos_policy.files import write_together
from mcos_policy.samples import contract_words
from mcos_sim.commands.fabric_options import FabricOptions
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.commands.options import contract_argument
from mcos_sim.console import json_text, progress, require_outputs, tell, writing
from mcos_sim.errors import UserError

__all__ = [
    "EXAMPLE",
    "TARGETS",
    "arbiters_of",
    "command",
]


EXAMPLE = "mcos verilog fpga --tenants 4 -o build/verilog"

TARGETS = ("generic", "ulx3s")
"""Targets: any tool, or a board."""


class Top(enum.StrEnum):
    """What is written."""

    CHANNEL = "channel"
    AXI = "axi"


_MODULES = {Top.CHANNEL: "mcos_hw.targets.generic", Top.AXI: "mcos_hw.targets.axi"}

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
    top: Annotated[
        Top, typer.Option(help="The channel itself, or behind AXI ports and with data.")
    ] = Top.CHANNEL,
    target: Annotated[str, typer.Option(help=f"What for: {', '.join(TARGETS)}.")] = "generic",
    arbiter: Annotated[
        str, typer.Option(help=f"Who chooses the grants: {', '.join(_ARBITERS)}.")
    ] = "mcos",
    memories: Annotated[
        Memories,
        typer.Option(help="Memories as arrays, or as modules that macros take the place of."),
    ] = Memories.INFERRED,
    json: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also write the .json to PATH.", show_default=False),
    ] = None,
    *,
    hardware: HardwareOptions,
    fabric: FabricOptions,
) -> None:
    """Write channels as one self-contained Verilog-2005 file, and what goes with it.

    mcos.v is the hardware, mcos_inst.vh an instance to copy, mcos_tb.v a testbench for an image of
    mcos compile; mcos.sdc, .xdc and .lpf constrain the clock; mcos_registers.h, .rdl and .md are
    its registers for C, SystemRDL and people; mcos_client.h and mcos_example.c its driver in C;
    mcos.json its ports, sizes and hashes for programs.
    With --target ulx3s it is a whole board, whose sizes are fixed: mcos_ulx3s.v, its pins in
    mcos_ulx3s.lpf, and mcos_ulx3s.json; --arbiter mcos,fcfs has two channels side by side.
    With --top axi the names begin with mcos_axi: AXI4 ports in front of one channel or several, and
    a memory port behind each; mcos_axi_example.v is managers, memories and a testbench around it.
    With --memories wrapped each memory is a module of mcos_memories.v, for macros of an ASIC.
    The same arguments always give the same bytes.
    """
    from mcos_policy.hardware import hardware_words, option_words

    if target not in TARGETS:
        raise UserError(f"target must be one of {', '.join(TARGETS)}, not {target!r}; choose one")
    if target != "generic":
        _require_plain(contract, top, target, hardware, memories)
        fabric.require_none()
        _write_board(directory, target, arbiter, json)
        return
    if arbiter not in _ARBITERS:
        raise UserError(
            f"arbiter must be one of {', '.join(_ARBITERS)}, not {arbiter!r}; choose one"
        )
    of_target = importlib.import_module(_MODULES[top])
    names = list(of_target.NAMES)
    if memories is Memories.WRAPPED:
        names.append(memories_name(of_target.TOP))
    outputs = [*(directory / name for name in names), json]
    require_outputs(outputs, inputs=[contract], folders=[directory])
    words = ["--target", target, "--arbiter", arbiter]
    if memories is not Memories.INFERRED:
        words += ["--memories", memories.value]
    compiling = ""
    if top is Top.AXI:
        asked = fabric.config(contract, hardware)
        config = asked.channel
        # The ports decide how wide ids are, and no image knows.
        sizes = option_words(dataclasses.replace(config, id_width=ChannelConfig.id_width))
        words = ["--top", top.value, *words, *fabric.words(asked), *sizes]
        name = "CONTRACT" if contract is None else contract_words(contract)
        compiling = shlex.join(["mcos", "compile", name, *sizes, "-o", "IMAGE"])
        more = {"compile_command": compiling}
    else:
        fabric.require_none()
        asked = config = hardware.config(contract)
        words += option_words(config)
        more = {}
    regenerate = f"mcos verilog {shlex.join(words)} -o DIRECTORY"
    with progress(f"Writing Verilog for {config.tenants} tenants", None):
        files = of_target.files(
            asked, arbiter=_ARBITERS[arbiter], memories=memories, regenerate=regenerate, **more
        )
    written = {directory / name: text.encode() for name, text in files.items()}
    record = files[of_target.NAMES[-1]]
    beside = {} if json is None else {json: json_text(loads(record)).encode()}
    with writing(*written, *beside):
        write_together(written | beside)
    for path, data in written.items():
        tell(f"{path}: {len(data):,} bytes")
    tell(f"hardware: {hardware_words(config)}")
    if compiling:
        tell(f"image: {compiling}")


def arbiters_of(text: str) -> tuple[ArbiterKind, ...]:
    """The arbiters of a board's channels, one or several names with commas.

    Raises
    ------
    UserError
        If one is none.
    """
    names = text.split(",")
    for name in names:
        if name not in _ARBITERS:
            raise UserError(
                f"arbiter must be one of {', '.join(_ARBITERS)}, or several with commas, not "
                f"{name!r}; choose one"
            )
    return tuple(_ARBITERS[name] for name in names)


def _require_plain(
    contract: Path | None, top: Top, target: str, hardware: HardwareOptions, memories: Memories
) -> None:
    """Refuse sizes where the board decides them."""
    if contract is not None:
        given = contract_words(contract)
    elif top is not Top.CHANNEL:
        given = f"--top {top.value}"
    elif memories is not Memories.INFERRED:
        given = f"--memories {memories.value}"
    elif hardware != HardwareOptions():
        given = "options of hardware"
    else:
        return
    raise UserError(
        f"--target {target} must be alone, as the board has its own sizes, not with {given}; leave "
        "it out"
    )


def _write_board(directory: Path, target: str, arbiter: str, json: Path | None) -> None:
    """Write a board's files."""
    of_target = importlib.import_module(f"mcos_hw.targets.{target}")
    require_outputs([*(directory / name for name in of_target.NAMES), json], folders=[directory])
    kinds = arbiters_of(arbiter)
    regenerate = f"mcos verilog --target {target} --arbiter {arbiter} -o DIRECTORY"
    with progress(f"Writing Verilog for {target}", None):
        files = of_target.files(kinds, regenerate=regenerate)
    written = {directory / name: text.encode() for name, text in files.items()}
    record = files[of_target.NAMES[-1]]
    beside = {} if json is None else {json: json_text(loads(record)).encode()}
    with writing(*written, *beside):
        write_together(written | beside)
    for path, data in written.items():
        tell(f"{path}: {len(data):,} bytes")
