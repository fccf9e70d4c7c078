"""Where every head stands before tags are compared, and whether its tags are stale."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.compact.structs import NO_RANK, entrant_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS

__all__ = [
    "HeadKeys",
    "time_copies",
]


def time_copies(config: ChannelConfig) -> int:
    """Copies of V: each has eight subtractions at most."""
    return -(-config.tenants // 8)


class HeadKeys(wiring.Component):
    """Tells of every head its class, its age, whether V has reached it, and whether it is stale.

    One subtraction a head, V - S, answers both questions about V: its sign the first, its two upper
    bits the second.

    A head is *stale* from the clock on after the one in which V has left its S ``stale_after`` (8
    longest requests) behind: the two upper bits of V - S are then 01. It stays stale, however far V
    moves on, until its tenant gets other tags. An empty queue grows stale by the S of its last
    request.

    Tags that are compared lie between 12 longest requests behind V and 4 ahead of it, half of the
    modular scale. ``turned`` says whether the scale wraps there. Its wrap and its middle are
    half of the scale apart, so V's three upper bits, an eighth of the scale or 4 longest requests,
    tell which of the two is near.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    times : In(ArrayLayout(tag_width, ...))
        V, in copies that share its fan-out.
    starts : In(ArrayLayout(tag_width, tenants))
        S of each head.
    tagged : In(tenants)
        Heads that have their tags; no other takes part.
    written : In(tenants)
        Tenant that gets other tags with this clock.
    class_codes : In(ArrayLayout(2, tenants))
        Class of each head, NO_CLASS if it has none.
    promote : In(tenants)
        Tenant of the head that goes before all others.
    overcommitted, priorities : In
        Of the live image: whether priorities count, and the priority of each tenant. They count
        from the next clock on.
    entrants : Out(ArrayLayout(entrant_layout, tenants))
        The heads of this clock.
    turned : Out(1)
        Tags near V wrap.
    stale : Out(tenants)
        Whether the tags of each tenant are stale.
    candidates : Out(tenants)
        Heads that have a class, are not promoted, and that V has reached or that are stale.
    """

    times: data.View
    starts: data.View
    tagged: Signal
    written: Signal
    class_codes: data.View
    promote: Signal
    overcommitted: Signal
    priorities: data.View
    entrants: data.View
    turned: Signal
    stale: Signal
    candidates: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        tenants = config.tenants
        super().__init__(
            {
                "times": In(data.ArrayLayout(config.tag_width, time_copies(config))),
                "starts": In(data.ArrayLayout(config.tag_width, tenants)),
                "tagged": In(tenants),
                "written": In(tenants),
                "class_codes": In(data.ArrayLayout(2, tenants)),
                "promote": In(tenants),
                "overcommitted": In(1),
                "priorities": In(data.ArrayLayout(4, tenants)),
                "entrants": Out(data.ArrayLayout(entrant_layout(), tenants)),
                "turned": Out(1),
                "stale": Out(tenants),
                "candidates": Out(tenants),
            }
        )

    def elaborate(self, platform):
        m = Module()
        width = self.config.tag_width
        copies = time_copies(self.config)
        old = Signal(self.config.tenants)
        m.d.sync += self.stale.eq((self.stale | old) & ~self.written)
        # From 12 longest requests behind V on: the window begins in the upper half of the scale.
        m.d.comb += self.turned.eq((self.times[0][-3:] - 3)[2])
        for i in range(self.config.tenants):
            code, entrant = self.class_codes[i], self.entrants[i]
            place = entrant.place
            behind = Signal(width, name=f"behind_{i}")
            priority = Signal(4, name=f"priority_{i}")
            reached = Signal(name=f"reached_{i}")
            takes_part = Signal(name=f"takes_part_{i}")
            m.d.sync += priority.eq(Mux(self.overcommitted, self.priorities[i], 0))
            m.d.comb += [
                behind.eq(self.times[i % copies] - self.starts[i]),
                old[i].eq(behind[-2:] == 0b01),
                reached.eq(self.stale[i] | ~behind[-1]),
                takes_part.eq(self.tagged[i] & (code != NO_CLASS)),
                self.candidates[i].eq(takes_part & reached & ~self.promote[i]),
                place.fresh.eq(~self.stale[i]),
                entrant.priority.eq(priority),
                entrant.class_code.eq(code),
            ]
            with m.If(~takes_part):
                m.d.comb += place.rank.eq(NO_RANK)
            with m.Elif(self.promote[i]):
                m.d.comb += place.rank.eq(0)
            with m.Else():
                m.d.comb += place.rank.eq((code << 1) + 2 - reached)
        return m
