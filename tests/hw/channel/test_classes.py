# amaranth: UnusedElaboratable=no
"""Classes of requests by what covers them."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.classes import class_of
from mcos_hw.channel.probe import NO_CLASS
from mcos_hw.registers import GrantClass
from tests.hw.channel.bench import simulate


class Classes(wiring.Component):
    committed_covers: In(1)
    peak_covers: In(1)
    work_conserving: In(1)
    class_code: Out(2)

    def elaborate(self, platform):
        m = Module()
        code = class_of(self.committed_covers, self.peak_covers, self.work_conserving)
        m.d.comb += self.class_code.eq(code)
        return m


@pytest.mark.parametrize(
    ("committed_covers", "peak_covers", "work_conserving", "class_code"),
    [
        (1, 1, 1, GrantClass.CONFORMING),
        (1, 0, 0, GrantClass.CONFORMING),
        (0, 1, 1, GrantClass.BURST),
        (0, 1, 0, GrantClass.BURST),
        (0, 0, 1, GrantClass.SCAVENGED),
        (0, 0, 0, NO_CLASS),
    ],
)
def test_the_class_of_a_request(committed_covers, peak_covers, work_conserving, class_code):
    async def testbench(bench):
        bench.set(
            committed_covers=committed_covers,
            peak_covers=peak_covers,
            work_conserving=work_conserving,
        )
        assert bench.get("class_code") == class_code

    simulate(Classes(), testbench)
