"""``mcos compile``: a contract to an image."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.commands.options import Contract
from mcos_sim.console import json_text, require_outputs, say, tell, writing
from mcos_sim.errors import UserError

if TYPE_CHECKING:
    from mcos_policy.compiler import Compiled

__all__ = [
    "EXAMPLE",
    "command",
    "compile_for",
]


EXAMPLE = "mcos compile decode-prefill -o build/decode-prefill.img"


def command(
    contract: Contract,
    image: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="IMAGE",
            help="Image to write; IMAGE.json and IMAGE.hex are written beside it.",
            show_default=False,
        ),
    ],
    json: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also write a summary as JSON.", show_default=False),
    ] = None,
    ports: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=16,
            help="AXI ports, for a contract that says at which of them tenants are.",
            show_default="as many as it names",
        ),
    ] = None,
    table_rows: Annotated[
        int, typer.Option(help="Rows of each port's tenant table, for such a contract.")
    ] = PortConfig.table_rows,
    axi_id_bits: Annotated[
        int, typer.Option(min=1, max=16, help="Bits of an ID at each port, for such a contract.")
    ] = PortConfig.id_width,
    *,
    hardware: HardwareOptions,
) -> None:
    """Compile a contract to the image that the hardware loads.

    With an interleave, power or ports in the contract it is the image of a fabric with all the
    contract's channels, else of one channel.

    The same contract always gives the same bytes. What each file is for: IMAGE for the loader,
    IMAGE.json for people, IMAGE.hex for $readmemh.
    """
    from mcos_policy.fabric_image import fabric_image
    from mcos_policy.image import image_files, write_image
    from mcos_policy.port_rows import last_port

    compiled = compile_for(contract, hardware=hardware)
    made, fabric = compiled.image, None
    asked = compiled.contract
    last = last_port(asked)
    if asked.fabric.interleave is not None or asked.power.asked or last is not None:
        fabric = _fabric(compiled, ports=ports, table_rows=table_rows, axi_id_bits=axi_id_bits)
        made = fabric_image(compiled, fabric)
    require_outputs([*image_files(image), json], inputs=[contract])
    summary = json_text(
        {
            "config_hash": compiled.config.hash,
            "contract": compiled.origin,
            "crc": f"0x{made.crc:08x}",
            "files": [str(file) for file in image_files(image)],
            "label": f"0x{made.label:08x}",
            "notes": [str(note) for note in compiled.notes],
            "warnings": [str(warning) for warning in compiled.warnings],
            "words": len(made.words),
        }
    )
    with writing(*image_files(image), json):
        write_image(
            made,
            image,
            config=compiled.config,
            origin=compiled.origin,
            names=compiled.names,
            beside={} if json is None else {json: summary.encode()},
            fabric=fabric,
        )
    tell(f"{image}: {len(made.words)} words, label 0x{made.label:08x}, CRC 0x{made.crc:08x}")


def _fabric(
    compiled: Compiled, *, ports: int | None, table_rows: int, axi_id_bits: int
) -> FabricConfig:
    """The fabric that a contract is compiled for."""
    from mcos_policy.fabric_image import fabric_around
    from mcos_policy.port_rows import last_port

    asked = compiled.contract
    try:
        return fabric_around(
            compiled.config,
            asked.fabric.channels,
            power=asked.power.asked,
            ports=ports or 1 + (last_port(asked) or 0),
            port=PortConfig(table_rows=table_rows, id_width=axi_id_bits),
        )
    except ValueError as error:
        raise UserError(f"{error}; choose other sizes, or another number of channels") from None


def compile_for(
    contract: Path,
    *,
    hardware: HardwareOptions | None = None,
    notes: bool = True,
    axi: bool = False,
    queue_depth: int = ChannelConfig.queue_depth,
) -> Compiled:
    """Compile a contract for the hardware that it and options ask for, remarks to stderr.

    Parameters
    ----------
    contract : Path
        Its file.
    hardware : HardwareOptions or None
        The options; None if a command has none.
    notes : bool
        Whether notes are said too, not warnings alone.
    axi : bool
        Whether it is for a channel behind AXI ports, whose beat is a clock's worth.
    queue_depth : int
        Requests that a channel behind AXI ports holds of each tenant.

    Raises
    ------
    UserError
        If no hardware has such sizes.
    ContractError
        If the contract is at fault.
    """
    from mcos_policy.compiler import compile_contract

    asked = hardware or HardwareOptions()
    compiled = compile_contract(contract, asked.default, options=asked.sizes)
    if axi:
        fitted = FabricConfig.around(compiled.config).channel
        default = dataclasses.replace(
            asked.default,
            beat_bytes=fitted.beat_bytes,
            max_beats=fitted.max_beats,
            queue_depth=queue_depth,
        )
        compiled = compile_contract(contract, default, options=asked.sizes)
    for remark in (*compiled.warnings, *(compiled.notes if notes else ())):
        say(remark)
    return compiled
