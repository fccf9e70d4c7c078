"""CRC-32 of an image's words."""

from amaranth import *
from amaranth.lib import crc, wiring
from amaranth.lib.crc.catalog import CRC32_ETHERNET
from amaranth.lib.wiring import In, Out

__all__ = ["Checksum"]


class Checksum(wiring.Component):
    """CRC-32 of words, lowest byte first, in one or two steps of a clock for each word.

    ``crc`` is that of all words since ``start``, from ``steps`` clocks after the last one on. With
    two steps there are two clocks from a word to the next at least, and a step is a third as large.

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
        m.submodules.processor = processor = crc.Processor(CRC32_ETHERNET(data_width=width))
        m.d.comb += [
            processor.start.eq(self.start),
            processor.valid.eq(self.valid),
            processor.data.eq(self.word),
            self.crc.eq(processor.crc),
        ]
        if self.steps == 2:
            upper = Signal(width)
            pending = Signal()
            m.d.sync += [upper.eq(self.word[width:]), pending.eq(self.valid)]
            with m.If(pending):
                m.d.comb += [processor.valid.eq(~self.start), processor.data.eq(upper)]
        return m
