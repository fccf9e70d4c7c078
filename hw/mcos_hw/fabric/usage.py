"""Keeps what the tenants of a channel used until the coordinator looks."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In

from mcos_hw.config import FabricConfig
from mcos_hw.link.usage import Sighting, Usage, sighting_signature, usage_signature, used_width
from mcos_hw.primitive.select import at_index

__all__ = ["ChannelUsage"]


class ChannelUsage(wiring.Component):
    """Counts what each tenant's conforming grants take, and remembers who was short of tokens.

    The counts run on for ever: who reads them takes differences, so no count is lost in the clock
    of a reading. Neither they nor their reader's memory is cleared by a reset.

    ::

        clock        0       1
        tenant      |i      |
        answer              |as in 0|

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    usage : In(Usage)
        What happens in the channel in this clock.
    sighting : In(Sighting)
        Whose usage the coordinator wants.
    """

    usage: Usage
    sighting: Sighting

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        super().__init__(
            {
                "usage": In(usage_signature(fabric.channel)),
                "sighting": In(sighting_signature(fabric)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config, sighting = self.fabric.channel, self.sighting
        charged, levels = self.usage.charged, self.usage.levels

        m.submodules.counts = counts = memory.Memory(
            shape=used_width(config), depth=config.tenants, init=[]
        )
        write, last, asked = (
            counts.write_port(),
            counts.read_port(domain="comb"),
            counts.read_port(domain="comb"),
        )
        m.d.comb += [
            last.addr.eq(charged.tenant),
            write.addr.eq(charged.tenant),
            write.data.eq(last.data + charged.beats),
            write.en.eq(charged.valid),
            asked.addr.eq(sighting.tenant),
        ]

        short = Signal(config.tenants)
        known = Signal(config.tenants)
        m.d.comb += known.eq(short | self.usage.short)
        m.d.sync += [
            short.eq(known),
            sighting.used.eq(asked.data),
            sighting.short.eq(known.bit_select(sighting.tenant, 1)),
            sighting.level.eq(at_index(sighting.tenant, [levels[i] for i in range(len(levels))])),
        ]
        with m.If(sighting.counts):
            m.d.sync += short.bit_select(sighting.tenant, 1).eq(0)
        return m
