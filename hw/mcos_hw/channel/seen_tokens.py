"""Whole beats of tokens as a compact channel last saw them."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.grant import Grant, grant_signature
from mcos_hw.link.tokens import Tokens, level_width, tokens_signature, whole_width

__all__ = [
    "KINDS",
    "SeenTokens",
    "charges_layout",
    "place_layout",
]


KINDS = ("committed", "peak")
"""The buckets of a tenant."""


def place_layout(config: ChannelConfig) -> data.StructLayout:
    """Whose buckets are on their way through the steps of a refill.

    - ``tenants``: the bit of the tenant, none if there is no such buckets.
    - ``place``: its number, which means nothing then.
    - ``charges``: they are charged by a grant.
    """
    return data.StructLayout(
        {"tenants": config.tenants, "place": config.tenant_width, "charges": 1}
    )


def charges_layout(config: ChannelConfig) -> data.StructLayout:
    """Beats that a grant takes from each bucket."""
    return data.StructLayout(dict.fromkeys(KINDS, config.beats_width))


def _view(layout: data.Layout, *, name: str) -> data.View:
    """A signal of a layout, as a view for type checkers."""
    return data.View(layout, Signal(layout, name=name))


class SeenTokens(wiring.Component):
    """Keeps how many beats each bucket held when it was last seen, less what was granted since.

    One tenant's beats are written in a clock. A grant takes its own from them, where they are read
    from a copy in a memory. If a visit ends in the clock of a grant, its beats are written in the
    next one, in which none ends. The beats of a visit that began before a grant of its tenant are
    dropped.

    A tenant that a commit enables has none from the next clock on, until buckets of it are filled.

    Parameters
    ----------
    config : ChannelConfig
        Sizes, of a compact channel.

    Members
    -------
    enabled : In(tenants)
        Tenants that the live image enables.
    nominee : In(place_layout)
        Tenant whose head is to be granted.
    grant : In(Grant)
        The grant of this clock; of the nominee, if there is one.
    charges : In(charges_layout)
        What a grant of this clock takes.
    ends : In(place_layout)
        Buckets whose levels are known in this clock: none in the clock after a visit.
    levels, beats : In
        Those levels, and their whole beats.
    follow : In(ArrayLayout(place_layout, ...))
        Buckets that are read and whose levels are not known yet.
    fills : Out(1)
        The buckets that end are to be filled.
    tokens : Out(Tokens)
        Tokens as last seen. What a grant takes from them is taken from the levels as well.
    """

    enabled: Signal
    nominee: data.View
    grant: Grant
    charges: data.View
    ends: data.View
    levels: data.View
    beats: data.View
    follow: data.View
    fills: Signal
    tokens: Tokens

    def __init__(self, config: ChannelConfig, *, steps: int) -> None:
        self.config = config
        place = place_layout(config)
        super().__init__(
            {
                "enabled": In(config.tenants),
                "nominee": In(place),
                "grant": In(grant_signature(config)),
                "charges": In(charges_layout(config)),
                "ends": In(place),
                "levels": In(data.StructLayout(dict.fromkeys(KINDS, signed(level_width(config))))),
                "beats": In(data.StructLayout(dict.fromkeys(KINDS, whole_width(config)))),
                "follow": In(data.ArrayLayout(place, steps)),
                "fills": Out(1),
                "tokens": Out(tokens_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = config.tenants
        granted = self.grant.valid
        whole = self.beats.shape()

        # What made way for a grant, or else what ends in this clock.
        waits = Signal()
        waiting = _view(place_layout(config), name="waiting")
        waiting_levels = _view(self.levels.shape(), name="waiting_levels")
        waiting_beats = _view(whole, name="waiting_beats")
        m.d.sync += [
            waits.eq(granted & self.ends.tenants.any()),
            waiting.eq(self.ends),
            waiting.tenants.eq(Mux(granted, self.ends.tenants, 0)),
            waiting_levels.eq(self.levels),
            waiting_beats.eq(self.beats),
        ]
        found = Signal(tenants)
        place = Signal(config.tenant_width)
        outdated = Signal()
        written = Signal(tenants)
        m.d.comb += [
            found.eq(self.ends.tenants | waiting.tenants),
            place.eq(Mux(waits, waiting.place, self.ends.place)),
            outdated.eq(Cat(each.charges & (each.place == place) for each in self.follow).any()),
            written.eq(Mux(granted | outdated | (waits & self.fills), 0, found)),
        ]

        # Tenants whose buckets are still to be filled.
        empty = Signal(tenants, init=-1)
        was_enabled = Signal(tenants)
        enters = Signal(tenants)
        m.d.comb += [
            enters.eq(self.enabled & ~was_enabled),
            self.fills.eq((found & empty).any()),
        ]
        m.d.sync += [was_enabled.eq(self.enabled), empty.eq(enters | (empty & ~written))]

        # Beats, and their copy.
        m.submodules.copies = copies = memory.Memory(shape=whole, depth=tenants, init=[])
        write, read = copies.write_port(), copies.read_port(domain="comb")
        copied = _view(whole, name="copied")
        nominee_empty = (self.nominee.tenants & empty).any()
        m.d.comb += [
            read.addr.eq(self.nominee.place),
            write.addr.eq(Mux(granted, self.nominee.place, place)),
            write.data.eq(copied),
            write.en.eq(granted | written.any()),
        ]
        for kind in KINDS:
            beats = getattr(self.tokens, f"{kind}_beats")
            levels = getattr(self.tokens, kind)
            left = Signal(signed(len(copied[kind]) + 1), name=f"{kind}_left")
            m.d.comb += [
                left.eq(read.data[kind] - self.charges[kind]),
                copied[kind].eq(Mux(waits, waiting_beats[kind], self.beats[kind])),
            ]
            with m.If(granted):
                m.d.comb += copied[kind].eq(Mux(left[-1] | nominee_empty, 0, left))
            level = Mux(waits, waiting_levels[kind], self.levels[kind])
            charge = self.charges[kind] * config.beat_bytes << config.rate_fraction
            for i in range(tenants):
                with m.If(enters[i]):
                    m.d.sync += [beats[i].eq(0), levels[i].eq(0)]
                with m.Elif(written[i] | self.grant.tenants[i]):
                    left_level = Mux(nominee_empty, 0, levels[i] - charge)
                    m.d.sync += [
                        beats[i].eq(copied[kind]),
                        levels[i].eq(Mux(granted, left_level, level)),
                    ]
        return m
