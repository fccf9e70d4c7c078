"""The token buckets of all tenants of a compact channel, in one memory."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.channel.refill import Refill
from mcos_hw.channel.seen_tokens import KINDS, SeenTokens, charges_layout, place_layout
from mcos_hw.config import REFILL_CLOCKS, ChannelConfig
from mcos_hw.link.contract import ContractRead, contract_read_signature, contract_readers
from mcos_hw.link.grant import Grant, grant_signature
from mcos_hw.link.tokens import Tokens, level_width, tokens_signature
from mcos_hw.primitive.select import number

__all__ = ["TokenTable"]


class TokenTable(wiring.Component):
    """Visits the two buckets of one tenant after the other, and charges them with every grant.

    A visit begins in every other clock, but not in one in which a head is nominated. It reads both
    levels and the clock for which they hold, adds what the rates brought since, and writes them
    back. A grant is read in its own clock and goes the same way, less its charge. Refill is linear
    and capped, so levels are those that :class:`mcos_hw.channel.bucket.TenantBuckets` has in the
    clock of their reading, and ``level' = min(level - charge + rate, depth)`` holds from clock to
    clock. Only a new rate counts from the last reading before its commit on.

    Classes go by :class:`mcos_hw.channel.seen_tokens.SeenTokens`: whole beats as last seen, never
    more than the buckets hold, and late by ``token_lateness`` clocks at most::

        clock              0       1       2       3       4
        visit             |read   |product|sum    |written
        its beats                                 |written|seen
        grant             |read   |product|sum    |written
        its beats         |charged|seen           |written|seen

    A visit in one of the three clocks after a grant of its tenant does nothing: what it would read
    is not charged yet.

    Parameters
    ----------
    config : ChannelConfig
        Sizes, of a compact channel.

    Members
    -------
    enabled : In(tenants)
        Tenants that the live image enables. They start with full buckets: those of the first visit
        or grant that is written after the commit, less the charge of that grant.
    contract : Out(ContractRead)
        Rates and depths of a tenant.
    nominates : In(1)
        A head is to be granted in this clock, unless its promotion was withdrawn.
    nominee : In(tenants)
        Its tenant, one-hot; any one if none is nominated.
    grant : In(Grant)
        The grant of this clock; of the nominee, if there is one.
    tokens : Out(Tokens)
        Tokens as last seen.
    """

    enabled: Signal
    contract: ContractRead
    nominates: Signal
    nominee: Signal
    grant: Grant
    tokens: Tokens

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "enabled": In(config.tenants),
                "contract": Out(
                    contract_read_signature(config, *contract_readers(config)["buckets"])
                ),
                "nominates": In(1),
                "nominee": In(config.tenants),
                "grant": In(grant_signature(config)),
                "tokens": Out(tokens_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        now = Signal(config.token_lateness.bit_length())
        m.d.sync += now.eq(now + 1)

        place_shape, charges_shape = place_layout(config), charges_layout(config)
        nominee = data.View(place_shape, Signal(place_shape, name="nominee_place"))
        charges = data.View(charges_shape, Signal(charges_shape, name="charges"))
        conforms = (self.nominee & self.grant.conforming).any()
        bursts = (self.nominee & self.grant.burst).any()
        m.d.comb += [
            nominee.tenants.eq(self.nominee),
            nominee.place.eq(number(self.nominee)),
            charges.committed.eq(Mux(conforms, self.grant.beats, 0)),
            charges.peak.eq(Mux(conforms | bursts, self.grant.beats, 0)),
        ]

        # What is read in this clock.
        steps = [
            data.View(place_shape, Signal(place_shape, name=f"step_{k + 1}"))
            for k in range(REFILL_CLOCKS)
        ]
        clocks = [Signal.like(now, name=f"clock_{k + 1}") for k in range(REFILL_CLOCKS)]
        turn = data.View(place_shape, Signal(place_shape, name="turn", init={"tenants": 1}))
        visits = Signal()
        visited = Signal()
        uncharged = Signal()
        place = Signal(config.tenant_width)
        m.d.comb += [
            visits.eq(~self.nominates & ~visited),
            uncharged.eq(Cat(each.charges & (each.place == turn.place) for each in steps).any()),
            place.eq(Mux(self.nominates, nominee.place, turn.place)),
        ]
        m.d.sync += [
            visited.eq(visits),
            steps[0].tenants.eq(self.grant.tenants | Mux(visits & ~uncharged, turn.tenants, 0)),
            steps[0].place.eq(place),
            steps[0].charges.eq(self.grant.valid),
            clocks[0].eq(now),
        ]
        with m.If(visits):
            m.d.sync += [
                turn.tenants.eq(turn.tenants.rotate_left(1)),
                turn.place.eq(turn.place + 1),
            ]
        for k in range(1, REFILL_CLOCKS):
            m.d.sync += [steps[k].eq(steps[k - 1]), clocks[k].eq(clocks[k - 1])]

        level = signed(level_width(config))
        row = data.StructLayout({"clock": len(now), **dict.fromkeys(KINDS, level)})
        m.submodules.rows = rows = memory.Memory(shape=row, depth=config.tenants, init=[])
        write, read = rows.write_port(), rows.read_port(domain="comb")
        elapsed = Signal.like(now)
        m.d.comb += [
            read.addr.eq(place),
            self.contract.tenant.eq(place),
            write.addr.eq(steps[-1].place),
            write.data.clock.eq(clocks[-1]),
            write.en.eq(steps[-1].tenants.any()),
        ]
        m.d.sync += elapsed.eq(now - read.data.clock)

        m.submodules.seen = seen = SeenTokens(config, steps=REFILL_CLOCKS - 1)
        connect(m, seen.tokens, flipped(self.tokens))
        connect(m, flipped(self.grant), seen.grant)
        m.d.comb += [
            seen.enabled.eq(self.enabled),
            seen.nominee.eq(nominee),
            seen.charges.eq(charges),
            seen.ends.eq(steps[-1]),
            *(seen.follow[k].eq(steps[k]) for k in range(REFILL_CLOCKS - 1)),
        ]
        for kind in KINDS:
            m.submodules[kind] = refill = Refill(config)
            m.d.sync += [
                refill.level.eq(read.data[kind]),
                refill.rate.eq(self.contract.row[f"{kind}_rate"]),
                refill.depth.eq(self.contract.row[f"{kind}_depth"]),
                refill.charge.eq(Mux(self.nominates, charges[kind], 0)),
            ]
            m.d.comb += [
                refill.elapsed.eq(elapsed),
                refill.fill.eq(seen.fills),
                write.data[kind].eq(refill.result),
                seen.levels[kind].eq(refill.result),
                seen.beats[kind].eq(refill.beats),
            ]
        return m
