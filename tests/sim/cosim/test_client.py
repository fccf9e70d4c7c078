"""Runs the cocotb tests of a client."""

import pytest

from mcos_hw.config import ChannelConfig
from tests.sim.cosim.regression import regress

pytestmark = pytest.mark.cocotb


def test_a_client_speaks_to_the_rtl_through_the_bus(tmp_path):
    regress("regress_client", tmp_path, paused=False, config=ChannelConfig(tenants=4))
