"""What software reads of each of several channels."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.control.bank import Window, window_signature
from mcos_hw.link.readings import (
    PARTS_IN_STEP,
    CounterRead,
    PageRead,
    counter_read_signature,
    delayed_registers,
    page_read_signature,
)
from mcos_hw.registers import Register, RegisterFile

__all__ = ["ChannelPages"]


class ChannelPages(wiring.Component):
    """Reads a register of one of several channels.

    Each channel makes one word of its registers. These go through a tree, a register a step::

        clock        0       1       2       3       4       5 ...
        page.index   A
        index                A
        data                         D
        captured                             D
        word of the channel                          D
        page.word                                            D, after each step of the tree

    Parameters
    ----------
    config : ChannelConfig
        Sizes of each channel.
    file : RegisterFile
        Their registers; see :func:`mcos_hw.registers.channel_pages.channel_pages`.

    Members
    -------
    page : In(PageRead)
        The read; ``index`` and ``part`` stay until its word is there.
    <register> : In, an array with one for each channel
        What a single register of the file reads as, by lower-case name.
    <array> : Out(Window), an array with one for each channel
        The same of an array of the file.
    reading : Out(CounterRead), an array with one for each channel
        The read of a counter; only of compact channels with monitors.
    """

    page: PageRead
    reading: Sequence[CounterRead]
    utilisation: Sequence[Window]

    def __init__(self, config: ChannelConfig, file: RegisterFile) -> None:
        self.config = config
        self.file = file
        self.delayed = delayed_registers(config)
        members = {}
        for register in file.registers:
            window = Out(window_signature(register))
            member = window if register.count > 1 else In(register.mask.bit_length())
            members[register.name.lower()] = member.array(file.count)
        if self.delayed:
            members["reading"] = Out(counter_read_signature(config)).array(file.count)
        read = page_read_signature(file, delayed=bool(self.delayed))
        super().__init__({"page": In(read), **members})

    def elaborate(self, platform):
        m = Module()
        words = [self._channel_word(m, c) for c in range(self.file.count)]
        part = self.page.part
        while len(words) > 1:
            groups = [words[k : k + PARTS_IN_STEP] for k in range(0, len(words), PARTS_IN_STEP)]
            width = (len(groups[0]) - 1).bit_length()
            words = [Signal(32, name=f"of_{len(groups)}_{k}") for k in range(len(groups))]
            m.d.sync += [
                word.eq(Array(group)[part[:width]])
                for word, group in zip(words, groups, strict=True)
            ]
            part = part[width:]
        m.d.comb += self.page.word.eq(words[0])
        if self.delayed:
            m.d.comb += self.page.given.eq(Cat(each.given for each in self.reading).any())
            # The number of a register in the map of one channel, whose monitor is a page, too.
            address = self.page.index | 1 << len(self.page.index)
            for c, each in enumerate(self.reading):
                asked = self.page.asked & (self.page.part == c)
                m.d.comb += [each.asked.eq(asked), each.address.eq(address)]
        return m

    def _channel_word(self, m: Module, c: int) -> Signal:
        """The word of channel ``c``, four clocks after its index."""
        index = Signal.like(self.page.index, name=f"index_{c}")
        word = Signal(32, name=f"word_{c}")
        captured = {}
        m.d.sync += index.eq(self.page.index)
        for register in self.file.registers:
            name = register.name.lower()
            source = getattr(self, name)[c]
            if register.count > 1:
                m.d.comb += source.index.eq(index)
                source = source.data
            # A memory's output is late in its clock: it is captured before it is selected.
            captured[register.name] = Signal(len(source), name=f"captured_{name}_{c}")
            m.d.sync += captured[register.name].eq(source)
        with m.Switch(index):
            for register in self.file.registers:
                with m.Case(self._pattern(register)):
                    m.d.sync += word.eq(captured[register.name])
        return word

    def _pattern(self, register: Register) -> str:
        """The word addresses of a register in its page, as a pattern for a Switch."""
        width = (register.count - 1).bit_length()
        return f"{register.offset >> (2 + width):0{len(self.page.index) - width}b}" + "-" * width
