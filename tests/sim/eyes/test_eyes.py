"""Managers, memories and monitors that nobody here wrote drive and watch the emitted Verilog."""

import pytest

from mcos_sim.cosim.run_tests import SimulationFailed
from tests.sim.eyes.bench import regress

pytestmark = pytest.mark.cocotb


def test_cocotbext_axi_and_our_checker(tmp_path):
    regress("regress_cocotbext", tmp_path, rounds=1)


def test_avl_axi(tmp_path):
    regress("regress_avl", tmp_path, rounds=2)


def test_avl_axi_sees_a_flipped_bit(tmp_path):
    with pytest.raises(SimulationFailed, match="must be as written"):
        regress("regress_avl", tmp_path, rounds=1, planted=1)


def test_a_monitor_of_avl_axi_sees_a_transfer_wider_than_the_bus(tmp_path):
    with pytest.raises(SimulationFailed):
        regress("regress_avl", tmp_path, rounds=1, planted=2)
    assert "in sanity" in (tmp_path / "sim.log").read_text()


@pytest.mark.soak
def test_many_more_bursts(tmp_path):
    for module, rounds in (("regress_cocotbext", 60), ("regress_avl", 40)):
        regress(module, tmp_path / module, rounds=rounds)
