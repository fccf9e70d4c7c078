"""The protocol checker on pins: it passes what others drive, and fails a test in the clock."""

import functools

import pytest
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4 import Axi4Signature
from mcos_sim.cosim.build import build
from mcos_sim.cosim.run_tests import SimulationFailed, run

pytestmark = pytest.mark.cocotb

SIGNATURE = Axi4Signature(address_width=32, data_width=64, id_width=4)


class Wires(wiring.Component):
    """From one port to another; if ``broken``, ARVALID drops after it has waited a clock."""

    def __init__(self):
        manager = dict(SIGNATURE.members.items())
        down = {name for name, member in manager.items() if member.flow is Out}
        self.down, self.up = down, manager.keys() - down
        super().__init__(
            {
                "broken": In(1),
                **{
                    f"{side}_axi_{name}": way(member.shape)
                    for name, member in manager.items()
                    for side, way in zip(
                        ("s00", "m00"), (In, Out) if name in down else (Out, In), strict=True
                    )
                },
            }
        )

    def elaborate(self, platform):
        m = Module()
        waited = Signal()
        m.d.sync += waited.eq(self.m00_axi_arvalid & ~self.m00_axi_arready)
        for sources, to, of in ((self.down, "m00", "s00"), (self.up, "s00", "m00")):
            for name in sorted(sources):
                value = getattr(self, f"{of}_axi_{name}")
                if name == "arvalid":
                    value = Mux(self.broken & waited, 0, value)
                m.d.comb += getattr(self, f"{to}_axi_{name}").eq(value)
        return m


@functools.cache
def built():
    return build(Wires(), name="axi_wires")


def regress(directory, *, broken):
    run(
        built(),
        test_module="tests.sim.cosim.regress_axi_checker",
        directory=directory,
        seed=1,
        parameters={"broken": broken},
        timeout=60,
    )


def test_what_others_drive_passes(tmp_path):
    regress(tmp_path, broken=0)


def test_a_violation_fails_the_test_in_its_clock(tmp_path):
    words = r"clock \d+: m00_axi: AR must stay as it is until it is taken"
    with pytest.raises(SimulationFailed, match=words):
        regress(tmp_path, broken=1)
