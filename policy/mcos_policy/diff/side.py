"""One side of a comparison: a contract, or an image with what is known of it."""

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.registers import channel_map, fabric_map
from mcos_hw.registers.image import IMAGE_MAGIC, HeaderWord
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.diagnostics import ContractError, error, printable
from mcos_policy.image import Image, decode, hardware_of, image_files, refusal, told_fabric, unpack
from mcos_policy.origin import Origin
from mcos_policy.settings import Settings

__all__ = [
    "Side",
    "read_side",
]


_MAGIC = IMAGE_MAGIC.to_bytes(4, "little")
_LARGEST_FILE = 1 << 20
_TAG_DIGITS = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Side:
    """What is compared.

    Parameters
    ----------
    name : str
        Name of the file, as the user gave it.
    compiled : Compiled or None
        The contract; None for an image.
    image : Image
        The image, or that of the contract.
    config : ChannelConfig
        The hardware that it is for.
    names : dict[int, str]
        Names of tenants by tag, as far as they are known.
    fabric : FabricConfig or None
        A fabric that takes the image; None if it is for a channel by itself.
    """

    name: str
    compiled: Compiled | None
    image: Image
    config: ChannelConfig
    names: dict[int, str]
    fabric: FabricConfig | None = None

    @property
    def settings(self) -> Settings:
        """What the hardware is told."""
        registers = channel_map(self.config) if self.fabric is None else fabric_map(self.fabric)
        return unpack(registers, self.image)


def read_side(path: Path, *, default: ChannelConfig) -> Side:
    """Read a contract and compile it, or read an image and the record beside it.

    Parameters
    ----------
    path : Path
        The file.
    default : ChannelConfig
        Hardware for which a contract is compiled, as far as it asks for none itself.

    Raises
    ------
    ContractError
        If it is neither, or at fault.
    """
    data = _image_data(path)
    if data is None:
        compiled = compile_contract(path, default)
        return Side(
            name=str(path),
            compiled=compiled,
            image=compiled.image,
            config=compiled.config,
            names=compiled.names,
        )
    if len(data) > _LARGEST_FILE:
        raise _refused(path, "an image must have at most 1 MiB, not more; name another file")
    try:
        image = decode(data)
    except ValueError as error:
        raise _refused(path, str(error)) from None
    record = _record(path, image)
    config = _config(image, record)
    if config is None:
        found = f"0x{image.words[HeaderWord.MAP_HASH]:08x}"
        rule = f"an image must be of hardware that this version knows, not of a map {found}"
        raise _refused(path, f"{rule}; compile the contract again")
    fabric = told_fabric(image, config)
    refused = refusal(image.words, fabric or config)
    if refused is not None:
        rule = (
            f"an image must be one that the hardware takes, not one refused as {refused.code.name}"
        )
        raise _refused(path, f"{rule}: {refused.text}")
    return Side(
        name=str(path),
        compiled=None,
        image=image,
        config=config,
        names=_names(record),
        fabric=fabric,
    )


def _image_data(path: Path) -> bytes | None:
    """The bytes of an image; None for everything that does not begin as one."""
    try:
        with path.open("rb") as file:
            data = file.read(len(_MAGIC))
            return data + file.read(_LARGEST_FILE) if data == _MAGIC else None
    except (OSError, ValueError):
        return None


def _refused(path: Path, text: str) -> ContractError:
    return ContractError([error(Origin(name=str(path)), text)])


def _record(path: Path, image: Image) -> dict[str, Any]:
    """What the image's JSON beside it says; nothing if it is of another image or damaged."""
    _, beside, _ = image_files(path)
    try:
        with beside.open(encoding="utf-8") as file:
            record = json.loads(file.read(_LARGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    fits = isinstance(record, dict) and record.get("crc") == f"0x{image.crc:08x}"
    return record if fits else {}


def _config(image: Image, record: dict[str, Any]) -> ChannelConfig | None:
    """The hardware that an image is for: as recorded, else as its header tells."""
    told = record.get("config")
    candidates: list[dict[str, Any]] = [told] if isinstance(told, dict) else []
    for sizes in (*candidates, hardware_of(image)):
        with contextlib.suppress(TypeError, ValueError):
            config = ChannelConfig(**sizes)
            if channel_map(config).hash == image.words[HeaderWord.MAP_HASH]:
                return config
    return None


def _names(record: dict[str, Any]) -> dict[int, str]:
    """Names of tenants by tag in a record."""
    told = record.get("tenants")
    if not isinstance(told, dict):
        return {}
    return {
        int(tag): printable(name)
        for tag, name in told.items()
        if tag.isascii() and tag.isdigit() and len(tag) <= _TAG_DIGITS and isinstance(name, str)
    }
