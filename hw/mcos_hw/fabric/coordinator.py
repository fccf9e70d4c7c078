"""Moves the committed rates of tenants to the channels where they are needed."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import COORDINATOR_INTERVALS, FabricConfig
from mcos_hw.fabric.demand import Demand
from mcos_hw.fabric.lender import Lender
from mcos_hw.link.contract import ContractRead, contract_read_signature
from mcos_hw.link.lent import Lent, lent_signature
from mcos_hw.link.usage import Sighting, sighting_signature
from mcos_hw.primitive.select import at_index

__all__ = ["Coordinator"]


class Coordinator(wiring.Component):
    """Looks at every tenant on every channel once an interval, and lends what is not used.

    An interval begins with a *walk*: pair after pair is seen, judged by :class:`Demand`, and
    :class:`Lender` finds a place for what tenants lend. At the end of the walk all channels take
    the new rates at one clock edge. So in every clock the rates of a tenant on all channels add up
    to its base rate times their number, and those of all tenants on a channel to no more than the
    channel's limit. A pair that lends has its base rate back after the walk that finds its bucket
    no longer rested: at most an interval and a walk later.

    A walk takes ``channels`` x ``tenants`` + 7 clocks, one for each tenant, and ``channels`` + 3
    for each step of :class:`Lender`. If that is more than an interval the next one begins late.

    A commit takes all back: from its clock on the rates are those of the image, and a walk under
    way is of no effect. So it is while ``enable`` is low, and after a walk that failed, which takes
    an image that promises more than a channel's limit. Walks go on all the time.

    ::

        clock            0       1       2       6       7
        asked           |pair   |
        seen                    |answer |
        judged                                  |pair   |
        written                                 |rate   |

    Parameters
    ----------
    fabric : FabricConfig
        Sizes; at least two channels.
    settling : int
        Clocks after a commit in which ``contract`` may still be that of the image before.

    Members
    -------
    enable : In(1)
        Rates are lent.
    interval : In(4)
        Log2 of the clocks of an interval, one of :data:`mcos_hw.config.COORDINATOR_INTERVALS`.
    generation : In(32)
        Commits since reset.
    contract : Out(ContractRead)
        Base rate and depth of a tenant.
    paced_rates : In(ArrayLayout(rate_width, channels))
        Rate at which each channel passes bytes: its r without a pacer.
    sightings : Out(Sighting), an array
        What the tenants of each channel use.
    lent : Out(Lent)
        Rates in force.

    Raises
    ------
    ValueError
        If there is one channel.
    """

    enable: Signal
    interval: Signal
    generation: Signal
    contract: ContractRead
    paced_rates: data.View
    sightings: Sequence[Sighting]
    lent: Lent

    def __init__(self, fabric: FabricConfig, *, settling: int = 0) -> None:
        if fabric.channels == 1:
            raise ValueError(f"channels must be at least 2 to coordinate, not {fabric.channels!r}")
        self.fabric = fabric
        self.settling = settling
        config = fabric.channel
        super().__init__(
            {
                "enable": In(1),
                "interval": In(4),
                "generation": In(32),
                "contract": Out(
                    contract_read_signature(config, "committed_rate", "committed_depth")
                ),
                "paced_rates": In(data.ArrayLayout(config.rate_width, fabric.channels)),
                "sightings": Out(sighting_signature(fabric)).array(fabric.channels),
                "lent": Out(lent_signature(fabric)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, config, lent = self.fabric, self.fabric.channel, self.lent
        channels = range(fabric.channels)
        m.submodules.demand = demand = Demand(fabric)
        m.submodules.lender = lender = Lender(
            channels=fabric.channels, tenants=config.tenants, rate_width=config.rate_width
        )
        seen = demand.seen

        # An interval, and the walk at its begin.
        longest = COORDINATOR_INTERVALS[-1]
        timer, last = Signal(longest), Signal(longest)
        due = Signal()
        walks = Signal()
        begins = Signal()
        m.d.comb += [
            last.eq(((1 << longest) - 1) >> (longest - self.interval)[:4]),
            begins.eq(due & ~walks),
        ]
        m.d.sync += timer.eq(timer + 1)
        with m.If(begins):
            m.d.sync += [due.eq(0), walks.eq(1)]
        with m.If(timer >= last):
            m.d.sync += [timer.eq(0), due.eq(1)]
        with m.If(lender.done):
            m.d.sync += [walks.eq(0), lender.turn.eq(lender.turn + 1)]

        # Pairs are asked for, and seen a clock later.
        asks = Signal()
        channel = Signal(range(fabric.channels))
        tenant = Signal(range(config.tenants))
        pair = Cat(channel, tenant)
        with m.If(asks):
            m.d.sync += [pair.eq(pair + 1), asks.eq(~pair.all())]
        with m.If(begins):
            m.d.sync += asks.eq(1)
        for c, sighting in enumerate(self.sightings):
            m.d.comb += [
                sighting.tenant.eq(tenant),
                sighting.counts.eq(asks & (channel == c)),
            ]
        m.d.comb += self.contract.tenant.eq(tenant)
        m.d.sync += [
            seen.valid.eq(asks),
            seen.tenant.eq(tenant),
            seen.channel.eq(channel),
            seen.base.eq(self.contract.row.committed_rate),
            seen.depth.eq(self.contract.row.committed_depth),
            seen.paced.eq(at_index(channel, [self.paced_rates[c] for c in channels])),
        ]
        for name in ("used", "short", "level"):
            answers = [getattr(each, name) for each in self.sightings]
            m.d.comb += seen[name].eq(at_index(seen.channel, answers))
        m.d.comb += [
            demand.interval.eq(self.interval),
            lender.valid.eq(demand.valid),
            lender.pair.eq(demand.pair),
            lent.write.eq(lender.write),
        ]

        # No rates are in force that were lent under another image, nor in the clock of its commit.
        # The low bit of the generation tells of a commit: there is none in the clock after one.
        generation, known = self.generation[0], Signal()
        outdated = Signal()
        applied = Signal()
        m.d.comb += [
            lent.apply.eq(
                lender.done & lender.placed & self.enable & ~outdated & (generation == known)
            ),
            lent.holds.eq(applied & (generation == known)),
        ]
        m.d.sync += known.eq(generation)
        # A walk that begins before the contracts have settled is outdated like one under way.
        unsettled = Signal(range(self.settling + 1))
        with m.If(unsettled != 0):
            m.d.sync += unsettled.eq(unsettled - 1)
        with m.If(begins):
            m.d.sync += outdated.eq(unsettled != 0)
        with m.If(lender.done):
            m.d.sync += applied.eq(lent.apply)
        with m.If(generation != known):
            m.d.sync += [outdated.eq(1), unsettled.eq(self.settling)]
        with m.If((generation != known) | ~self.enable):
            m.d.sync += applied.eq(0)
        return m
