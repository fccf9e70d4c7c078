"""The cocotb regression: the whole controller in Verilog, with and without back-pressure."""

import dataclasses
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.cosim.engine import build_harness
from mcos_sim.cosim.run import run

pytestmark = pytest.mark.cocotb

SIMULATORS = Path("build/sim")
SEED = 2
TIMEOUT = 300


def regress(module, directory, *, paused, arbiter=ArbiterKind.MCOS, config=None):
    """Runs every cocotb test of a module of this folder; raises unless all of them pass."""
    config = config or ChannelConfig()
    run(
        build_harness(config, arbiter, directory=SIMULATORS),
        test_module=f"tests.sim.cosim.{module}",
        directory=directory,
        seed=SEED,
        parameters={
            "arbiter": arbiter.name,
            "config": dataclasses.asdict(config),
            "paused": paused,
        },
        timeout=TIMEOUT,
    )


with_and_without_pauses = pytest.mark.parametrize("paused", [False, True], ids=["free", "paused"])


@with_and_without_pauses
@pytest.mark.parametrize("module", ["regress_controller", "regress_contracts"])
def test_mcos(module, paused, tmp_path):
    regress(module, tmp_path, paused=paused)


def test_four_tenants(tmp_path):
    regress("regress_controller", tmp_path, paused=True, config=ChannelConfig(tenants=4))


@with_and_without_pauses
@pytest.mark.parametrize(
    "arbiter",
    [ArbiterKind.FCFS, ArbiterKind.ROUND_ROBIN, ArbiterKind.FIXED_PRIORITY],
    ids=lambda arbiter: arbiter.name.lower(),
)
def test_baselines(arbiter, paused, tmp_path):
    regress("regress_baselines", tmp_path, paused=paused, arbiter=arbiter)
