# amaranth: UnusedElaboratable=no
"""Netlists of ECP5 cells, clock by clock beside the Verilog that they were made of."""

import json

import pytest
from amaranth.hdl import Cat, ClockDomain, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.memory import Memory

from mcos_hw.board.contents import contents
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_hw.registers.image import HeaderWord, ImageCode
from mcos_hw.targets import ulx3s
from mcos_hw.targets.ecp5_pll import pll_for
from mcos_hw.targets.verilog import verilog_text
from mcos_policy.client import ClientError
from mcos_policy.client.board import Board, Pattern
from mcos_policy.client.framed import FramedTransport
from mcos_policy.compiler import compile_contract
from mcos_policy.image import Image
from mcos_policy.samples import SAMPLES
from mcos_sim.board.netlist import build_netlist
from mcos_sim.board.simulated import simulated_board
from mcos_sim.synthesis.bitstream import synthesise

pytestmark = [pytest.mark.cocotb, pytest.mark.soak]

CONFIG = ulx3s.board_config()


class EveryCell(wiring.Component):
    """Random words through each kind of cell, with the ports of the board.

    Memories of 36, 18 and 9 bits a block are read and written in the same clocks, often at the same
    place; a memory of LUTs, a multiplier, a carry chain and a reset are beside them.
    """

    def __init__(self):
        super().__init__(ulx3s.Ulx3sTop(CONFIG).signature)

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = sync = ClockDomain(local=True)
        clock, locked = Signal(), Signal()
        pll = pll_for(input_khz=25_000, output_khz=40_000)
        m.submodules.pll = pll.instance(clock=self.clk_25mhz, output=clock, locked=locked)
        m.submodules.reset = ResetSynchronizer(~locked | self.btn_fire1, domain="sync")
        random = Signal(64, init=1)
        taps = random[63] ^ random[62] ^ random[60] ^ random[59]
        m.d.sync += random.eq(Cat(taps ^ self.ftdi_txd, random[:-1]))

        found = []
        for k, (depth, width, parts) in enumerate(((512, 64, 8), (1024, 18, 1), (2048, 9, 1))):
            memory = Memory(
                shape=width, depth=depth, init=[contents(n) % (1 << width) for n in range(depth)]
            )
            m.submodules[f"memory_{k}"] = memory
            write = memory.write_port(granularity=width // parts)
            read = memory.read_port()
            m.d.comb += [
                write.addr.eq(random[5:]),
                write.data.eq(random),
                write.en.eq(random[20:] & random[30:]),
                read.addr.eq(Mux(random[3], random[5:], random[11:])),
                read.en.eq(random[7]),
            ]
            found.append(read.data)
        m.submodules.luts = luts = Memory(shape=8, depth=16, init=range(16))
        write, read = luts.write_port(), luts.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(random[9:]),
            write.data.eq(random[15:]),
            write.en.eq(random[31]),
            read.addr.eq(random[40:]),
        ]
        products = Signal(36)
        signed = Signal(36)
        total = Signal(32)
        m.d.sync += [
            products.eq(random[:18] * random[18:36]),
            signed.eq(random[:18].as_signed() * random[18:36].as_signed()),
            total.eq(total + random[:32] - read.data),
        ]
        found += [read.data, products, signed, total]
        folded = Signal(8)
        m.d.sync += [
            folded.eq(
                sum((each[at : at + 8] for each in found for at in range(0, len(each), 8)), 0)
            ),
            self.ftdi_rxd.eq(folded.xor()),
        ]
        m.d.comb += [sync.clk.eq(clock), self.led.eq(folded), self.wifi_gpio0.eq(1)]
        return m


@pytest.fixture(scope="module")
def verilog():
    return verilog_text(EveryCell(), name=ulx3s.TOP, head=("One of each.",))


@pytest.fixture(scope="module")
def netlist(verilog, tmp_path_factory):
    return synthesise(verilog, directory=tmp_path_factory.mktemp("netlist")).netlist


def test_the_board_does_what_its_verilog_says(tmp_path):
    verilog = ulx3s.files((ArbiterKind.MCOS,), regenerate="this test")[f"{ulx3s.TOP}.v"]
    netlist = synthesise(verilog, directory=tmp_path).netlist
    image = compile_contract(SAMPLES["ulx3s"], ChannelConfig(tenants=4)).image
    words = list(image.words)
    words[HeaderWord.CLOCK] += 1
    with simulated_board(CONFIG, tmp_path, built=build_netlist(netlist, verilog)) as line:
        board = Board(FramedTransport(line))
        (lane,) = board.lanes
        with pytest.raises(ClientError) as caught:
            lane.load(Image(words=tuple(words)))
        assert caught.value.code is ImageCode.CLOCK
        assert lane.load(image).generation == 1
        board.map_ports()
        for tenant in range(3):
            board.generate(tenant, Pattern(interval=48, window=4, beats=8))
        board.generate(3, Pattern(window=16, beats=16, writes=1))
        board.clear()
        line.wait(10_000)
        (found,) = board.counts()
        assert all(each.wrong == 0 and each.answered > 100 for each in found)
        assert found[0].latency_mean < found[3].latency_mean
        # Software reads the monitor; both answer alike.
        board.metrics(0)
        assert line.differed() == 0


def differed(netlist, verilog, folder):
    """Clocks on which pins differ, of 10,000."""
    with simulated_board(CONFIG, folder, built=build_netlist(netlist, verilog)) as line:
        line.wait(10_000)
        return line.differed()


def test_every_cell_does_what_the_verilog_says(netlist, verilog, tmp_path):
    cells = json.loads(netlist.read_text())["modules"][ulx3s.TOP]["cells"]
    widths = {
        int(cell["parameters"]["DATA_WIDTH_A"], 2)
        for cell in cells.values()
        if cell["type"] == "DP16KD"
    }
    kinds = {cell["type"] for cell in cells.values()}
    assert widths == {9, 18, 36}
    assert kinds >= {"CCU2C", "LUT4", "MULT18X18D", "TRELLIS_DPR16X4", "TRELLIS_FF"}
    assert differed(netlist, verilog, tmp_path) == 0


def test_a_planted_mistake_in_a_cell_is_seen(netlist, verilog, tmp_path):
    design = json.loads(netlist.read_text())
    cells = design["modules"][ulx3s.TOP]["cells"]
    memory = next(cell for cell in cells.values() if cell["type"] == "DP16KD")
    first = memory["parameters"]["INITVAL_05"]
    memory["parameters"]["INITVAL_05"] = first[:-1] + ("1" if first[-1] == "0" else "0")
    planted = tmp_path / "planted.json"
    planted.write_text(json.dumps(design))
    assert differed(planted, verilog, tmp_path) > 0
