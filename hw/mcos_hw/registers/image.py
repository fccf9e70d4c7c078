"""The image format: what the policy compiler writes and the loader checks.

An image is a sequence of 32-bit little-endian words::

    word 0      magic       0x474D494D, "MIMG" read as bytes
    word 1      version     IMAGE_VERSION
    word 2      map_hash    RegisterMap.hash of the map the image was compiled for
    word 3      words       words in the whole image, header and CRC included
    word 4      label       number chosen by software, read back as LIVE_LABEL
    words 5..   payload     image registers in the order of RegisterMap.image_words
    last word   crc         CRC-32 (IEEE 802.3, zlib.crc32) of all bytes before it
"""

import enum

__all__ = [
    "HEADER_WORDS",
    "IMAGE_MAGIC",
    "IMAGE_VERSION",
    "HeaderWord",
    "ImageCode",
    "ImageState",
    "SectionKind",
]


IMAGE_MAGIC = int.from_bytes(b"MIMG", "little")
IMAGE_VERSION = 1


class HeaderWord(enum.IntEnum):
    """Index of each header word."""

    MAGIC = 0
    VERSION = 1
    MAP_HASH = 2
    WORDS = 3
    LABEL = 4


HEADER_WORDS = len(HeaderWord)


class SectionKind(enum.IntEnum):
    """Which part of the hardware a section of an image is for."""

    CHANNEL = 1
    """A channel: the image registers that are no arrays."""
    TENANT = 2
    """A tenant of a channel: its element of every array of image registers."""


class ImageState(enum.IntEnum):
    """Where the loader is."""

    EMPTY = 0
    """No image has been offered since reset or since the last commit."""
    RECEIVING = 1
    """An image has begun and is not complete."""
    CHECKING = 2
    """All words are in; values are being checked."""
    STAGED = 3
    """A good image is in the shadow registers; a commit makes it live."""
    REFUSED = 4
    """The image was refused; the code says why. The live image is untouched."""


class ImageCode(enum.IntEnum):
    """Why the last image or commit was refused."""

    NONE = 0
    """Nothing was refused since the image began."""
    MAGIC = 1
    """The first word is not the magic number."""
    VERSION = 2
    """The format version is not the one this hardware reads."""
    MAP_HASH = 3
    """The image was compiled for another register map."""
    WORDS = 4
    """The length is not the one this hardware's map needs."""
    CRC = 5
    """The checksum does not match the words received."""
    OVERSUBSCRIBED = 6
    """The sum of committed rates is over 0.85 of the channel's capacity."""
    FIELD = 7
    """A value is outside its field or breaks a relation between fields."""
    TRUNCATED = 8
    """A commit came before all words had arrived and been checked."""
    OVERLONG = 9
    """A word came after the last one."""
    NOT_STAGED = 10
    """A commit came with no image staged."""
