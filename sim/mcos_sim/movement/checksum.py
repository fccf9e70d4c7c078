"""CRC-32C, and what that of a piece is multiplied with, see :mod:`mcos_hw.movement.checksum`."""

from functools import cache

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.job import CHECKSUM_WIDTH
from mcos_hw.movement.checksum import first_weight

__all__ = [
    "crc32c",
    "weight_of",
]


_POLYNOMIAL = 0x82F63B78
"""Castagnoli's, reflected: bit 31 - k stands for x to the power of k."""


def _after_byte(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value


_AFTER_BYTE = [_after_byte(value) for value in range(256)]


def crc32c(message: bytes) -> int:
    """The CRC-32C of RFC 3720, appendix B.4."""
    remainder = (1 << CHECKSUM_WIDTH) - 1
    for byte in message:
        remainder = remainder >> 8 ^ _AFTER_BYTE[(remainder ^ byte) & 0xFF]
    return remainder ^ (1 << CHECKSUM_WIDTH) - 1


@cache
def weight_of(fabric: FabricConfig, movement: MovementConfig, piece: int) -> int:
    """The weight of a piece of a job, counted from 0: each is that of the one before, divided by x
    for each bit of a block."""
    if piece == 0:
        return first_weight(fabric, movement)
    weight = weight_of(fabric, movement, piece - 1)
    for _ in range(8 * fabric.channel.l_max):
        # Bit 31 is the one of x to the power of 0: divide what has none, after the polynomial.
        weight = (weight ^ _POLYNOMIAL) << 1 | 1 if weight >> 31 else weight << 1
    return weight
