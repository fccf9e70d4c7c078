"""The way of a request from its port to its queue."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.live import live_layout
from mcos_hw.link.request import request_layout
from mcos_hw.primitive.carry_save import carry_save
from mcos_hw.primitive.replicated import Replicated
from mcos_hw.registers import COLOUR_BITS, channel_map

__all__ = [
    "Intake",
    "approach_layout",
    "entry_layout",
    "price",
    "price_terms",
    "stored_layout",
    "terms_fraction",
    "terms_layout",
    "terms_widening",
]


def terms_layout(config: ChannelConfig) -> data.ArrayLayout:
    """Two terms of a price, with ``terms_fraction`` more fraction bits than a tag."""
    return data.ArrayLayout(config.reciprocal_width + 5 + terms_widening(config), 2)


def terms_fraction(config: ChannelConfig) -> int:
    """Fraction bits that the terms of a price have beyond those of a tag."""
    return max(0, _fraction_left(config))


def terms_widening(config: ChannelConfig) -> int:
    """Fraction bits that beats x 1/w lacks to those of a tag."""
    return max(0, -_fraction_left(config))


def _fraction_left(config: ChannelConfig) -> int:
    """Fraction bits of beats x 1/w beyond those of a tag."""
    return config.reciprocal_fraction - config.tag_fraction - (config.beat_bytes - 1).bit_length()


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
    return ((terms[0] + terms[1]) >> terms_fraction(config))[: config.tag_width]


def stored_layout(config: ChannelConfig) -> data.StructLayout:
    """A request on its way into the memory of the queues, at ``row`` of its tenant's rows."""
    return data.StructLayout(
        {"valid": 1, "row": range(config.queue_depth), "request": request_layout(config)}
    )


def approach_layout(config: ChannelConfig) -> data.StructLayout:
    """A request one step before it enters its queue.

    ``tenants`` has the bit of its tenant, or none; ``tenants_copy`` is the same, to select tags
    with. ``outside``: it is outside its tenant's colours. ``terms``: see :func:`price_terms`;
    ``early``: the same where the depth-1 rule applies to it, else 0.
    """
    return data.StructLayout(
        {
            "tenants": config.tenants,
            "tenants_copy": config.tenants,
            "beats": config.beats_width,
            "outside": 1,
            "terms": terms_layout(config),
            "early": terms_layout(config),
        }
    )


def entry_layout(config: ChannelConfig) -> data.StructLayout:
    """A request that enters its queue in this clock; ``cost`` is s / w in tag units."""
    return data.StructLayout(
        {
            "tenants": config.tenants,
            "row": range(config.queue_depth),
            "beats": config.beats_width,
            "outside": 1,
            "cost": config.tag_width,
            "offered": config.stamp_width,
        }
    )


class Intake(wiring.Component):
    """Prices a request, looks at its colour, and brings it to its queue, one per clock.

    The price s / w goes with the request from here on, and so does whether it is outside its
    tenant's page colours: a new weight and new colours count for requests that are taken after
    their commit.

    With L = 0 everything happens in the clock in which the request is taken. Otherwise the price
    is made in that clock but for an addition, that and the start tag in the next one
    (``approach``), and the request enters its queue in the one after it (``entry``)::

        clock        0         1         2
        L = 0       |taken, approach, entry
        L > 0       |taken    |approach |entry

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    live : In(live_layout)
        Live configuration.
    taken : In(1)
        ``request`` is taken in this clock.
    request : In(request_layout)
        The request.
    row : In
        Where its tenant's queue keeps it.
    recent : In(tenants)
        Whose request would follow his last response closely.
    stored : Out(stored_layout)
        For the memory of the queues, not later than ``approach``.
    approach : Out(approach_layout)
        One step before the queue.
    entry : Out(entry_layout)
        Into the queue.
    """

    live: data.View
    taken: Signal
    request: data.View
    row: Signal
    recent: Signal
    stored: data.View
    approach: data.View
    entry: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "live": In(live_layout(channel_map(config))),
                "taken": In(1),
                "request": In(request_layout(config)),
                "row": In(range(config.queue_depth)),
                "recent": In(config.tenants),
                "stored": Out(stored_layout(config)),
                "approach": Out(approach_layout(config)),
                "entry": Out(entry_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        domain = m.d.sync if config.lateness else m.d.comb

        tenant = self.request.tenant
        tenants = Signal(config.tenants)
        inverse = Signal(config.reciprocal_width)
        recent = Signal()
        terms_now = Signal(terms_layout(config).size)
        bits = [self.live.channel[f"colour_bit_{k}"] for k in range(COLOUR_BITS)]
        m.d.comb += [
            tenants.eq(self.taken << tenant),
            inverse.eq(Array(each.inverse_weight for each in self.live.tenants)[tenant]),
            terms_now.eq(price_terms(config, self.request.beats, inverse)),
            recent.eq(self.recent.bit_select(tenant, 1)),
        ]

        taken = data.View(
            data.ArrayLayout(config.tenants, 2), Signal(2 * config.tenants, name="taken")
        )
        beats = Signal(config.beats_width)
        terms = Signal(terms_layout(config).size)
        early = Signal(terms_layout(config).size)
        row = Signal.like(self.row)
        offered = Signal(config.stamp_width)
        colour = Signal(COLOUR_BITS)
        colours = Signal(1 << COLOUR_BITS)
        domain += [
            self.stored.valid.eq(self.taken),
            self.stored.row.eq(self.row),
            self.stored.request.eq(self.request),
            beats.eq(self.request.beats),
            terms.eq(terms_now),
            early.eq(Mux(recent, terms_now, 0)),
            row.eq(self.row),
            offered.eq(self.request.offered),
            colour.eq(Cat(self.request.address.bit_select(bit, 1) for bit in bits)),
            colours.eq(Array(each.colours for each in self.live.tenants)[tenant]),
        ]
        if config.lateness:
            m.submodules.taken = register = Replicated(width=config.tenants, copies=2)
            m.d.comb += [register.value.eq(tenants), taken.eq(register.copies)]
        else:
            m.d.comb += taken.eq(tenants.replicate(2))
        m.d.comb += [
            self.approach.tenants.eq(taken[0]),
            self.approach.tenants_copy.eq(taken[1]),
            self.approach.beats.eq(beats),
            self.approach.terms.eq(terms),
            self.approach.early.eq(early),
            self.approach.outside.eq(taken[0].any() & ~colours.bit_select(colour, 1)),
        ]
        domain += [
            self.entry.tenants.eq(self.approach.tenants),
            self.entry.row.eq(row),
            self.entry.beats.eq(self.approach.beats),
            self.entry.outside.eq(self.approach.outside),
            self.entry.cost.eq(price(config, self.approach.terms)),
            self.entry.offered.eq(offered),
        ]
        return m
