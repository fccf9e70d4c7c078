"""How a module of cocotb tests of this folder is run."""

import dataclasses

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.cosim.run_tests import run
from mcos_sim.engines.cocotb import build_harness

SEED = 2


def regress(module, directory, *, arbiter=ArbiterKind.MCOS, config=None, timeout=300, **parameters):
    """Runs every cocotb test of a module; raises unless all of them pass.

    ``parameters`` are for the tests, beside the arbiter's name and the sizes.
    """
    config = config or ChannelConfig()
    run(
        build_harness(config, arbiter),
        test_module=f"tests.sim.cosim.{module}",
        directory=directory,
        seed=SEED,
        parameters={
            "arbiter": arbiter.name,
            "config": dataclasses.asdict(config),
            **parameters,
        },
        timeout=timeout,
    )
