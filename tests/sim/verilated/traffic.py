"""Traffic of a contract for hardware that a test runs by hand."""

import numpy as np

from mcos_hw.registers import ArbiterKind
from mcos_policy.compiler import Compiled
from mcos_sim.environment.environment import environment
from mcos_sim.scenario import FIRST_CLOCK, Channel, Scenario, one_port
from mcos_sim.traffic.plan import plan_traffic
from mcos_sim.traffic.requesters import plan_streams

__all__ = ["scenario_of"]


def scenario_of(compiled: Compiled, *, clocks: int) -> tuple[Scenario, np.ndarray]:
    """What a contract's tenants ask by default, and the environment that asks it."""
    plan = plan_traffic(compiled, file=None, options=(), run_clocks=clocks - FIRST_CLOCK)
    streams, _ = plan_streams(plan, compiled, first=FIRST_CLOCK, end=clocks, seed=1)
    scenario = Scenario(
        name="client",
        arbiter=ArbiterKind.MCOS,
        config=compiled.config,
        image=compiled.image.words,
        ports=one_port(streams),
        channels=(Channel(latency=116, credit=compiled.settings.channel.port_credit),),
        clocks=clocks,
        seed=1,
    )
    return scenario, environment(scenario)
