"""Where every head stands: the key by which it is compared, and whether its tags are stale."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.compact.structs import NO_RANK, entrant_layout
from mcos_hw.channel.arbiter.wf2q.structs import tags_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS

__all__ = [
    "HeadKeys",
    "time_copies",
]


def time_copies(config: ChannelConfig) -> int:
    """Copies of V: each has eight subtractions."""
    return config.tenants // 4


class HeadKeys(wiring.Component):
    """Makes the key of every head, in one clock and without a carry chain behind another.

    V - S and F - V are side by side. The sign of the first tells which of them the key takes. What
    it takes of the first is its complement, S - V - 1, which orders heads as S does.

    A head is *stale* from the clock on after the one in which V has left its S ``stale_after`` (8
    longest requests) behind: the two upper bits of V - S are then 01. It stays stale, however far V
    moves on, until its tenant gets other tags. An empty queue grows stale by the S of its last
    request.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    times : In(ArrayLayout(tag_width, ...))
        V, in copies that share its fan-out.
    tags : In(ArrayLayout(tags_layout, tenants))
        S and F of each head.
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
    stale : Out(tenants)
        Whether the tags of each tenant are stale.
    candidates : Out(tenants)
        Heads that have a class, are not promoted, and that V has reached or that are stale.
    """

    times: data.View
    tags: data.View
    tagged: Signal
    written: Signal
    class_codes: data.View
    promote: Signal
    overcommitted: Signal
    priorities: data.View
    entrants: data.View
    stale: Signal
    candidates: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        tenants = config.tenants
        super().__init__(
            {
                "times": In(data.ArrayLayout(config.tag_width, time_copies(config))),
                "tags": In(data.ArrayLayout(tags_layout(config), tenants)),
                "tagged": In(tenants),
                "written": In(tenants),
                "class_codes": In(data.ArrayLayout(2, tenants)),
                "promote": In(tenants),
                "overcommitted": In(1),
                "priorities": In(data.ArrayLayout(4, tenants)),
                "entrants": Out(data.ArrayLayout(entrant_layout(config), tenants)),
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
        for i in range(self.config.tenants):
            tags, code, entrant = self.tags[i], self.class_codes[i], self.entrants[i]
            key = entrant.key
            behind = Signal(width, name=f"behind_{i}")
            ahead = Signal(width, name=f"ahead_{i}")
            priority = Signal(4, name=f"priority_{i}")
            reached = Signal(name=f"reached_{i}")
            takes_part = Signal(name=f"takes_part_{i}")
            m.d.sync += priority.eq(Mux(self.overcommitted, self.priorities[i], 0))
            m.d.comb += [
                behind.eq(self.times[2 * i % copies] - tags.start),
                ahead.eq(tags.finish - self.times[(2 * i + 1) % copies]),
                old[i].eq(behind[-2:] == 0b01),
                reached.eq(self.stale[i] | ~behind[-1]),
                takes_part.eq(self.tagged[i] & (code != NO_CLASS)),
                self.candidates[i].eq(takes_part & reached & ~self.promote[i]),
                key.start.eq(Mux(reached, 0, ~behind)),
                key.priority.eq(Mux(self.stale[i], 0, priority)),
                key.finish.eq(Mux(self.stale[i], 0, ahead ^ (1 << width - 1))),
                entrant.class_code.eq(code),
            ]
            with m.If(~takes_part):
                m.d.comb += key.rank.eq(NO_RANK)
            with m.Elif(self.promote[i]):
                m.d.comb += key.rank.eq(0)
            with m.Else():
                m.d.comb += key.rank.eq((code << 1) + 2 - reached)
        return m
