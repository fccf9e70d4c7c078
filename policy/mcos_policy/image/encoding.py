"""Images as words: made from settings, and read back."""

import dataclasses
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import RegisterMap, channel_map
from mcos_hw.registers.image import (
    ALL_CHANNELS,
    HEADER_WORDS,
    IMAGE_MAGIC,
    IMAGE_VERSION,
    HeaderWord,
    Section,
    SectionKind,
)
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings

__all__ = [
    "Image",
    "decode",
    "encode",
    "hardware_of",
    "register_words",
    "told_sizes",
    "unpack",
]


_WORD_BYTES = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Image:
    """An image as its words; whether it is a good one, :func:`verify` says.

    Parameters
    ----------
    words : tuple[int, ...]
        32-bit words in the order in which the loader takes them.
    """

    words: tuple[int, ...]

    @property
    def label(self) -> int:
        """Number chosen by software, read back as LIVE_LABEL."""
        return self.words[HeaderWord.LABEL]

    @property
    def crc(self) -> int:
        """CRC-32 that the image claims."""
        return self.words[-1]

    def to_bytes(self) -> bytes:
        """The words in little-endian order."""
        return _to_bytes(self.words)


def encode(config: ChannelConfig, registers: RegisterMap, settings: Settings, label: int) -> Image:
    """Make an image.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of the channel.
    registers : RegisterMap
        Its register map.
    settings : Settings
        What the image is to set; one element of ``tenants`` for each tag.
    label : int
        32-bit number that names the image.

    Raises
    ------
    ValueError
        If a value does not fit its field, the tenants are not as many as the tags, or the label
        is not a 32-bit number.
    """
    if len(settings.tenants) != config.tenants:
        raise ValueError(
            f"settings must have one tenant for each of {config.tenants} tags, "
            f"not {len(settings.tenants)}"
        )
    if not 0 <= label < 1 << 32:
        raise ValueError(f"label must be in 0..2**32 - 1, not {label!r}")
    header = {
        HeaderWord.MAGIC: IMAGE_MAGIC,
        HeaderWord.VERSION: IMAGE_VERSION,
        HeaderWord.CAPABILITY: registers["CAPABILITY"].reset,
        HeaderWord.LIMITS: registers["LIMITS"].reset,
        HeaderWord.CLOCK: registers["CLOCK"].reset,
        HeaderWord.MAP_HASH: registers.hash,
        HeaderWord.WORDS: registers.image_length,
        HeaderWord.LABEL: label,
    }
    words = [header[place] for place in HeaderWord]
    words += _section(registers, SectionKind.CHANNEL, ALL_CHANNELS, settings.channel)
    for tag, tenant in enumerate(settings.tenants):
        words += _section(registers, SectionKind.TENANT, tag, tenant)
    words.append(zlib.crc32(_to_bytes(words)))
    return Image(words=tuple(words))


def _section(
    registers: RegisterMap,
    kind: SectionKind,
    index: int,
    settings: ChannelSettings | TenantSettings,
) -> list[int]:
    """The words of a section, the one that names it first."""
    rows = registers.section(kind)
    words = [Section(kind=kind, index=index, words=len(rows)).pack()]
    for register in rows:
        values = {field.name: getattr(settings, field.name) for field in register.fields}
        words.append(register.pack(**values))
    return words


def decode(data: bytes) -> Image:
    """The image in a binary file's bytes, good or not.

    Raises
    ------
    ValueError
        If the bytes are not whole words, or too few for a header and a checksum.
    """
    count, rest = divmod(len(data), _WORD_BYTES)
    if rest or count <= HEADER_WORDS:
        raise ValueError(
            f"an image must be at least {HEADER_WORDS + 1} words of {_WORD_BYTES} bytes, "
            f"not {len(data)} bytes; compile the contract again"
        )
    return Image(words=struct.unpack(f"<{count}I", data))


def hardware_of(image: Image) -> dict[str, Any]:
    """The sizes of the hardware that an image's header names, as ``ChannelConfig`` takes them."""
    return told_sizes(
        *(
            image.words[word]
            for word in (HeaderWord.CAPABILITY, HeaderWord.LIMITS, HeaderWord.CLOCK)
        )
    )


def told_sizes(capability: int, limits: int, clock: int) -> dict[str, Any]:
    """The sizes that the words of three registers tell, as ``ChannelConfig`` takes them.

    Parameters
    ----------
    capability, limits, clock : int
        Words of the registers of these names.
    """
    registers = channel_map(ChannelConfig())
    built = registers["CAPABILITY"].unpack(capability)
    limit = registers["LIMITS"].unpack(limits)
    return {
        "tenants": built["tenants"],
        "queue_depth": built["queue_depth"],
        "beat_bytes": built["beat_bytes"],
        "max_beats": limit["l_max"] // max(1, built["beat_bytes"]),
        "bytes_per_clock": limit["bytes_per_clock"],
        "lateness": limit["lateness"],
        "grant_interval": limit["grant_interval"],
        "clock_khz": clock,
    }


def unpack(registers: RegisterMap, image: Image) -> Settings:
    """The settings of a good image.

    Raises
    ------
    ValueError
        If the image's sections are not those of the map.
    """
    words = register_words(registers, image)

    def fields(kind: SectionKind, index: int) -> dict[str, int]:
        rows = (
            register.unpack(words[register.name][index]) for register in registers.section(kind)
        )
        return {name: value for row in rows for name, value in row.items()}

    return Settings(
        channel=ChannelSettings(**fields(SectionKind.CHANNEL, 0)),
        tenants=tuple(
            TenantSettings(**fields(SectionKind.TENANT, tag))
            for tag in range(registers.sections()[SectionKind.TENANT])
        ),
    )


def register_words(registers: RegisterMap, image: Image) -> dict[str, list[int]]:
    """Words of the image registers of a good image, by name: one for each element.

    Raises
    ------
    ValueError
        If the image's sections are not those of the map.
    """
    words: dict[str, list[int]] = {
        register.name: [] for kind in SectionKind for register in registers.section(kind)
    }
    values = iter(image.words[HEADER_WORDS:-1])
    for word in values:
        section = Section.unpack(word)
        for register in registers.section(SectionKind(section.kind)):
            words[register.name].append(next(values, 0))
    lengths = {name: len(each) for name, each in words.items()}
    if lengths != {name: registers[name].count for name in words}:
        raise ValueError(
            f"an image must have a word for each image register of {registers.name}, "
            f"not {sum(lengths.values())}; compile the contract again"
        )
    return words


def _to_bytes(words: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)
