"""Images as files: for the loader, for people, and for Verilog."""

import dataclasses
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.registers import RegisterMap, channel_map, fabric_map
from mcos_hw.registers.image import ALL_CHANNELS, HeaderWord, Section, SectionKind
from mcos_policy.files import write_together
from mcos_policy.hardware import option_words
from mcos_policy.image.encoding import Image, register_words

__all__ = [
    "image_files",
    "image_record",
    "write_image",
]


def image_record(
    image: Image,
    *,
    config: ChannelConfig,
    origin: Mapping[str, Any],
    names: Mapping[int, str] | None = None,
    fabric: FabricConfig | None = None,
) -> dict[str, Any]:
    """A readable record of a good image.

    Parameters
    ----------
    image : Image
        The image.
    config : ChannelConfig
        The hardware it was compiled for.
    origin : Mapping[str, Any]
        What it was compiled from.
    names : Mapping[int, str] or None
        Name of each tenant by tag.
    fabric : FabricConfig or None
        The fabric that it is for; None for a channel by itself.

    Returns
    -------
    dict[str, Any]
        ``contract``, ``config``, ``config_hash``, ``map_hash``, ``label``, ``crc``, ``words``,
        ``tenants``, names by tag, and ``registers``: for each register its elements, each with its
        fields by name; of a fabric ``channels`` as well.
    """
    registers = _map(config, fabric)
    rows = {
        name: [registers[name].unpack(word) for word in words]
        for name, words in register_words(registers, image).items()
    }
    return {
        **({} if fabric is None else {"channels": fabric.channels}),
        "config": dataclasses.asdict(config),
        "config_hash": config.hash,
        "contract": dict(origin),
        "crc": f"0x{image.crc:08x}",
        "label": f"0x{image.label:08x}",
        "map_hash": f"0x{image.words[HeaderWord.MAP_HASH]:08x}",
        "registers": rows,
        "tenants": {str(tag): name for tag, name in (names or {}).items()},
        "words": len(image.words),
    }


def write_image(
    image: Image,
    path: str | Path,
    *,
    config: ChannelConfig,
    origin: Mapping[str, Any],
    names: Mapping[int, str] | None = None,
    beside: Mapping[Path, bytes] | None = None,
    fabric: FabricConfig | None = None,
) -> tuple[Path, Path, Path]:
    """Write an image in its three forms.

    ``path`` is what the loader takes, ``path.json`` what people read, ``path.hex`` what Verilog's
    ``$readmemh`` reads, one 32-bit word a line.

    Parameters
    ----------
    image : Image
        A good image.
    path : str or Path
        Binary file; the other two get its name and a suffix. Missing folders are made.
    config : ChannelConfig
        The hardware it was compiled for.
    origin : Mapping[str, Any]
        What it was compiled from; ``name`` and ``sha256`` of the contract.
    names : Mapping[int, str] or None
        Name of each tenant by tag.
    beside : Mapping[Path, bytes] or None
        Other files that are new together with it.
    fabric : FabricConfig or None
        The fabric that it is for; None for a channel by itself.

    Returns
    -------
    tuple[Path, Path, Path]
        The files written: binary, JSON, hexadecimal.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    binary, side, readable = image_files(path)
    binary.parent.mkdir(parents=True, exist_ok=True)
    record = image_record(image, config=config, origin=origin, names=names, fabric=fabric)
    write_together(
        {
            binary: image.to_bytes(),
            side: (json.dumps(record, indent=2, sort_keys=True) + "\n").encode(),
            readable: _hex_text(image, _map(config, fabric), config=config, origin=origin).encode(),
            **(beside or {}),
        }
    )
    return binary, side, readable


def image_files(path: str | Path) -> tuple[Path, Path, Path]:
    """The files of an image, ``path`` first: for the loader, for people, for ``$readmemh``."""
    return Path(path), Path(f"{path}.json"), Path(f"{path}.hex")


def _map(config: ChannelConfig, fabric: FabricConfig | None) -> RegisterMap:
    return channel_map(config) if fabric is None else fabric_map(fabric)


def _hex_text(
    image: Image, registers: RegisterMap, *, config: ChannelConfig, origin: Mapping[str, Any]
) -> str:
    names = _names(image, registers)
    options = shlex.join(option_words(config))
    lines = [
        f"// Generated from {origin['name']} (sha256 {origin['sha256']}); do not edit.",
        f"// To regenerate: mcos compile {origin['name']} {options} -o IMAGE",
        *(f"{word:08x} // {name}" for word, name in zip(image.words, names, strict=True)),
    ]
    return "\n".join(lines) + "\n"


def _names(image: Image, registers: RegisterMap) -> list[str]:
    """What each word of a good image is called."""
    names = [word.name for word in HeaderWord]
    while len(names) < len(image.words) - 1:
        section = Section.unpack(image.words[len(names)])
        kind = SectionKind(section.kind)
        several = registers.sections()[kind] > 1 and section.index != ALL_CHANNELS
        index = f"[{section.index}]" if several else ""
        names.append(f"{kind.name}{index}: {section.words} words")
        for register, element in registers.section_words(kind):
            place = f"[{section.index * register.each + element}]" if register.each > 1 else index
            names.append(f"{register.name}{place}")
    return [*names, "CRC"]
