"""Which fabric an image is for, as far as its words tell."""

import dataclasses
from collections import Counter

from mcos_hw.config import CHANNELS, ChannelConfig, FabricConfig, PortConfig
from mcos_hw.registers import channel_map, fabric_map
from mcos_hw.registers.image import HEADER_WORDS, HeaderWord, Section, SectionKind
from mcos_policy.image.encoding import Image

__all__ = ["told_fabric"]


def told_fabric(image: Image, config: ChannelConfig) -> FabricConfig | None:
    """A fabric that takes an image; None if the image is for a channel by itself, or for nothing.

    What the image does not tell of ports, such as the width of their IDs, is as large as can be.

    Parameters
    ----------
    image : Image
        The image.
    config : ChannelConfig
        Its channel's sizes.
    """
    capability = channel_map(config)["CAPABILITY"].unpack(image.words[HeaderWord.CAPABILITY])
    channels = capability["channels"]
    counts: Counter[int] = Counter()
    words: dict[int, int] = {}
    place = HEADER_WORDS
    while place < len(image.words) - 1:
        section = Section.unpack(image.words[place])
        counts[section.kind] += 1
        words[section.kind] = section.words
        place += 1 + section.words
    behind = counts.keys() & {SectionKind.FABRIC, SectionKind.PORTS}
    if channels not in CHANNELS or not (channels > 1 or behind):
        return None
    rows = max(2, words.get(SectionKind.PORTS, 0) - config.tenants) // 2
    units = max(PortConfig.read_units, config.max_beats * channels)
    try:
        port = PortConfig(
            data_bytes=8, id_width=16, table_rows=rows, read_units=units, write_units=units
        )
        ports = (port,) * max(1, counts[SectionKind.PORTS])
        fabric = FabricConfig.around(config, channels=channels, ports=ports)
        # A governor has settings of its own in the FABRIC section.
        plain = len(fabric_map(fabric).section_words(SectionKind.FABRIC))
        power = words.get(SectionKind.FABRIC, plain) > plain
        return dataclasses.replace(fabric, power=power)
    except ValueError:
        return None
