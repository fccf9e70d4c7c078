"""A coordinator with what it needs at each channel, and its rule as the model has it."""

import dataclasses

import numpy as np
from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.fabric.coordinator import Coordinator
from mcos_hw.fabric.in_force import InForce
from mcos_hw.fabric.usage import ChannelUsage
from mcos_hw.link.live import live_signature
from mcos_hw.link.usage import usage_signature
from mcos_hw.primitive.select import at_index
from mcos_hw.registers import channel_map
from mcos_sim.model.coordinator import walk

__all__ = [
    "Coordinated",
    "Reference",
    "fabric",
]


def fabric(channels, **sizes):
    """A fabric of small channels."""
    config = ChannelConfig(tenants=4, stamp_width=16, **sizes)
    return FabricConfig.around(config, channels=channels)


class Coordinated(wiring.Component):
    """A coordinator between a live image and as many channels as a fabric has.

    ``rates[c][i]`` and ``peaks[c][i]`` are in force on channel c.
    """

    def __init__(self, fabric, *, settling=0):
        self.fabric = fabric
        self.settling = settling
        config = fabric.channel
        rates = data.ArrayLayout(
            data.ArrayLayout(config.rate_width, config.tenants), fabric.channels
        )
        super().__init__(
            {
                "enable": In(1),
                "interval": In(4),
                "image": In(live_signature(channel_map(config))),
                "paced_rates": In(data.ArrayLayout(config.rate_width, fabric.channels)),
                "usage": In(usage_signature(config)).array(fabric.channels),
                "counts": Out(fabric.channels),
                "tenant": Out(config.tenant_width),
                "holds": Out(1),
                "apply": Out(1),
                "rates": Out(rates),
                "peaks": Out(rates),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.coordinator = coordinator = Coordinator(self.fabric, settling=self.settling)
        tenant, tenants = coordinator.contract.tenant, self.image.tenants
        m.d.comb += [
            coordinator.enable.eq(self.enable),
            coordinator.interval.eq(self.interval),
            coordinator.generation.eq(self.image.generation),
            coordinator.paced_rates.eq(self.paced_rates),
            *(
                field.eq(at_index(tenant, [each[name] for each in tenants]))
                for name, field in (
                    ("committed_rate", coordinator.contract.row.committed_rate),
                    ("committed_depth", coordinator.contract.row.committed_depth),
                )
            ),
            self.tenant.eq(tenant),
            self.holds.eq(coordinator.lent.holds),
            self.apply.eq(coordinator.lent.apply),
        ]
        for c in range(self.fabric.channels):
            m.submodules[f"usage_{c}"] = usage = ChannelUsage(self.fabric)
            m.submodules[f"force_{c}"] = force = InForce(self.fabric, c)
            connect(m, flipped(self.usage[c]), usage.usage)
            connect(m, coordinator.sightings[c], usage.sighting)
            connect(m, coordinator.lent, force.lent)
            connect(m, flipped(self.image), force.image)
            m.d.comb += self.counts[c].eq(coordinator.sightings[c].counts)
            for i in range(self.fabric.channel.tenants):
                m.d.comb += [
                    self.rates[c][i].eq(force.live.tenants[i].committed_rate),
                    self.peaks[c][i].eq(force.live.tenants[i].peak_rate),
                ]
        return m


@dataclasses.dataclass
class Reference:
    """What the coordinator has seen, and what follows from it."""

    fabric: FabricConfig
    interval: int

    def __post_init__(self):
        shape = (self.fabric.channels, self.fabric.channel.tenants)
        self.turn = 0
        self.totals, self.last, self.used, self.level, self.seen_short = (
            np.zeros(shape, dtype=np.int64) for _ in range(5)
        )
        self.short = np.zeros(shape, dtype=np.int64)

    def clock(self, counts, tenant, charged, short, levels):
        """One clock: who was asked for, and what happened on each channel."""
        self.short |= short
        for c in range(self.fabric.channels):
            if counts >> c & 1:
                self.used[c, tenant] = self.totals[c, tenant] - self.last[c, tenant]
                self.last[c, tenant] = self.totals[c, tenant]
                self.level[c, tenant] = levels[c, tenant]
                self.seen_short[c, tenant] = self.short[c, tenant]
                self.short[c, tenant] = 0
            if charged[c] is not None:
                i, beats = charged[c]
                self.totals[c, i] += beats

    def limits(self, paced):
        """What the loader admits on each channel, see docs/coordinator.md."""
        most = self.fabric.channel.admissible_rate
        return np.array([min(most, ((rate + 1) * 17 - 1) // 20) for rate in paced])

    def rates(self, base, depth, paced):
        """The rates of the walk that has seen all pairs."""
        config = self.fabric.channel
        sizes = (
            self.interval,
            config.beat_bytes.bit_length() - 1,
            config.rate_fraction,
            config.l_max,
        )
        found = walk(
            base,
            depth,
            self.limits(paced),
            self.used,
            self.level,
            self.seen_short,
            sizes=sizes,
            turn=self.turn,
        )
        self.turn += 1
        return found
