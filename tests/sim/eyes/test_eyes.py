"""Managers, memories and monitors that nobody here wrote drive and watch the emitted Verilog."""

import pytest

from tests.sim.eyes.bench import regress

pytestmark = pytest.mark.cocotb


def test_cocotbext_axi(tmp_path):
    regress("regress_cocotbext", tmp_path, rounds=2)


def test_avl_axi_which_sees_what_is_planted(tmp_path):
    regress("regress_avl", tmp_path, rounds=2)


@pytest.mark.soak
def test_many_more_bursts(tmp_path):
    for module, rounds in (("regress_cocotbext", 60), ("regress_avl", 40)):
        regress(module, tmp_path / module, rounds=rounds)
