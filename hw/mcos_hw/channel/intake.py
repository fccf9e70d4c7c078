"""The way of a request from its port to its queue."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import (
    Arrival,
    arrival_signature,
    terms_fraction,
    terms_layout,
    terms_widening,
)
from mcos_hw.link.contract import ContractRead, contract_read_signature
from mcos_hw.link.live import Live, live_signature
from mcos_hw.link.request import Request, request_signature
from mcos_hw.primitive.carry_save import carry_save
from mcos_hw.primitive.replicated import Replicated
from mcos_hw.registers import COLOUR_BITS, channel_map

__all__ = [
    "Intake",
    "price",
    "price_terms",
]


def price_terms(config: ChannelConfig, beats: Value, inverse: Value) -> Value:
    """Two terms of s / w, as bits of :func:`terms_layout`; see :func:`price`.

    A multiplication without its last addition. 16 beats are the most, so that this bit of a size
    stands alone and shares a row.
    """
    width = terms_layout(config).elem_shape
    inverse = inverse << terms_widening(config)
    beats = Cat(beats, Const(0, 5))[:5]
    rows = [Mux(beats[k], (inverse << k)[:width], 0) for k in range(4)]
    rows[0] |= Mux(beats[4], (inverse << 4)[:width], 0)
    return Cat(carry_save(*carry_save(*rows[:3], width), rows[3], width))


def price(config: ChannelConfig, terms: data.View) -> Value:
    """Size times reciprocal weight, s / w, in tag units, rounded down."""
    return rounded(config, terms[0] + terms[1])


def rounded(config: ChannelConfig, value: Value) -> Value:
    """A price in tag units, rounded down, of one with the fraction bits of its terms."""
    return (value >> terms_fraction(config))[: config.tag_width]


class Intake(wiring.Component):
    """Takes a request, prices it, looks at its colour, and brings it to its queue, one per clock.

    A tenant may send if it is enabled, or ``gated`` is cleared, and its queue has room. From here
    on the request carries its price s / w, and whether it is outside its tenant's page colours: a
    new weight and new colours count for requests that are taken after their commit.

    With L = 0 everything happens in the clock in which the request is taken. Otherwise the price is
    made in that clock but for an addition, that and the start tag in the next one (``approach``),
    and the request enters its queue in the one after it (``entry``). A compact channel takes the
    same steps, but reads the weight in the first one and multiplies in the next::

        clock             0         1         2
        L = 0            |taken, approach, entry
        L > 0, compact   |taken    |approach |entry

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    gated : bool
        Whether a tenant that is not enabled may not send.

    Members
    -------
    live : In(Live)
        Which tenants are enabled, and which address bits make a colour.
    contract : Out(ContractRead)
        Reads weight and colours of the tenant whose request is offered.
    request : In(Request)
        The request that is offered.
    full : In(tenants)
        Bit i: the queue of tenant i has no room.
    tails : In(ArrayLayout(range(queue_depth), tenants))
        Row in which each queue keeps the next request.
    recent : In(1)
        The offered request follows the last response of its tenant closely.
    taken : Out(tenants)
        The bit of the tenant whose request is taken in this clock, or none.
    arrival : Out(Arrival)
        The request on its way.
    """

    live: Live
    contract: ContractRead
    request: Request
    full: Signal
    tails: data.View
    recent: Signal
    taken: Signal
    arrival: Arrival

    def __init__(self, config: ChannelConfig, *, gated: bool = True) -> None:
        self.config = config
        self.gated = gated
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
                "contract": Out(contract_read_signature(config, "inverse_weight", "colours")),
                "request": In(request_signature(config)),
                "full": In(config.tenants),
                "tails": In(data.ArrayLayout(range(config.queue_depth), config.tenants)),
                "recent": In(1),
                "taken": Out(config.tenants),
                "arrival": Out(arrival_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        domain = m.d.sync if config.steps else m.d.comb
        stored, approach, entry = self.arrival.stored, self.arrival.approach, self.arrival.entry

        request, tenant = self.request.payload, self.request.payload.tenant
        taken_now = Signal()
        bits = [self.live.channel[f"colour_bit_{k}"] for k in range(COLOUR_BITS)]
        enabled = Cat(each.enable for each in self.live.tenants)
        m.d.comb += [
            self.request.ready.eq(enabled & ~self.full if self.gated else ~self.full),
            taken_now.eq(self.request.valid & self.request.ready.bit_select(tenant, 1)),
            self.taken.eq(taken_now << tenant),
            self.contract.tenant.eq(tenant),
        ]

        taken = data.View(
            data.ArrayLayout(config.tenants, 2), Signal(2 * config.tenants, name="taken")
        )
        beats = Signal(config.beats_width)
        row = Signal(range(config.queue_depth))
        offered = Signal(config.stamp_width)
        colour = Signal(COLOUR_BITS)
        colours = Signal(1 << COLOUR_BITS)
        domain += [
            stored.valid.eq(taken_now),
            stored.row.eq(self.tails[tenant]),
            stored.request.eq(request),
            beats.eq(request.beats),
            row.eq(self.tails[tenant]),
            offered.eq(request.offered),
            colour.eq(Cat(request.address.bit_select(bit, 1) for bit in bits)),
            colours.eq(self.contract.row.colours),
        ]
        if config.steps:
            m.submodules.taken = register = Replicated(width=config.tenants, copies=2)
            m.d.comb += [register.value.eq(self.taken), taken.eq(register.copies)]
        else:
            m.d.comb += taken.eq(self.taken.replicate(2))
        m.d.comb += [
            approach.tenants.eq(taken[0]),
            approach.tenants_copy.eq(taken[1]),
            approach.beats.eq(beats),
            approach.outside.eq(taken[0].any() & ~colours.bit_select(colour, 1)),
        ]
        domain += [
            entry.tenants.eq(approach.tenants),
            entry.row.eq(row),
            entry.beats.eq(approach.beats),
            entry.outside.eq(approach.outside),
            entry.offered.eq(offered),
        ]
        self._price(m, domain, beats)
        return m

    def _price(self, m: Module, domain, beats: Value) -> None:
        """Price of the approaching request of ``beats``, and whether the depth-1 rule applies."""
        config, inverse = self.config, self.contract.row.inverse_weight
        approach, entry = self.arrival.approach, self.arrival.entry
        if config.compact:
            kept = Signal.like(inverse)
            m.d.sync += [
                kept.eq(inverse),
                approach.recent.eq(self.recent),
                entry.cost.eq(rounded(config, (beats * kept) << terms_widening(config))),
            ]
            return
        terms_now = Signal(terms_layout(config).size)
        terms = Signal.like(terms_now)
        early = Signal.like(terms_now)
        m.d.comb += [
            terms_now.eq(price_terms(config, self.request.payload.beats, inverse)),
            approach.terms.eq(terms),
            approach.early.eq(early),
        ]
        domain += [
            terms.eq(terms_now),
            early.eq(Mux(self.recent, terms_now, 0)),
            entry.cost.eq(price(config, approach.terms)),
        ]
