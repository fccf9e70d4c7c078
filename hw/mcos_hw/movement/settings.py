"""What the movement engines are told once: where tiers are, who may have how much of them."""

from collections.abc import Sequence
from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.control.bank import event_signature
from mcos_hw.link.movement import LEASE_WIDTH
from mcos_hw.movement.quotas import quota_layout
from mcos_hw.registers.movement import BASE_UNIT, LEASE_TICK_CLOCKS, movement_map

__all__ = [
    "SETTINGS",
    "MovementSettings",
]


SETTINGS = ("SET_UP", "SET_LEASE", "SET_BASE_HIGH", "SET_BASE", "SET_QUOTA", "SET_TAG")
"""Registers that set the engines up."""


class MovementSettings(wiring.Component):
    """Keeps the settings of the engines, and the lease clock.

    A setting holds from the clock after its event on. After reset no tier can be reached, no tenant
    may have a frame, each tenant's movement is charged to itself, and a lease lasts no time.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    <event> : In(event_signature(register))
        A write of each register in :data:`SETTINGS`, by lower-case name. Tiers and tenants that are
        none are ignored.
    bases, up, quota, movement_tags, lease : Out
        As :class:`mcos_hw.movement.movement.Movement` takes them.
    lease_clock : Out(LEASE_WIDTH)
        Ticks of :data:`mcos_hw.registers.movement.LEASE_TICK_CLOCKS` clocks since reset, modulo.
    """

    set_up: Any
    set_lease: Any
    set_base_high: Any
    set_base: Any
    set_quota: Any
    set_tag: Any
    bases: Sequence[Signal]
    up: Signal
    quota: data.View
    movement_tags: Sequence[Signal]
    lease_clock: Signal
    lease: Signal

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        registers = movement_map()
        tiers, channel = len(movement.frames), fabric.channel
        super().__init__(
            {
                **{name.lower(): In(event_signature(registers[name])) for name in SETTINGS},
                "bases": Out(channel.address_width).array(tiers),
                "up": Out(tiers),
                "quota": Out(quota_layout(fabric, movement)),
                "movement_tags": Out(channel.tenant_width).array(channel.tenants),
                "lease_clock": Out(LEASE_WIDTH),
                "lease": Out(LEASE_WIDTH),
            }
        )

    def elaborate(self, platform):
        m = Module()
        with m.If(self.set_up.stb):
            m.d.sync += self.up.eq(self.set_up.up)
        with m.If(self.set_lease.stb):
            m.d.sync += self.lease.eq(self.set_lease.ticks)
        high = Signal(32)
        with m.If(self.set_base_high.stb):
            m.d.sync += high.eq(self.set_base_high.address)
        base, quota, tag = self.set_base, self.set_quota, self.set_tag
        low = Const(0, (BASE_UNIT - 1).bit_length())
        for tier, kept in enumerate(self.bases):
            with m.If(base.stb & (base.tier == tier)):
                m.d.sync += kept.eq(Cat(low, base.address, high))
            for tenant in range(self.fabric.channel.tenants):
                with m.If(quota.stb & (quota.tier == tier) & (quota.tenant == tenant)):
                    m.d.sync += self.quota[tier][tenant].eq(quota.frames)
        # A tag is kept as what it differs by from that after reset.
        for tenant, shown in enumerate(self.movement_tags):
            differs = Signal.like(shown, name=f"differs_{tenant}")
            m.d.comb += shown.eq(differs ^ tenant)
            with m.If(tag.stb & (tag.tenant == tenant)):
                m.d.sync += differs.eq(tag.tag ^ tenant)
        ticks = Signal(range(LEASE_TICK_CLOCKS))
        m.d.sync += ticks.eq(ticks + 1)
        with m.If(ticks == LEASE_TICK_CLOCKS - 1):
            m.d.sync += [ticks.eq(0), self.lease_clock.eq(self.lease_clock + 1)]
        return m
