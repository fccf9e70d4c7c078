"""How many frames of each tier a tenant has, and may have."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.movement.frames import GivenFrame, given_frame_signature
from mcos_hw.primitive.select import at_index

__all__ = [
    "Quotas",
    "quota_layout",
]


def quota_layout(fabric: FabricConfig, movement: MovementConfig) -> data.ArrayLayout:
    """Frames that each tenant may have, by tier and tenant."""
    counts = data.ArrayLayout(unsigned(movement.frame_width + 1), fabric.channel.tenants)
    return data.ArrayLayout(counts, len(movement.frames))


class Quotas(wiring.Component):
    """Counts the frames of each tenant in each tier.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    quota : In(quota_layout)
        What each may have. A tenant that has more keeps it, and gets no further one.
    tenant : In(tenant_width)
        Who wants a frame.
    within : Out(tiers)
        Bit t: it may have another one of tier t.
    takes : In(tiers)
        Bit t: it takes one of tier t in this clock.
    given : In(GivenFrame), an array with one for each tier
        A frame is given back by its owner.
    """

    quota: data.View
    tenant: Signal
    within: Signal
    takes: Signal
    given: Sequence[GivenFrame]

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        tiers = len(movement.frames)
        super().__init__(
            {
                "quota": In(quota_layout(fabric, movement)),
                "tenant": In(fabric.channel.tenant_width),
                "within": Out(tiers),
                "takes": In(tiers),
                "given": In(given_frame_signature(fabric, movement)).array(tiers),
            }
        )

    def elaborate(self, platform):
        m = Module()
        for tier, given in enumerate(self.given):
            may = []
            for tenant in range(self.fabric.channel.tenants):
                has = Signal(self.movement.frame_width + 1, name=f"has_{tier}_{tenant}")
                takes = self.takes[tier] & (self.tenant == tenant)
                gives = given.stb & (given.tenant == tenant)
                m.d.sync += has.eq(has + takes - gives)
                may.append(has < self.quota[tier][tenant])
            m.d.comb += self.within[tier].eq(at_index(self.tenant, may))
        return m
