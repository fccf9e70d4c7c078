# amaranth: UnusedElaboratable=no
"""The way from Verilog to bits, with a design that takes seconds, and what is refused."""

import pytest
from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.lib import wiring

from mcos_hw.targets import ulx3s
from mcos_hw.targets.ecp5_pll import pll_for
from mcos_hw.targets.verilog import verilog_text
from mcos_sim.errors import HardwareError, UserError
from mcos_sim.synthesis import bitstream
from mcos_sim.synthesis.bitstream import Build, Placement, build, require_met, require_tools


class Counting(wiring.Component):
    """A counter on the lights, with the ports of the board."""

    def __init__(self):
        super().__init__(ulx3s.Ulx3sTop(ulx3s.board_config()).signature)

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = sync = ClockDomain(local=True, reset_less=True)
        clock, locked = Signal(), Signal()
        pll = pll_for(input_khz=25_000, output_khz=50_000)
        m.submodules.pll = pll.instance(clock=self.clk_25mhz, output=clock, locked=locked)
        count = Signal(24)
        m.d.sync += [count.eq(count + locked + self.btn_fire1), self.ftdi_rxd.eq(self.ftdi_txd)]
        m.d.comb += [sync.clk.eq(clock), self.led.eq(count[16:]), self.wifi_gpio0.eq(1)]
        return m


@pytest.mark.soak
def test_two_seeds_become_bits_that_are_the_same_each_time(tmp_path):
    verilog = verilog_text(Counting(), name=ulx3s.TOP, head=("A counter.",))

    def built(folder, steps):
        return build(verilog, clock_khz=50_000, seeds=2, directory=folder, on_step=steps.append)

    steps = []
    first = built(tmp_path / "one", steps)
    assert steps[0] == "synthesising"
    assert steps[-1] == "packing"
    assert [each.seed for each in first.placements] == [1, 2]
    for each in first.placements:
        assert each.achieved_mhz > 100
        assert 24 <= each.utilisation["ffs"] < 40
    require_met(first)
    bits = first.bitstream.read_bytes()
    # The preamble of an ECP5's bitstream (Lattice FPGA-TN-02039).
    assert bytes.fromhex("ffffbdb3") in bits
    # Made of the records of the steps, and made again.
    assert built(tmp_path / "one", []).row == first.row
    again = built(tmp_path / "two", [])
    assert again.bitstream.read_bytes() == bits
    speeds = [[each.achieved_mhz for each in one.placements] for one in (first, again)]
    assert speeds[0] == speeds[1]


def placement(seed, megahertz, folder):
    return Placement(
        seed=seed, achieved_mhz=megahertz, utilisation={}, seconds=1, configuration=folder
    )


def test_the_worst_seed_must_have_ten_per_cent_to_spare(tmp_path):
    def found(*speeds):
        placements = tuple(placement(k + 1, each, tmp_path) for k, each in enumerate(speeds))
        return Build(clock_mhz=50, placements=placements, seconds=1, bitstream=tmp_path)

    require_met(found(55.0, 60.0))
    with pytest.raises(HardwareError) as caught:
        require_met(found(60.0, 54.9, 58.0))
    assert str(caught.value).startswith(
        "the worst seed must reach 55.0 MHz, 50 MHz and 10 % to spare, not 54.9 MHz (seed 2), "
        "which is 0.1 MHz short; "
    )


def test_a_missing_tool_is_one_line(monkeypatch):
    monkeypatch.setattr(bitstream, "PLACER", "yowasp-nextpnr-none")
    with pytest.raises(
        UserError, match="needs the Python package yowasp-nextpnr-none, which is no"
    ):
        require_tools()
