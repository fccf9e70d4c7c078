"""Movement: commands about objects in, data moved by gates, one outcome for each command."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.inner import Inner, inner_signature
from mcos_hw.link.movement import LEASE_WIDTH, completion_signature, movement_command_signature
from mcos_hw.link.request import StructuredStream
from mcos_hw.movement.dma import Dma
from mcos_hw.movement.quotas import quota_layout
from mcos_hw.movement.residency import Residency

__all__ = ["Movement"]


class Movement(wiring.Component):
    """Keeps objects in frames of several tiers, at the inner port of a fabric.

    ::

        commands ──► Residency ──jobs, abort──► Dma ──► inner port
        completions ◄──┘  ▲                      │
                          └────────ends──────────┘

    The first address of a movement stands at the inner port four clocks after its command was
    taken, if nothing more urgent is there.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    number : int
        Which of its ports is the engine's; it is an inner one.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    commands, completions, bases, up, quota, movement_tags, lease_clock, lease, left
        As in :class:`mcos_hw.movement.residency.Residency`.
    inner
        As in :class:`mcos_hw.movement.dma.Dma`.
    """

    commands: StructuredStream
    completions: StructuredStream
    bases: Sequence[Signal]
    up: Signal
    quota: data.View
    movement_tags: Sequence[Signal]
    lease_clock: Signal
    lease: Signal
    left: Sequence[Signal]
    inner: Inner

    def __init__(self, fabric: FabricConfig, number: int, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.number = number
        self.movement = movement
        tiers, channel = len(movement.frames), fabric.channel
        super().__init__(
            {
                "commands": In(movement_command_signature(fabric, movement)),
                "completions": Out(completion_signature(fabric, movement)),
                "bases": In(channel.address_width).array(tiers),
                "up": In(tiers),
                "quota": In(quota_layout(fabric, movement)),
                "movement_tags": In(channel.tenant_width).array(channel.tenants),
                "lease_clock": In(LEASE_WIDTH),
                "lease": In(LEASE_WIDTH),
                "left": Out(movement.frame_width + 1).array(tiers),
                "inner": Out(inner_signature(fabric, fabric.ports[number])),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, movement = self.fabric, self.movement
        m.submodules.residency = residency = Residency(fabric, movement)
        m.submodules.dma = dma = Dma(fabric, self.number, movement)
        connect(m, flipped(self.commands), residency.commands)
        connect(m, residency.completions, flipped(self.completions))
        connect(m, residency.jobs, dma.jobs)
        connect(m, residency.abort, dma.abort)
        connect(m, dma.ends, residency.ends)
        connect(m, dma.inner, flipped(self.inner))
        m.d.comb += [
            residency.up.eq(self.up),
            residency.quota.eq(self.quota),
            residency.lease_clock.eq(self.lease_clock),
            residency.lease.eq(self.lease),
            *(
                inside.eq(outside)
                for inside, outside in zip(residency.bases, self.bases, strict=True)
            ),
            *(
                outside.eq(inside)
                for inside, outside in zip(residency.left, self.left, strict=True)
            ),
            *(
                inside.eq(outside)
                for inside, outside in zip(residency.movement_tags, self.movement_tags, strict=True)
            ),
        ]
        return m
