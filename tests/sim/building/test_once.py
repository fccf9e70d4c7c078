"""Equal modules are elaborated once where a design says so, and a run cannot tell."""

import re

from amaranth import *
from amaranth.back import rtlil
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_sim.building.once import emit_once, emitted
from mcos_sim.building.verilator import elaborated, verilog_of


class Counter(wiring.Component):
    """Adds what comes in; the count of those that were elaborated is the class's."""

    elaborations = 0

    i: In(8)
    o: Out(8)

    def elaborate(self, platform):
        Counter.elaborations += 1
        m = Module()
        with m.If(self.i != 0):
            m.d.sync += self.o.eq(self.o + self.i)
        return m


class Inverter(wiring.Component):
    """Has neither a clock nor a reset."""

    i: In(8)
    o: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(~self.i)
        return m


class Top(wiring.Component):
    i: In(8)
    o: Out(8)

    def elaborate(self, platform):
        m = Module()
        last = self.i
        for k, kind in enumerate((Counter, Inverter, Counter, Inverter)):
            m.submodules[f"{kind.__name__.lower()}_{k}"] = block = kind()
            m.d.comb += block.i.eq(last)
            last = block.o
        m.d.comb += self.o.eq(last)
        emit_once(m, "counter", ["counter_0", "counter_2"])
        emit_once(m, "inverter", ["inverter_1", "inverter_3"])
        return m


def modules(text):
    return re.findall(r"^module (\S+)", text, re.MULTILINE)


def test_each_kind_is_one_module():
    Counter.elaborations = 0
    design = elaborated(Top(), "top")
    assert Counter.elaborations == 1
    assert modules(design) == ["\\top", "\\counter", "\\inverter"]
    assert len(re.findall(r"^  cell \\counter ", design, re.MULTILINE)) == 2
    assert design.count("attribute \\top 1") == 1


def test_only_what_has_a_clock_is_given_one():
    text = verilog_of(elaborated(Top(), "top"))
    instances = re.findall(r"^  (counter|inverter) \S+ \((.*?)\);", text, re.MULTILINE | re.DOTALL)
    assert sorted((kind, ".clk(" in ports) for kind, ports in instances) == [
        *[("counter", True)] * 2,
        *[("inverter", False)] * 2,
    ]
    for _, ports in instances:
        assert {".i(", ".o("} <= set(re.findall(r"\.\w+\(", ports))


def test_elsewhere_a_design_stays_whole():
    Counter.elaborations = 0
    assert len(modules(rtlil.convert(Top(), name="top"))) == len({"top"}) + 4
    assert Counter.elaborations == 2


def test_designs_do_not_share_their_modules():
    with emitted() as outer:
        with emitted() as inner:
            rtlil.convert(Top(), name="top")
        assert set(inner) == {"counter", "inverter"}
        assert not outer
