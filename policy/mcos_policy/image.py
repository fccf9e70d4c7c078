"""The image: encoded, decoded, judged as the hardware judges it, and written to files."""

import dataclasses
import functools
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import RegisterMap, channel_map
from mcos_hw.registers.image import (
    HEADER_WORDS,
    IMAGE_MAGIC,
    IMAGE_VERSION,
    HeaderWord,
    ImageCode,
)
from mcos_policy.files import write_together
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings

__all__ = [
    "Image",
    "decode",
    "encode",
    "image_files",
    "image_record",
    "unpack",
    "verify",
    "write_image",
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

    @property
    def payload(self) -> tuple[int, ...]:
        """Words of the image registers."""
        return self.words[HEADER_WORDS:-1]

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
    words = [
        IMAGE_MAGIC,
        IMAGE_VERSION,
        registers.hash,
        HEADER_WORDS + registers.image_length + 1,
        label,
    ]
    for register, index in registers.image_words():
        owner = settings.channel if register.count == 1 else settings.tenants[index]
        values = {field.name: getattr(owner, field.name) for field in register.fields}
        words.append(register.pack(**values))
    words.append(zlib.crc32(_to_bytes(words)))
    return Image(words=tuple(words))


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


def unpack(registers: RegisterMap, image: Image) -> Settings:
    """The settings of a good image.

    Raises
    ------
    ValueError
        If the payload is not as long as the map's image registers.
    """
    channel: dict[str, int] = {}
    tenants: dict[int, dict[str, int]] = {}
    for (register, index), word in zip(registers.image_words(), image.payload, strict=True):
        owner = channel if register.count == 1 else tenants.setdefault(index, {})
        owner |= register.unpack(word)
    return Settings(
        channel=ChannelSettings(**channel),
        tenants=tuple(TenantSettings(**tenants[index]) for index in sorted(tenants)),
    )


def verify(words: Sequence[int], config: ChannelConfig) -> ImageCode:
    """What the hardware's loader says to an image, decided independently of how it was made.

    The rules stand in the loader's order; the first that is broken gives the code. Words are
    judged as they stream in, then the checksum, then the values. A missing word is noticed by the
    commit, and an extra one only by a good image: it is supposed to come when the values have been
    checked.

    Returns
    -------
    ImageCode
        ``NONE`` for an image that can be committed.
    """
    layout = _layout(config)
    for index, word in enumerate(words[: layout.length]):
        code = layout.streamed(index, word)
        if code is not ImageCode.NONE:
            return code
    if len(words) < layout.length:
        return ImageCode.TRUNCATED
    body = words[: layout.length]
    if zlib.crc32(_to_bytes(body[:-1])) != body[-1]:
        return ImageCode.CRC
    code = _judge(layout.values(body), config)
    if code is ImageCode.NONE and len(words) > layout.length:
        return ImageCode.OVERLONG
    return code


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Layout:
    """What a channel of one configuration expects of an image's words."""

    expected: Mapping[int, tuple[int, ImageCode]]
    masks: Mapping[int, int]
    fields: Mapping[str, tuple[tuple[int, int, int], ...]]
    length: int

    def streamed(self, index: int, word: int) -> ImageCode:
        """Judge one word by its place alone."""
        if index in self.expected:
            value, code = self.expected[index]
            return ImageCode.NONE if word == value else code
        if word & ~self.masks.get(index, 0xFFFF_FFFF):
            return ImageCode.FIELD
        return ImageCode.NONE

    def values(self, words: Sequence[int]) -> dict[str, list[int]]:
        """Value of each field by name, one for each element of its register."""
        return {
            name: [words[index] >> low & mask for index, low, mask in places]
            for name, places in self.fields.items()
        }


@functools.lru_cache(maxsize=8)
def _layout(config: ChannelConfig) -> _Layout:
    registers = channel_map(config)
    length = HEADER_WORDS + registers.image_length + 1
    masks: dict[int, int] = {}
    fields: dict[str, tuple[tuple[int, int, int], ...]] = {}
    for index, (register, _) in enumerate(registers.image_words(), start=HEADER_WORDS):
        masks[index] = register.mask
        for field in register.fields:
            place = (index, field.low, (1 << field.width) - 1)
            fields[field.name] = (*fields.get(field.name, ()), place)
    expected: dict[int, tuple[int, ImageCode]] = {
        HeaderWord.MAGIC: (IMAGE_MAGIC, ImageCode.MAGIC),
        HeaderWord.VERSION: (IMAGE_VERSION, ImageCode.VERSION),
        HeaderWord.MAP_HASH: (registers.hash, ImageCode.MAP_HASH),
        HeaderWord.WORDS: (length, ImageCode.WORDS),
    }
    return _Layout(expected=expected, masks=masks, fields=fields, length=length)


def _judge(values: dict[str, list[int]], config: ChannelConfig) -> ImageCode:
    if sum(values["committed_rate"]) > config.admissible_rate:
        return ImageCode.OVERSUBSCRIBED
    channel = {name: places[0] for name, places in values.items() if len(places) == 1}
    tenants = [
        {name: places[tag] for name, places in values.items() if len(places) > 1}
        for tag in range(config.tenants)
    ]
    good = _good_channel(channel, config) and all(_good_tenant(each, config) for each in tenants)
    return ImageCode.NONE if good else ImageCode.FIELD


def _good_channel(value: Mapping[str, int], config: ChannelConfig) -> bool:
    full_rate = config.bytes_per_clock << config.rate_fraction
    return (
        (not value["pacer_enable"] or 0 < value["pacer_rate"] <= full_rate)
        and value["port_credit"] >= config.l_max
        and value["promotion_interval"] > 0
        and 0 < value["inverse_total_weight"] <= 1 << config.total_reciprocal_fraction
    )


def _good_tenant(value: Mapping[str, int], config: ChannelConfig) -> bool:
    if not value["enable"]:
        return value["committed_rate"] == 0
    for bucket in ("committed", "peak"):
        least = config.l_max if value[f"{bucket}_rate"] else 0
        most = value[f"{bucket}_depth"] if value[f"{bucket}_rate"] else 0
        if not least <= value[f"{bucket}_depth"] <= most:
            return False
    return bool(
        value["committed_rate"] <= value["peak_rate"]
        and value["committed_depth"] <= value["peak_depth"]
        and (value["peak_rate"] or value["work_conserving"])
        and 0 < value["inverse_weight"] <= 1 << config.reciprocal_fraction
        and value["colours"] > 0
    )


def image_record(
    image: Image,
    *,
    config: ChannelConfig,
    origin: Mapping[str, Any],
    names: Mapping[int, str] | None = None,
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

    Returns
    -------
    dict[str, Any]
        ``contract``, ``config``, ``config_hash``, ``map_hash``, ``label``, ``crc``, ``words``,
        ``tenants``, names by tag, and ``registers``: for each register its elements, each with its
        fields by name.
    """
    registers = channel_map(config)
    rows: dict[str, list[dict[str, int]]] = {}
    for (register, _), word in zip(registers.image_words(), image.payload, strict=True):
        rows.setdefault(register.name, []).append(register.unpack(word))
    return {
        "config": dataclasses.asdict(config),
        "config_hash": config.hash,
        "contract": dict(origin),
        "crc": f"0x{image.crc:08x}",
        "label": f"0x{image.label:08x}",
        "map_hash": f"0x{registers.hash:08x}",
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
    record = image_record(image, config=config, origin=origin, names=names)
    write_together(
        {
            binary: image.to_bytes(),
            side: (json.dumps(record, indent=2, sort_keys=True) + "\n").encode(),
            readable: _hex_text(image, config=config, origin=origin).encode(),
            **(beside or {}),
        }
    )
    return binary, side, readable


def image_files(path: str | Path) -> tuple[Path, Path, Path]:
    """The files of an image, ``path`` first: for the loader, for people, for ``$readmemh``."""
    return Path(path), Path(f"{path}.json"), Path(f"{path}.hex")


def _hex_text(image: Image, *, config: ChannelConfig, origin: Mapping[str, Any]) -> str:
    names = [word.name for word in HeaderWord]
    names += [
        f"{register.name}[{index}]" if register.count > 1 else register.name
        for register, index in channel_map(config).image_words()
    ]
    names.append("CRC")
    lines = [
        f"// Generated from {origin['name']} (sha256 {origin['sha256']}); do not edit.",
        f"// To regenerate: mcos compile {origin['name']} --tenants {config.tenants} -o IMAGE",
        *(f"{word:08x} // {name}" for word, name in zip(image.words, names, strict=True)),
    ]
    return "\n".join(lines) + "\n"


def _to_bytes(words: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)
