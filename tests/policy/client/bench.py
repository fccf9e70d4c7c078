"""Registers of cores as plain files, for clients that read them through a mapping."""

import struct
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
    words = [0] * (1 << registers.address_width - 2)
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
    words : int or list[int]
        Words of registers by name, from the first element on.
    """
    registers = registers or channel_map(config)
    found = core_words(config, registers)
    for name, value in words.items():
        place = registers[name].offset // 4
        row = value if isinstance(value, list) else [value]
        found[place : place + len(row)] = row
    path.write_bytes(bytes(before) + struct.pack(f"<{len(found)}I", *found))
    return path
