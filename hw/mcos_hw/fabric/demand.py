"""What a tenant needs of its committed rate on a channel, and what it can lend."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ADMISSIBLE_SHARE, COORDINATOR_INTERVALS, FabricConfig
from mcos_hw.link.lent import pair_layout
from mcos_hw.link.usage import used_width

__all__ = [
    "DEMAND_CLOCKS",
    "MARGIN_SHIFT",
    "USE_SHIFT",
    "Demand",
    "seen_layout",
]


DEMAND_CLOCKS = 4
"""Clocks from what was seen of a pair to what it lends and wants."""

MARGIN_SHIFT = 7
"""A pair keeps 2**-7 of its base rate beside what it uses."""

USE_SHIFT = 5
"""A pair keeps 2**-5 of what it uses beside that."""


def seen_layout(fabric: FabricConfig) -> data.StructLayout:
    """What was seen of a pair of tenant and channel.

    - ``valid``: something was; without it the other fields mean nothing;
    - ``tenant``, ``channel``: which pair;
    - ``used``, ``short``, ``level``: the answer of :class:`mcos_hw.link.usage.Sighting`;
    - ``base``, ``depth``: committed rate and depth of the tenant by the image;
    - ``paced``: rate at which the channel passes bytes.
    """
    config = fabric.channel
    return data.StructLayout(
        {
            "valid": 1,
            "tenant": range(config.tenants),
            "channel": range(fabric.channels),
            "used": used_width(config),
            "short": 1,
            "level": config.depth_width,
            "base": config.rate_width,
            "depth": config.depth_width,
            "paced": config.rate_width,
        }
    )


class Demand(wiring.Component):
    """Judges one pair of tenant and channel a clock, in four steps.

    A pair is *rested* if its bucket holds what two intervals bring at the base rate, or is full but
    for a longest request. It then lends what it does not use. One that is not rested keeps its
    base rate; if it was short as well, it wants all that it can get. docs/coordinator.md says why.

    ::

        rested             demand = use + use / 32 + base / 128
        not rested         demand = at least the base rate
        and short          demand = without a limit

    ``keep`` is the demand up to the base rate, ``want`` what is above. The limit of a channel is
    0.85 of its paced rate, as the image loader has it.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    interval : In(4)
        Log2 of the clocks from one look at a pair to the next, one of
        :data:`mcos_hw.config.COORDINATOR_INTERVALS`.
    seen : In(seen_layout)
        What was seen.
    valid : Out(1)
        A pair is judged: what was seen four clocks before.
    pair : Out(pair_layout)
        The pair.
    """

    interval: Signal
    seen: data.View
    valid: Signal
    pair: data.View

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        config = fabric.channel
        self.layout = pair_layout(
            channels=fabric.channels, tenants=config.tenants, rate_width=config.rate_width
        )
        super().__init__(
            {
                "interval": In(4),
                "seen": In(seen_layout(fabric)),
                "valid": Out(1),
                "pair": Out(self.layout),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config, seen, pair = self.fabric.channel, self.seen, self.pair
        longest, shortest = COORDINATOR_INTERVALS[-1], COORDINATOR_INTERVALS[0]
        most = (1 << len(pair.want)) - 1
        shorter = Signal.like(self.interval)
        m.d.comb += shorter.eq(longest - self.interval)
        valid = Signal(DEMAND_CLOCKS - 1)
        m.d.sync += Cat(valid, self.valid).eq(Cat(seen.valid, valid))

        # Each step hands on to the next what comes in and is still needed.
        places = [
            data.View(self.layout, Signal(self.layout, name=f"place_{k}"))
            for k in range(DEMAND_CLOCKS - 1)
        ]
        m.d.sync += [
            places[0].tenant.eq(seen.tenant),
            places[0].channel.eq(seen.channel),
            places[0].base.eq(seen.base),
            places[1].eq(places[0]),
            places[2].eq(places[1]),
        ]

        # What was used since the last look, and whether the bucket is rested.
        m.submodules.last = last = memory.Memory(
            shape=len(seen.used), depth=config.tenants * self.fabric.channels, init=[]
        )
        write, read = last.write_port(), last.read_port(domain="comb")
        used = Signal.like(seen.used)
        rested, short = Signal(DEMAND_CLOCKS - 2), Signal(DEMAND_CLOCKS - 2)
        reserve = Signal(config.rate_width)
        m.d.comb += [
            read.addr.eq(Cat(seen.channel, seen.tenant)),
            write.addr.eq(read.addr),
            write.data.eq(seen.used),
            write.en.eq(seen.valid),
            # Two intervals at the base rate, in whole bytes.
            reserve.eq((seen.base >> (config.rate_fraction - 1 - longest)) >> shorter),
        ]
        m.d.sync += [
            used.eq(seen.used - read.data),
            rested.eq(
                Cat((seen.level >= reserve) | (seen.level + config.l_max >= seen.depth), rested)
            ),
            short.eq(Cat(seen.short, short)),
        ]

        # The rate that this is.
        beat_bits = (config.beat_bytes - 1).bit_length()
        whole = Signal(len(used) + beat_bits + config.rate_fraction - shortest)
        use = Signal(len(pair.want))
        m.d.comb += whole.eq((used << (beat_bits + config.rate_fraction - longest)) << shorter)
        m.d.sync += use.eq(Mux(whole > most, most, whole))

        # What it has to have.
        demand = Signal(len(pair.want))
        total = Signal(len(pair.want) + 2)
        base = places[1].base
        m.d.comb += total.eq(use + (use >> USE_SHIFT) + (base >> MARGIN_SHIFT))
        with m.If(base == 0):
            m.d.sync += demand.eq(0)
        with m.Elif((short[1] & ~rested[1]) | (total > most)):
            m.d.sync += demand.eq(most)
        with m.Elif(~rested[1] & (total < base)):
            m.d.sync += demand.eq(base)
        with m.Else():
            m.d.sync += demand.eq(total)

        # How that lies to the base rate.
        above = Signal(signed(len(demand) + 1))
        limit = self._limit(m, seen.paced)
        base = places[2].base
        m.d.comb += above.eq(demand - base)
        m.d.sync += [
            pair.tenant.eq(places[2].tenant),
            pair.channel.eq(places[2].channel),
            pair.limit.eq(limit),
            pair.base.eq(base),
            pair.keep.eq(Mux(above[-1], demand, base)),
            pair.lend.eq(Mux(above[-1], -above, 0)),
            pair.want.eq(Mux(above[-1], 0, Mux(demand == most, most, above))),
        ]
        return m

    def _limit(self, m: Module, paced: Value) -> Value:
        """Largest sum of rates that the loader admits at a paced rate, three clocks later.

        The paced rate is rounded down, and the sum may be up to 0.85 of the next one.
        """
        config, share = self.fabric.channel, ADMISSIBLE_SHARE
        scaled = Signal(len(paced) + share.numerator.bit_length() + 1)
        quotient = Signal(len(paced) + 1)
        limit = Signal(config.rate_width)
        # With as many bits more than the divisor has, the quotient is exact.
        bits = len(scaled) + share.denominator.bit_length()
        reciprocal = -(-(1 << bits) // share.denominator)
        m.d.sync += [
            scaled.eq((paced + 1) * share.numerator - 1),
            quotient.eq((scaled * reciprocal) >> bits),
            limit.eq(Mux(quotient > config.admissible_rate, config.admissible_rate, quotient)),
        ]
        return limit
