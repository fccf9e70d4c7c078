"""The way of a request from its port to its queue."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.request import request_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.live import live_layout

__all__ = [
    "Intake",
    "approach_layout",
    "entry_layout",
    "price",
    "stored_layout",
]


def price(config: ChannelConfig, beats: Value, inverse: Value, inverse_fraction: int) -> Value:
    """Size times a reciprocal weight, in tag units, rounded down."""
    product = beats * config.beat_bytes * inverse
    return (product >> (inverse_fraction - config.tag_fraction))[: config.tag_width]


def stored_layout(config: ChannelConfig) -> data.StructLayout:
    """A request on its way into the memory of the queues, at ``row`` of its tenant's rows."""
    return data.StructLayout(
        {"valid": 1, "row": range(config.queue_depth), "request": request_layout(config)}
    )


def approach_layout(config: ChannelConfig) -> data.StructLayout:
    """A request one step before it enters its queue.

    ``tenants`` has the bit of its tenant, or none. ``recent``: the depth-1 rule applies to it.
    """
    return data.StructLayout(
        {
            "tenants": config.tenants,
            "beats": config.beats_width,
            "recent": 1,
            "cost": config.tag_width,
        }
    )


def entry_layout(config: ChannelConfig) -> data.StructLayout:
    """A request that enters its queue in this clock; ``cost`` is s / w in tag units."""
    return data.StructLayout(
        {
            "tenants": config.tenants,
            "row": range(config.queue_depth),
            "beats": config.beats_width,
            "cost": config.tag_width,
            "offered": config.stamp_width,
        }
    )


class Intake(wiring.Component):
    """Prices a request and brings it to its queue, one per clock.

    The price s / w goes with the request from here on, so a new weight counts for requests that
    are taken after its commit.

    With L = 0 everything happens in the clock in which the request is taken. Otherwise the price
    is made in that clock, the start tag in the next one (``approach``), and the request enters its
    queue in the one after it (``entry``)::

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
        m.d.comb += [
            tenants.eq(self.taken << tenant),
            inverse.eq(Array(each.inverse_weight for each in self.live.tenants)[tenant]),
        ]

        row = Signal.like(self.row)
        offered = Signal(config.stamp_width)
        domain += [
            self.stored.valid.eq(self.taken),
            self.stored.row.eq(self.row),
            self.stored.request.eq(self.request),
            self.approach.tenants.eq(tenants),
            self.approach.beats.eq(self.request.beats),
            self.approach.recent.eq(self.recent.bit_select(tenant, 1)),
            self.approach.cost.eq(
                price(config, self.request.beats, inverse, config.reciprocal_fraction)
            ),
            row.eq(self.row),
            offered.eq(self.request.offered),
        ]
        domain += [
            self.entry.tenants.eq(self.approach.tenants),
            self.entry.row.eq(row),
            self.entry.beats.eq(self.approach.beats),
            self.entry.cost.eq(self.approach.cost),
            self.entry.offered.eq(offered),
        ]
        return m
