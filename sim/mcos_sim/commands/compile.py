"""``mcos compile``: a contract to an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcos_hw.config import ChannelConfig
from mcos_sim.commands.options import Contract
from mcos_sim.console import json_text, require_outputs, say, tell, writing
from mcos_sim.errors import UserError

if TYPE_CHECKING:
    from mcos_policy.compiler import Compiled

__all__ = [
    "EXAMPLE",
    "command",
    "compile_for",
    "config_for",
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
    tenants: Annotated[int, typer.Option(help="Tenant tags of the hardware: 4, 8 or 16.")] = 16,
) -> None:
    """Compile a contract to the image that the hardware loads.

    The same contract always gives the same bytes. What each file is for: IMAGE for the loader,
    IMAGE.json for people, IMAGE.hex for $readmemh.
    """
    from mcos_policy.image import image_files, write_image

    compiled = compile_for(contract, tenants=tenants)
    require_outputs([*image_files(image), json], inputs=[contract])
    summary = json_text(
        {
            "config_hash": compiled.config.hash,
            "contract": compiled.origin,
            "crc": f"0x{compiled.image.crc:08x}",
            "files": [str(file) for file in image_files(image)],
            "label": f"0x{compiled.image.label:08x}",
            "notes": [str(note) for note in compiled.notes],
            "warnings": [str(warning) for warning in compiled.warnings],
            "words": len(compiled.image.words),
        }
    )
    with writing(*image_files(image), json):
        write_image(
            compiled.image,
            image,
            config=compiled.config,
            origin=compiled.origin,
            names=compiled.names,
            beside={} if json is None else {json: summary.encode()},
        )
    tell(
        f"{image}: {len(compiled.image.words)} words, label 0x{compiled.image.label:08x}, "
        f"CRC 0x{compiled.image.crc:08x}"
    )


def compile_for(contract: Path, *, tenants: int, notes: bool = True) -> Compiled:
    """Compile a contract for the default channel with some number of tags, remarks to stderr.

    Parameters
    ----------
    contract : Path
        Its file.
    tenants : int
        Tags of the hardware.
    notes : bool
        Whether notes are said too, not warnings alone.

    Raises
    ------
    UserError
        If no channel has that many tags.
    ContractError
        If the contract is at fault.
    """
    from mcos_policy.compiler import compile_contract

    compiled = compile_contract(contract, config_for(tenants))
    for remark in (*compiled.warnings, *(compiled.notes if notes else ())):
        say(remark)
    return compiled


def config_for(tenants: int) -> ChannelConfig:
    """The default channel with some number of tags.

    Raises
    ------
    UserError
        If no channel has that many.
    """
    try:
        return ChannelConfig(tenants=tenants)
    except ValueError as error:
        raise UserError(f"{error}; the hardware has 4, 8 or 16 tags") from None
