"""CRC-32 of an image's words."""

from functools import reduce
from operator import xor

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Checksum"]


_POLYNOMIAL = 0xEDB8_8320
"""Of CRC-32 (ISO-HDLC, as Ethernet and zlib have it), lowest bit first."""


def _column(bit: int, width: int) -> int:
    """What bit ``bit`` of ``width`` that enter at once leaves in the register."""
    value = 1 << bit
    for _ in range(width):
        value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value


class Checksum(wiring.Component):
    """CRC-32 of words, lowest byte first, in one or two steps of a clock for each word.

    ``crc`` is that of all words since ``start``, from ``steps`` clocks after the last one on. With
    two steps there are two clocks from a word to the next at least, and a step is half as large.

    Parameters
    ----------
    steps : int
        Clocks that a word takes, 1 or 2.

    Members
    -------
    start : In(1)
        Forget every word, also one that is not finished.
    valid : In(1)
        ``word`` is the next word; not in a clock with ``start``.
    word : In(32)
        The word.
    crc : Out(32)
        The checksum.
    """

    start: Signal
    valid: Signal
    word: Signal
    crc: Signal

    def __init__(self, *, steps: int) -> None:
        self.steps = steps
        super().__init__({"start": In(1), "valid": In(1), "word": In(32), "crc": Out(32)})

    def elaborate(self, platform):
        m = Module()
        width = 32 // self.steps
        register = Signal(32, init=0xFFFF_FFFF)
        part = Signal(width)
        steps = Signal()
        m.d.comb += [self.crc.eq(~register), part.eq(self.word), steps.eq(self.valid)]
        if self.steps == 2:
            upper = Signal(width)
            pending = Signal()
            m.d.sync += [upper.eq(self.word[width:]), pending.eq(self.valid)]
            with m.If(pending):
                m.d.comb += [part.eq(upper), steps.eq(1)]

        # A step is linear: the bits that enter meet the lowest ones first, and each sum of two adds
        # its column to what moves down.
        entering = Signal(width)
        columns = [_column(bit, width) for bit in range(width)]
        m.d.comb += entering.eq(register ^ part)
        with m.If(self.start):
            m.d.sync += register.eq(0xFFFF_FFFF)
        with m.Elif(steps):
            for i in range(32):
                terms = [entering[bit] for bit in range(width) if columns[bit] >> i & 1]
                moved = [register[i + width]] if i + width < 32 else []
                m.d.sync += register[i].eq(reduce(xor, terms + moved))
        return m
