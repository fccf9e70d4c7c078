"""The image format, version 2: what the policy compiler writes and the loader checks.

An image is a sequence of 32-bit little-endian words: a header, sections and a checksum::

    word 0      MAGIC       0x474D494D, "MIMG" read as bytes
    word 1      VERSION     IMAGE_VERSION
    word 2      CAPABILITY  \
    word 3      LIMITS       > what the register of that name reads on the hardware
    word 4      CLOCK       /  that the image is for
    word 5      MAP_HASH    RegisterMap.hash of that hardware's map
    word 6      WORDS       words in the whole image, header and checksum included
    word 7      LABEL       number chosen by software, read back as LIVE_LABEL
    words 8..   sections    each one word that names it, then its values
    last word   CRC         CRC-32 (IEEE 802.3, zlib.crc32) of all bytes before it

The first word of a section says which part of the hardware its values are for::

    bit   31          16 15     8 7      0
         +--------------+--------+--------+
         |    words     | index  |  kind  |
         +--------------+--------+--------+

``words`` counts the values after it, one word for each register of the kind in map order. The
sections of one kind stand in the order of their index; kinds stand in any order. A CHANNEL section
is for all channels, or there is one for each. Hardware with several channels has a FABRIC section
as well, and hardware with ports a PORTS section for each. An image may leave out a kind of these,
and what it sets stays as it is.
"""

import dataclasses
import enum

__all__ = [
    "ALL_CHANNELS",
    "HEADER_WORDS",
    "IMAGE_MAGIC",
    "IMAGE_VERSION",
    "OPTIONAL_SECTIONS",
    "HeaderWord",
    "ImageCode",
    "ImageState",
    "Section",
    "SectionKind",
]


IMAGE_MAGIC = int.from_bytes(b"MIMG", "little")
IMAGE_VERSION = 2

ALL_CHANNELS = 0xFF
"""Index of a CHANNEL section that is for every channel."""


class HeaderWord(enum.IntEnum):
    """Index of each header word."""

    MAGIC = 0
    VERSION = 1
    CAPABILITY = 2
    LIMITS = 3
    CLOCK = 4
    MAP_HASH = 5
    WORDS = 6
    LABEL = 7


HEADER_WORDS = len(HeaderWord)


class SectionKind(enum.IntEnum):
    """Which part of the hardware a section of an image is for."""

    CHANNEL = 1
    """A channel: the image registers that are no arrays."""
    TENANT = 2
    """A tenant of every channel: its element of every array of image registers."""
    FABRIC = 3
    """What there is one of in front of all channels."""
    PORTS = 4
    """A port: the rows of its tenant table, and how far it may fill the queue of each tenant."""


OPTIONAL_SECTIONS = (SectionKind.FABRIC, SectionKind.PORTS)
"""Kinds that an image may leave out: what they set stays as it is."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section:
    """The first word of a section.

    Parameters
    ----------
    kind : int
        A :class:`SectionKind`, if the word is a good one.
    index : int
        Which of its kind: a channel's number or ``ALL_CHANNELS``, a tenant's tag.
    words : int
        Words of the section after this one.
    """

    kind: int
    index: int
    words: int

    def pack(self) -> int:
        """The word."""
        return self.kind | self.index << 8 | self.words << 16

    @classmethod
    def unpack(cls, word: int) -> "Section":
        """The section that a word begins."""
        return cls(kind=word & 0xFF, index=word >> 8 & 0xFF, words=word >> 16)


class ImageState(enum.IntEnum):
    """Where the loader is."""

    EMPTY = 0
    """No image has been offered since reset or since the last commit."""
    RECEIVING = 1
    """An image has begun and is not complete."""
    CHECKING = 2
    """All words are in; the loader collects what the checkers say."""
    STAGED = 3
    """A good image is in the shadow registers; a commit makes it live."""
    REFUSED = 4
    """The image was refused; the code says why. The live image is untouched."""


class ImageCode(enum.IntEnum):
    """Why the last image or commit was refused."""

    meaning: str
    """The reason as a sentence, for those who only have the code."""

    def __new__(cls, value: int, meaning: str) -> "ImageCode":
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    NONE = 0, "Nothing was refused since the image began."
    MAGIC = 1, "The first word is not the magic number."
    VERSION = 2, "The format version is not the one this hardware reads."
    SIZES = 3, "The image is for hardware of other sizes."
    CLOCK = 4, "The image is for hardware of another clock."
    MAP_HASH = 5, "The image is for hardware of another register map."
    WORDS = 6, "The length is not one that an image for this hardware can have."
    SECTION_KIND = 7, "A section is of a kind that this hardware does not have."
    SECTION_INDEX = 8, "A section is for a channel or a tenant that this hardware does not have."
    SECTION_WORDS = 9, "A section has not as many words as its kind has registers."
    REPEATED = 10, "A section came before."
    MISSING = 11, "A section was left out, or the image ends within one."
    FIELD = 12, "A value is outside its field or breaks a rule."
    CRC = 13, "The checksum does not match the words received."
    OVERSUBSCRIBED = 14, "The sum of committed rates is over 0.85 of a channel's capacity."
    TRUNCATED = 15, "A commit came before all words had arrived and been checked."
    OVERLONG = 16, "A word came after the last one."
    NOT_STAGED = 17, "A commit came with no image staged."
    INTERLEAVE = 18, "The interleave of the FABRIC section gives two addresses the same place."
    FABRIC = 19, "A value of the FABRIC section is outside its field or breaks a rule."
    NOT_DRAINED = 20, "Addresses or colours would change while requests are under way; try again."
    PORTS = 21, "A value of a PORTS section, or a tenant or an ID that its rows name, is not there."
    CREDITS = 22, "The credits of a tenant in all PORTS sections are over its queue."
    EPOCH = 23, "A CHANNEL section has another epoch length than that of channel 0."
