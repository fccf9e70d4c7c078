"""The coordinator in a whole fabric: a tenant whose port floods one of four channels."""

import dataclasses

import numpy as np
import pytest

from mcos_hw.config import COORDINATOR_INTERVAL, ChannelConfig, FabricConfig, PortConfig
from mcos_policy.interleave import Interleave
from mcos_policy.ports import TenantRow, credit_writes, shared_credits
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.axi.fabric import fabric_library, set_up
from mcos_sim.axi.session import Manager, Session
from mcos_sim.axi.settings import MemoryHabits, PortHabits, Region
from mcos_sim.axi.steady import ENDLESS

CHANNEL = ChannelConfig(
    tenants=4,
    queue_depth=16,
    bytes_per_clock=16,
    beat_bytes=16,
    max_beats=8,
    slots=64,
    stamp_width=24,
    lateness=0,
    monitors=False,
)
PORT = PortConfig(
    data_bytes=16, id_width=4, order_width=4, reads=64, read_units=1024, writes=16, write_units=128
)
CHANNELS = 4
GUARANTEES = (0.1, 0.15, 0.15, 0.15)
"""Parts of capacity; tenant 0 needs 0.4 of one channel, where the others have 0.45."""
WARM, CLOCKS = 20_000, 60_000


def settings(config, *, lends, budget):
    """An image with buckets of two intervals; the budget is a part of capacity."""
    whole = config.bytes_per_clock << config.rate_fraction
    depth = 2 << COORDINATOR_INTERVAL
    tenants = tuple(
        TenantSettings(
            enable=1,
            work_conserving=1,
            priority=0,
            committed_rate=int(part * whole),
            committed_depth=int(part * config.bytes_per_clock * depth),
            peak_rate=int(part * whole),
            peak_depth=int(part * config.bytes_per_clock * depth),
            inverse_weight=int((1 << config.reciprocal_fraction) * 0.05 / part),
            colours=1,
        )
        for part in GUARANTEES
    )
    channel = ChannelSettings(
        pacer_enable=1,
        pacer_rate=whole,
        port_credit=16 * config.l_max,
        inverse_total_weight=int((1 << config.total_reciprocal_fraction) * 0.05 / sum(GUARANTEES)),
        promotion_interval=16,
    )
    fabric = {"coordinator_enable": int(lends)}
    if budget is not None:
        fabric |= {"power_enable": 1, "power_budget": int(budget * whole)}
    return Settings(channel=channel, tenants=tenants, fabric=fabric)


def manager(port):
    """Port 0 asks one channel for all that it can, the others all channels."""
    habits = PortHabits(
        budget=ENDLESS,
        writes=0,
        window=64,
        vary=False,
        unmapped=0,
        faulty=0,
        stray=0,
        length=8,
        size=4,
        favours=0 if port else 1000,
    )
    return Manager(ids=range(16), habits=habits)


@pytest.mark.soak
def test_a_tenant_that_floods_one_of_four_channels_gets_its_guarantee():
    """Alone it gets less; with the coordinator all of it, under a power budget as well."""
    around = FabricConfig.around(CHANNEL, channels=CHANNELS, ports=(PORT,) * 4)
    fabric = dataclasses.replace(around, power=True)
    rows = [TenantRow(port=k, row=0, tenant=k, first=0, last=15) for k in range(4)]
    credits = credit_writes(fabric, shared_credits(fabric, rows))
    library = fabric_library(fabric)
    capacity = CHANNELS * fabric.beat_bytes * CLOCKS

    def served(**options):
        """Parts of its guarantee that each tenant got, and of capacity that all got."""
        with Session(
            library,
            [manager(k) for k in range(4)],
            writes=set_up(fabric, rows, settings(fabric.channel, **options)) + credits,
            memory=MemoryHabits(memory_vary=False, memory_capacity=64),
            regions=[Region(base=0, size=1 << 20)],
            interleave=Interleave.default(CHANNELS, fabric.block_width),
            seed=1,
        ) as session:
            begin = session.run(session.run(0).clocks + WARM)
            end = session.run(begin.clocks + CLOCKS)
        assert not end.faults, end.first
        got = np.array(
            [
                now.bytes_read - then.bytes_read
                for now, then in zip(end.ports, begin.ports, strict=True)
            ]
        )
        return got / capacity / GUARANTEES, got.sum() / capacity

    alone, _ = served(lends=False, budget=None)
    assert alone[0] < 0.9
    assert (alone[1:] >= 0.98).all()
    lent, _ = served(lends=True, budget=None)
    assert (lent >= 0.98).all()
    governed, passed = served(lends=True, budget=0.62)
    assert (governed >= 0.98).all()
    assert passed == pytest.approx(0.62, rel=0.02)
