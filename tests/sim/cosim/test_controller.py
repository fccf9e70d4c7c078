"""The cocotb regression: the whole controller in Verilog, with and without back-pressure."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from tests.sim.cosim.regression import regress

pytestmark = pytest.mark.cocotb

with_and_without_pauses = pytest.mark.parametrize("paused", [False, True], ids=["free", "paused"])


EIGHT = ChannelConfig(tenants=8)
"""As many as the model's priorities."""

baselines = pytest.mark.parametrize(
    "arbiter",
    [ArbiterKind.FCFS, ArbiterKind.ROUND_ROBIN, ArbiterKind.FIXED_PRIORITY],
    ids=lambda arbiter: arbiter.name.lower(),
)


@with_and_without_pauses
@pytest.mark.parametrize("module", ["regress_controller", "regress_contracts"])
def test_mcos(module, paused, tmp_path):
    regress(module, tmp_path, paused=paused)


def test_four_tenants(tmp_path):
    regress("regress_controller", tmp_path, paused=True, config=ChannelConfig(tenants=4))


@with_and_without_pauses
def test_first_come_first_served(paused, tmp_path):
    regress("regress_baselines", tmp_path, paused=paused, arbiter=ArbiterKind.FCFS, config=EIGHT)


@pytest.mark.soak
@with_and_without_pauses
@baselines
def test_baselines_of_eight_tenants(arbiter, paused, tmp_path):
    regress("regress_baselines", tmp_path, paused=paused, arbiter=arbiter, config=EIGHT)


@pytest.mark.soak
@with_and_without_pauses
@baselines
def test_baselines_of_sixteen_tenants(arbiter, paused, tmp_path):
    regress("regress_baselines", tmp_path, paused=paused, arbiter=arbiter)
