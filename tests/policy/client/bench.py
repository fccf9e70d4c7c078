"""Registers of cores as plain files, for clients that read them through a mapping."""

import struct
from collections.abc import Mapping
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import RegisterMap, channel_map

__all__ = [
    "core_file",
    "core_words",
]


def core_words(config: ChannelConfig, registers: RegisterMap | None = None) -> list[int]:
    """Every word of a core's registers as they are after reset."""
    registers = registers or channel_map(config)
    words = [0] * (1 << registers.map_width - 2)
    for register in registers.registers:
        for index in range(register.count):
            words[register.offset // 4 + index] = register.reset
    return words


def core_file(
    path: Path,
    config: ChannelConfig,
    registers: RegisterMap | None = None,
    *,
    before: int = 0,
    parts: Mapping[tuple[str, int], int | list[int]] | None = None,
    **words: int | list[int],
) -> Path:
    """A file of a core's registers, some of which read something else.

    Parameters
    ----------
    path : Path
        The file.
    config : ChannelConfig
        Sizes of the core.
    registers : RegisterMap or None
        Its map; None is that of a channel.
    before : int
        Bytes before the first register.
    parts : Mapping or None
        The same as words, of registers of a part of the map's register file: by name and part.
    words : int or list[int]
        Words of registers by name, from the first element on.
    """
    registers = registers or channel_map(config)
    found = core_words(config, registers)
    of_parts = {registers.file.of(*each).offset: row for each, row in (parts or {}).items()}
    of_map = {registers[name].offset: row for name, row in words.items()}
    for offset, value in (of_map | of_parts).items():
        place = offset // 4
        row = value if isinstance(value, list) else [value]
        found[place : place + len(row)] = row
    path.write_bytes(bytes(before) + struct.pack(f"<{len(found)}I", *found))
    return path
