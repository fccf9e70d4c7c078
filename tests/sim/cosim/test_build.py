"""Building simulators: once, whole, or not at all."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from amaranth.hdl import Instance, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_sim.cosim.build import BuildFailed, build

pytestmark = pytest.mark.cocotb


class Accumulator(wiring.Component):
    i: In(8)
    o: Out(16)

    def __init__(self, *, step=1):
        self.step = step
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o.eq(self.o + self.i * self.step)
        return m


class Unbuildable(wiring.Component):
    o: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.part = Instance("missing_module", o_o=self.o)
        return m


@pytest.fixture(scope="module")
def simulators(tmp_path_factory):
    return tmp_path_factory.mktemp("simulators")


@pytest.fixture(scope="module")
def accumulator(simulators):
    return build(Accumulator(), name="accumulator", directory=simulators)


def test_a_second_build_finds_the_first(accumulator, simulators):
    made = accumulator.executable.stat().st_mtime_ns
    again = build(Accumulator(), name="accumulator", directory=simulators)
    assert again == accumulator
    assert again.executable.stat().st_mtime_ns == made
    assert "module accumulator(" in again.verilog.read_text()


def test_another_design_is_another_simulator(accumulator, simulators):
    other = build(Accumulator(step=2), name="accumulator", directory=simulators)
    assert other.directory != accumulator.directory
    assert other.directory.parent == accumulator.directory.parent


def test_two_builders_at_once_make_one_simulator(simulators):
    def one(_):
        return build(Accumulator(), name="twice", directory=simulators)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(one, range(2))
    assert first == second
    assert first.executable.exists()
    assert [path for path in simulators.glob("twice-*") if path.is_dir()] == [first.directory]


def test_a_design_that_cannot_be_built_leaves_nothing(tmp_path):
    with pytest.raises(BuildFailed, match=r"verilator must accept the design:\n(.|\n)*missing_mod"):
        build(Unbuildable(), name="unbuildable", directory=tmp_path)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
