"""Running cocotb tests, and not believing a run that proves nothing."""

import os
import threading
import time

import cocotb
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

from mcos_sim.cosim.build import build
from mcos_sim.cosim.run_tests import SimulationFailed, folder, parameters, run

pytestmark = pytest.mark.cocotb


class Accumulator(wiring.Component):
    i: In(8)
    o: Out(16)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o.eq(self.o + self.i)
        return m


@pytest.fixture(scope="module")
def accumulator():
    return build(Accumulator(), name="accumulator")


@cocotb.test()
async def accumulates(dut):
    Clock(dut.clk, 2, "ns").start()
    dut.rst.value = 1
    dut.i.value = 3
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    await FallingEdge(dut.clk)
    for clock in range(1, 6):
        assert int(dut.o.value) == 3 * clock
        await FallingEdge(dut.clk)


@cocotb.test()
async def leaves_what_it_got(dut):
    settings = parameters()
    (folder() / "got.txt").write_text(f"{settings['word']} {settings['list']}")
    await Timer(1, "ns")


@cocotb.test()
async def fails(dut):
    await Timer(1, "ns")
    word = int(dut.o.value)
    assert word == 99, f"o is {word}"


@cocotb.test()
async def dies(dut):
    os._exit(3)


@cocotb.test()
async def hangs(dut):
    while True:
        await Timer(1, "ns")


def test_a_good_test_passes(accumulator, tmp_path):
    run(
        accumulator,
        test_module=__name__,
        test_case="accumulates",
        directory=tmp_path / "run",
        seed=1,
    )
    assert "accumulates" in (tmp_path / "run" / "sim.log").read_text()
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "parameters.json",
        "results.xml",
        "sim.log",
    }


def test_links_in_the_folder_of_a_run_lead_nowhere(accumulator, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("as it was")
    names = ("sim.log", "results.xml", "parameters.json")
    for name in names:
        (tmp_path / name).symlink_to(outside)
    run(
        accumulator,
        test_module=__name__,
        test_case="accumulates",
        directory=tmp_path,
        seed=1,
    )
    assert outside.read_text() == "as it was"
    assert not any((tmp_path / name).is_symlink() for name in names)


def test_parameters_reach_the_test(accumulator, tmp_path):
    run(
        accumulator,
        test_module=__name__,
        test_case="leaves_what_it_got",
        directory=tmp_path,
        seed=1,
        parameters={"word": "ä", "list": [1, 2]},
    )
    assert (tmp_path / "got.txt").read_text() == "ä [1, 2]"


def test_no_module_is_taken_from_the_folder_of_a_run(accumulator, tmp_path, monkeypatch):
    """Somebody else may have filled it: the command's own default is one of a checkout."""
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # as the command sets it
    monkeypatch.chdir(tmp_path)
    for name in ("numpy", "pytest", "sitecustomize", "mcos_sim", "tests"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    run(
        accumulator,
        test_module=__name__,
        test_case="accumulates",
        directory=tmp_path,
        seed=1,
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("test_case", "message"),
    [
        ("fails", r"but 1 of 1 failed: see .*sim\.log\nfails: AssertionError: o is 0\nassert 0 =="),
        (None, r"must leave results, but ended without any \(exit code 3\)"),
        ("dies", r"must leave results, but ended without any \(exit code 3\)"),
        ("no_such_test", r"must run at least one test, but ran 0"),
        ("accumulate", r"must run at least one test, but ran 0"),
    ],
)
def test_a_run_that_proves_nothing_fails(accumulator, tmp_path, test_case, message):
    with pytest.raises(SimulationFailed, match=message):
        run(accumulator, test_module=__name__, test_case=test_case, directory=tmp_path, seed=1)


def test_skipped_tests_do_not_count(accumulator, tmp_path, monkeypatch):
    (tmp_path / "only_skipped.py").write_text(
        "import cocotb\n\n@cocotb.test(skip=True)\nasync def skipped(dut):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SimulationFailed, match="must run at least one test, but ran 0"):
        run(accumulator, test_module="only_skipped", directory=tmp_path, seed=1)


def test_an_earlier_result_is_not_believed(accumulator, tmp_path):
    run(accumulator, test_module=__name__, test_case="accumulates", directory=tmp_path, seed=1)
    with pytest.raises(SimulationFailed, match="ended without any"):
        run(accumulator, test_module=__name__, test_case="dies", directory=tmp_path, seed=1)


def test_a_run_ends_in_time(accumulator, tmp_path):
    with pytest.raises(SimulationFailed, match=r"^accumulator must end within 1\.5 s"):
        run(
            accumulator,
            test_module=__name__,
            test_case="hangs",
            directory=tmp_path,
            seed=1,
            timeout=1.5,
        )


@pytest.mark.cocotb
def test_a_run_can_be_stopped_and_leaves_no_simulator(accumulator, tmp_path):
    stop = threading.Event()
    timer = threading.Timer(1.0, stop.set)
    timer.start()
    with pytest.raises(SimulationFailed, match="was stopped"):
        run(
            accumulator,
            test_module=__name__,
            test_case="hangs",
            directory=tmp_path,
            seed=1,
            stop=stop,
        )
    timer.join()
    log = tmp_path / "sim.log"
    size = log.stat().st_size
    time.sleep(0.5)
    assert log.stat().st_size == size


def test_the_test_module_must_exist(accumulator, tmp_path):
    with pytest.raises(SimulationFailed, match="must name an importable module, not 'no_such'"):
        run(accumulator, test_module="no_such", directory=tmp_path, seed=1)
