"""A memory that the package does not know runs behind a channel as those do that it knows."""

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.engines import model
from mcos_sim.lockstep.case import random_case
from mcos_sim.memory.simple import SIMPLE
from tests.sim.environment.distant import Distant

LATENCY = 300


def test_a_link_needs_nothing_but_its_model():
    case = random_case(ChannelConfig(), arbiter=ArbiterKind.MCOS, seed=4, clocks=3_000)
    scenario = case.scenario.with_channel(memory=Distant(), latency=LATENCY, credit=1 << 20)
    result = model.run_scenario(scenario)
    assert sum(len(tenant.granted) for tenant in result.tenants) > 100
    # From grant to command and from completion to response it is some clocks more.
    beyond = {
        int(each)
        for tenant in result.tenants
        for each in (tenant.completed[: len(tenant.granted)] - tenant.granted)[
            tenant.completed[: len(tenant.granted)] >= 0
        ]
    }
    assert min(beyond) > LATENCY
    plain = model.run_scenario(scenario.with_channel(memory=SIMPLE))
    assert not all(
        np.array_equal(ours.completed, theirs.completed)
        for ours, theirs in zip(result.tenants, plain.tenants, strict=True)
    )
