"""Simulators for cocotb: built once, whole, or not at all."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from amaranth.hdl import Instance, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_sim.building.verilator import BuildFailed
from mcos_sim.cosim.build import build

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


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def accumulator():
    return build(Accumulator(), name="accumulator")


def test_a_second_build_finds_the_first(accumulator):
    made = accumulator.executable.stat().st_mtime_ns
    again = build(Accumulator(), name="accumulator")
    assert again == accumulator
    assert again.executable.stat().st_mtime_ns == made
    assert "module accumulator(" in again.verilog.read_text()


def test_another_design_is_another_simulator(accumulator):
    other = build(Accumulator(step=2), name="accumulator")
    assert other.directory != accumulator.directory
    assert other.directory.parent == accumulator.directory.parent


def test_two_builders_at_once_make_one_simulator(accumulator, own_cache):
    # Only what is common to all designs is there already.
    copies = own_cache / "mcos" / "simulators"
    copies.mkdir(parents=True)
    for path in accumulator.directory.parent.glob("runtime-vpi-*"):
        if path.is_dir():
            shutil.copytree(path, copies / path.name)

    def one(_):
        return build(Accumulator(), name="twice")

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(one, range(2))
    assert first == second
    assert first.executable.exists()
    assert [path for path in copies.glob("twice-*") if path.is_dir()] == [first.directory]


def test_a_design_that_cannot_be_built_leaves_nothing(own_cache):
    with pytest.raises(BuildFailed, match=r"verilator must accept the design:\n(.|\n)*missing_mod"):
        build(Unbuildable(), name="unbuildable")
    assert [path for path in (own_cache / "mcos" / "simulators").iterdir() if path.is_dir()] == []
