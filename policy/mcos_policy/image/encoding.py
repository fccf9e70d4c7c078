"""Images as words: made from settings, and read back."""

import dataclasses
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import Register, RegisterMap, channel_map
from mcos_hw.registers.image import (
    ALL_CHANNELS,
    HEADER_WORDS,
    IMAGE_MAGIC,
    IMAGE_VERSION,
    OPTIONAL_SECTIONS,
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
        Sizes of the channel, or of each channel.
    registers : RegisterMap
        Its register map, or the fabric's.
    settings : Settings
        What the image is to set; one element of ``tenants`` for each tag.
    label : int
        32-bit number that names the image.

    Raises
    ------
    ValueError
        If a value does not fit its field, the tenants are not as many as the tags, settings of
        each channel or port are not as many as these, the hardware has no settings of a fabric and
        there are some, or the label is not a 32-bit number.
    """
    if len(settings.tenants) != config.tenants:
        raise ValueError(
            f"settings must have one tenant for each of {config.tenants} tags, "
            f"not {len(settings.tenants)}"
        )
    if settings.channels and len(settings.channels) != registers.channels:
        raise ValueError(
            f"settings must be for each of {registers.channels} channels or for all, "
            f"not for {len(settings.channels)}"
        )
    if not 0 <= label < 1 << 32:
        raise ValueError(f"label must be in 0..2**32 - 1, not {label!r}")
    header = {
        HeaderWord.MAGIC: IMAGE_MAGIC,
        HeaderWord.VERSION: IMAGE_VERSION,
        HeaderWord.CAPABILITY: registers["CAPABILITY"].reset,
        HeaderWord.LIMITS: registers["LIMITS"].reset,
        HeaderWord.CLOCK: registers["CLOCK"].reset,
        HeaderWord.MAP_HASH: registers["MAP_HASH"].reset,
        HeaderWord.LABEL: label,
    }
    body = []
    for index, channel in enumerate(settings.channels):
        body += _section(registers, SectionKind.CHANNEL, index, _values(channel))
    if not settings.channels:
        body += _section(registers, SectionKind.CHANNEL, ALL_CHANNELS, _values(settings.channel))
    for tag, tenant in enumerate(settings.tenants):
        body += _section(registers, SectionKind.TENANT, tag, _values(tenant))
    if settings.fabric is not None:
        body += _section(registers, SectionKind.FABRIC, 0, _fabric(registers, settings.fabric))
    if settings.ports and len(settings.ports) != len(registers.ports):
        raise ValueError(
            f"settings must be for each of {len(registers.ports)} ports or for none, "
            f"not for {len(settings.ports)}"
        )
    for index, words_of_port in enumerate(settings.ports):
        name = Section(kind=SectionKind.PORTS, index=index, words=len(words_of_port))
        body += [name.pack(), *words_of_port]
    header[HeaderWord.WORDS] = HEADER_WORDS + len(body) + 1
    words = [header[place] for place in HeaderWord] + body
    words.append(zlib.crc32(_to_bytes(words)))
    return Image(words=tuple(words))


def _section(
    registers: RegisterMap,
    kind: SectionKind,
    index: int,
    values: Mapping[str, int],
) -> list[int]:
    """The words of a section, the one that names it first."""
    rows = registers.section(kind)
    words = [Section(kind=kind, index=index, words=len(rows)).pack()]
    for register in rows:
        words.append(register.pack(**{field.name: values[field.name] for field in register.fields}))
    return words


def _values(settings: ChannelSettings | TenantSettings) -> dict[str, int]:
    """The values of a section, by field."""
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}


def _fabric(registers: RegisterMap, given: Mapping[str, int]) -> dict[str, int]:
    """The values of the FABRIC section, by field."""
    fields = {field.name: field.reset for field in registers.section_fields(SectionKind.FABRIC)}
    unknown = sorted(given.keys() - fields.keys())
    if unknown or not fields:
        raise ValueError(
            f"settings of a fabric must be among those of {registers.name}, "
            f"{', '.join(fields) or 'which has none'}, not {', '.join(unknown) or 'given'}"
        )
    return {**fields, **given}


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

    first, *others = (
        ChannelSettings(**fields(SectionKind.CHANNEL, index))
        for index in range(_count(registers, SectionKind.CHANNEL, words))
    )
    return Settings(
        channel=first,
        tenants=tuple(
            TenantSettings(**fields(SectionKind.TENANT, tag))
            for tag in range(registers.sections()[SectionKind.TENANT])
        ),
        channels=(first, *others) if others else (),
        fabric=fields(SectionKind.FABRIC, 0)
        if _count(registers, SectionKind.FABRIC, words)
        else None,
        ports=tuple(
            tuple(
                words[register.name][port * register.each + element]
                for register, element in registers.section_words(SectionKind.PORTS)
            )
            for port in range(_count(registers, SectionKind.PORTS, words))
        ),
    )


def register_words(registers: RegisterMap, image: Image) -> dict[str, list[int]]:
    """Words of the image registers of a good image, by name: those of each section that sets it.

    A section for all channels counts as one. What an image leaves out has none.

    Raises
    ------
    ValueError
        If the image's sections are not those of the map.
    """
    words: dict[str, list[int]] = {
        register.name: [] for kind in SectionKind for register in registers.section(kind)
    }
    for register, word in _values_of(registers, image):
        words[register.name].append(word)
    for kind, count in registers.sections().items():
        allowed = {count}
        if kind in OPTIONAL_SECTIONS:
            allowed.add(0)
        if kind is SectionKind.CHANNEL:
            allowed.add(1)
        found = {len(words[each.name]) / each.each for each in registers.section(kind)}
        if len(found) != 1 or not found <= allowed:
            raise ValueError(
                f"an image must have a word for each image register of {registers.name}, "
                f"not {sum(map(len, words.values()))}; compile the contract again"
            )
    return words


def _values_of(registers: RegisterMap, image: Image) -> Iterator[tuple[Register, int]]:
    """Each value of an image's sections, with its register."""
    values = iter(image.words[HEADER_WORDS:-1])
    for word in values:
        kind = SectionKind(Section.unpack(word).kind)
        for register, _ in registers.section_words(kind):
            yield register, next(values, 0)


def _count(registers: RegisterMap, kind: SectionKind, words: Mapping[str, Sequence[int]]) -> int:
    """How many sections of a kind an image has."""
    return max((len(words[each.name]) // each.each for each in registers.section(kind)), default=0)


def _to_bytes(words: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)
