"""A whole fabric under a power budget that its image sets: ports, loader, registers, governor."""

import dataclasses

import pytest

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.registers import fabric_map
from mcos_policy.interleave import Interleave
from mcos_policy.ports import TenantRow, credit_writes, shared_credits
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.axi.fabric import fabric_library, set_up
from mcos_sim.axi.session import Manager, Session
from mcos_sim.axi.settings import MemoryHabits, PortHabits, Region
from mcos_sim.axi.steady import ENDLESS

CHANNEL = ChannelConfig(
    tenants=4,
    queue_depth=8,
    bytes_per_clock=16,
    beat_bytes=16,
    max_beats=8,
    slots=64,
    stamp_width=24,
    lateness=0,
    monitors=False,
)
PORT = PortConfig(
    data_bytes=16, id_width=4, order_width=2, reads=32, read_units=256, writes=4, write_units=16
)
UNIT = 1 << CHANNEL.rate_fraction
EPOCH = 32_768
GUARANTEES = (4, 2, 0, 1)
PRIORITIES = (1, 0, 2, 3)
HABITS = PortHabits(
    budget=ENDLESS, writes=0, vary=False, unmapped=0, faulty=0, stray=0, length=8, size=4
)


def _settings(config: ChannelConfig, budget: float) -> Settings:
    tenants = tuple(
        TenantSettings(
            enable=1,
            work_conserving=1,
            priority=priority,
            committed_rate=guarantee * UNIT,
            committed_depth=64 * config.l_max if guarantee else 0,
            peak_rate=8 * UNIT,
            peak_depth=128 * config.l_max,
            inverse_weight=(1 << config.reciprocal_fraction) // max(1, guarantee),
            colours=1,
        )
        for guarantee, priority in zip(GUARANTEES, PRIORITIES, strict=True)
    )
    return Settings(
        channel=ChannelSettings(
            pacer_enable=1,
            pacer_rate=config.bytes_per_clock * UNIT,
            port_credit=16 * config.l_max,
            inverse_total_weight=(1 << config.total_reciprocal_fraction) // 8,
            promotion_interval=16,
        ),
        tenants=tenants,
        fabric={"power_enable": 1, "power_budget": int(budget * UNIT)},
    )


@pytest.mark.soak
def test_a_fabric_keeps_the_budget_of_its_image() -> None:
    """Demand is over the budget, but not steady on each channel: guarantees are those of a run."""
    around = FabricConfig.around(CHANNEL, channels=2, ports=(PORT,) * 4)
    fabric = dataclasses.replace(around, power=True)
    rows = [TenantRow(port=k, row=0, tenant=k, first=0, last=15) for k in range(4)]
    credits = credit_writes(fabric, shared_credits(fabric, rows))
    registers = fabric_map(fabric)
    library = fabric_library(fabric)
    for budget, infeasible in ((8, 0), (6.9, 1)):
        with Session(
            library,
            [Manager(ids=range(16), habits=HABITS) for _ in range(4)],
            writes=set_up(fabric, rows, _settings(fabric.channel, budget)) + credits,
            memory=MemoryHabits(),
            regions=[Region(base=0, size=1 << 20)],
            interleave=Interleave.default(2, fabric.block_width),
            seed=1,
        ) as session:
            first = before = session.run(session.run(0).clocks + EPOCH)
            for _ in range(4):
                after = session.run(before.clocks + EPOCH)
                assert not after.faults, after.first
                beats = [sum(each.read_beats for each in soak.memories) for soak in (before, after)]
                passed = (beats[1] - beats[0]) * fabric.beat_bytes / 2 / EPOCH
                if not infeasible:
                    assert passed == pytest.approx(budget, rel=0.02)
                before = after
            for guarantee, now, then in zip(GUARANTEES, before.ports, first.ports, strict=True):
                got = (now.bytes_read - then.bytes_read) / 2 / (4 * EPOCH)
                assert got >= 0.96 * guarantee
            status = session.read(registers["POWER_STATUS"].offset)
            assert registers["POWER_STATUS"].unpack(status)["infeasible"] == infeasible
            guaranteed = session.read(registers["POWER_GUARANTEED"].offset)
            assert guaranteed == sum(GUARANTEES) * UNIT
