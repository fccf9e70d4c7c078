"""The flow from a small design to its figures, with the real tools."""

import importlib.util

import pytest
from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import InternalError
from mcos_sim.synthesis.asap7 import Asap7
from mcos_sim.synthesis.cache import Cache
from mcos_sim.synthesis.design import Design
from mcos_sim.synthesis.library import find_library
from mcos_sim.synthesis.memories import MEMORY_TIMING
from mcos_sim.synthesis.tool import has_opensta, run_yosys
from mcos_sim.synthesis.xilinx import UltraScalePlus

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("pyosys") is None, reason="pyosys is not installed"
    ),
]

CONFIG = ChannelConfig(tenants=4)


class Rows(wiring.Component):
    """A memory of 16 x 8, and what was read from it in the clock before summed up."""

    def __init__(self) -> None:
        super().__init__({"enable": In(1), "word": In(8), "total": Out(16)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.rows = rows = memory.Memory(shape=8, depth=16, init=[])
        write = rows.write_port()
        read = rows.read_port(domain="comb")
        place = Signal(4)
        taken = Signal(8)
        m.d.comb += [
            write.addr.eq(place),
            write.data.eq(self.word),
            write.en.eq(self.enable),
            read.addr.eq(place),
        ]
        m.d.sync += [place.eq(place + 1), taken.eq(read.data), self.total.eq(self.total + taken)]
        return m


class Small(wiring.Component):
    """``Rows`` as a queue."""

    enable: In(1)
    word: In(8)
    total: Out(16)

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = Rows()
        m.d.comb += [
            queue.enable.eq(self.enable),
            queue.word.eq(self.word),
            self.total.eq(queue.total),
        ]
        return m


@pytest.fixture
def design(tmp_path):
    return Design(CONFIG, cache=Cache(tmp_path), component=Small())


@pytest.mark.skipif(find_library() is None, reason="the ASAP7 liberty files are not here")
@pytest.mark.skipif(not has_opensta(), reason="OpenSTA is not installed")
def test_asap7_times_registers_and_memories(design):
    boxed = Asap7(queues="blackbox").measure(design, paths=10).row
    made = Asap7(queues="registers").measure(design, paths=10).row
    assert boxed["ffs"] == 4 + 8 + 16
    assert made["ffs"] == boxed["ffs"] + 16 * 8
    assert made["area_um2"] > boxed["area_um2"] > 0
    assert boxed["memories"] == {"memory_16x8_w1_ra": 1}
    assert made["memories"] == {}
    words = {path["path"]: path["ps"] for path in boxed["paths"]}
    assert words["queue.rows (r_data) -> queue.taken"] > MEMORY_TIMING.access_ps
    assert words["queue.place -> queue.rows (w_addr)"] > MEMORY_TIMING.setup_ps
    assert any(path["path"].endswith("add -> queue.total") for path in made["paths"])
    assert made["period_ps"] == max(path["ps"] for path in made["paths"])
    assert made["fmax_mhz"] == pytest.approx(1e6 / made["period_ps"], abs=0.1)


def test_ultrascale_counts_cells(design):
    row = UltraScalePlus().measure(design, paths=1).row
    assert row["ffs"] == 4 + 8 + 16
    assert row["luts"] > row["lutrams"] > 0
    assert row["fmax_mhz"] is None


def test_failing_pass_names_the_log(tmp_path):
    with pytest.raises(
        InternalError,
        match=r"(?s)the step broken must end .* not 1; log in .*broken\.log:.*no_such_file",
    ):
        run_yosys(["read_rtlil no_such_file"], directory=tmp_path, name="broken")
