"""Equal modules become one, whatever Amaranth calls what crosses their boundaries."""

import re

from amaranth import *
from amaranth.back import rtlil
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_sim.building.sharing import repeated, shared


class Inner(wiring.Component):
    """Its outputs are parts of one value, which gets a port without a name of its own."""

    i: In(8)
    low: Out(4)
    high: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = memory.Memory(shape=8, depth=16, init=[])
        write, read = words.write_port(), words.read_port()
        m.d.comb += [
            write.en.eq(1),
            write.addr.eq(self.i),
            write.data.eq(self.i),
            read.addr.eq(~self.i),
            self.low.eq(read.data[:4]),
            self.high.eq(read.data[4:]),
        ]
        return m


class Outer(wiring.Component):
    i: In(8)
    low: Out(4)
    high: Out(4)

    def __init__(self, step):
        self.step = step
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = inner = Inner()
        m.d.comb += [
            inner.i.eq(self.i + self.step),
            self.low.eq(inner.low),
            self.high.eq(inner.high),
        ]
        return m


class Top(wiring.Component):
    i: In(8)
    o: Out(8)

    def elaborate(self, platform):
        m = Module()
        blocks = [Outer(step) for step in (1, 1, 2)]
        for k, block in enumerate(blocks):
            m.submodules[f"outer_{k}"] = block
            m.d.comb += block.i.eq(self.i)
        m.d.comb += self.o.eq(sum(block.low + block.high for block in blocks))
        return m


def design():
    return rtlil.convert(Top(), name="top", emit_src=False)


def modules(text):
    return re.findall(r"^module (\S+)", text, re.MULTILINE)


def test_equal_modules_are_one():
    text = design()
    assert re.search(r"port\$\d+\$", text), "nothing crosses a boundary without a name"
    assert len(modules(text)) == len({"top"}) + 3 * len({"outer", "inner"})
    # What is inside is the same in all three, and there are two kinds around it.
    assert len(modules(shared(text))) == len({"top", "outer", "other outer", "inner"})


def test_blocks_are_what_is_repeated_and_has_modules_inside():
    text, blocks = repeated(shared(design()), "top")
    (block,) = blocks
    assert re.fullmatch(r"top_outer_[01]", block)
    assert f"\\{block}" in modules(text)
    assert len(re.findall(rf"^  cell \\{block} ", text, re.MULTILINE)) == 2
