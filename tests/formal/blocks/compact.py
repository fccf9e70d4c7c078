"""The compact arbiter: its order pair by pair, its tournament, its virtual time, its spacing."""

import dataclasses

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.arbiter.wf2q.compact.keys import HeadKeys
from mcos_hw.channel.arbiter.wf2q.compact.structs import NO_RANK
from mcos_hw.channel.arbiter.wf2q.compact.tournament import Tournament
from mcos_hw.channel.arbiter.wf2q.compact.virtual_time import SpacedVirtualTime
from mcos_hw.channel.spacing import GrantSpacing
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.primitive.select import modular_less
from tests.formal.property import Harness, Method, Property, at_most_one, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(lateness=0, grant_interval=8)
SMALL = dataclasses.replace(CONFIG, tenants=4)
COMPACT = "mcos_hw.channel.arbiter.wf2q.compact"


class OrderHarness(Harness):
    """Two heads whose tags are in the window, or stale: at most half of the scale apart."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        keys = HeadKeys(config)
        self.prove(m, keys)
        width, longest = config.tag_width, config.l_max << config.tag_fraction
        heads = []
        for i in (0, 1):
            tags = keys.tags[i]
            lead = Signal(signed(width), name=f"lead_{i}")
            cost = Signal(width, name=f"cost_{i}")
            stale = Signal(name=f"stale_{i}")
            sound = Signal(name=f"sound_{i}")
            m.d.comb += [
                lead.eq(tags.start - keys.times[0]),
                cost.eq(tags.finish - tags.start),
                stale.eq(keys.stale[i]),
                # A head is stale a clock late, so that it may be 12 longest requests behind V.
                sound.eq((lead > -12 * longest) & (lead <= 3 * longest) & (cost <= longest)),
                Assume(stale | sound),
            ]
            promoted, code = keys.promote[i], keys.class_codes[i]
            there = keys.tagged[i] & (code != NO_CLASS)
            reached = stale | (lead <= 0)
            heads.append((there, promoted, code, reached, stale, tags))
        priorities = [Signal(4, name=f"counts_{i}") for i in (0, 1)]
        for i in (0, 1):
            m.d.sync += priorities[i].eq(Mux(keys.overcommitted, keys.priorities[i], 0))

        # The rule, from the text of docs/channel.md: whether the first head goes before the other.
        (there, promoted, code, reached, stale, tags), other = heads
        there_2, promoted_2, code_2, reached_2, stale_2, tags_2 = other
        by_finish = ~modular_less(tags_2.finish, tags.finish)
        by_priority = (priorities[0] < priorities[1]) | (
            (priorities[0] == priorities[1]) & by_finish
        )
        among_candidates = Mux(stale | stale_2, stale, by_priority)
        among_others = Mux(
            tags.start == tags_2.start, by_priority, modular_less(tags.start, tags_2.start)
        )
        in_class = Mux(reached == reached_2, Mux(reached, among_candidates, among_others), reached)
        goes = Mux(promoted | promoted_2, promoted, Mux(code == code_2, in_class, code < code_2))
        first, second = keys.entrants[0].key, keys.entrants[1].key
        loses = second.as_value() < first.as_value()
        m.d.comb += [
            Assume(at_most_one(keys.promote)),
            Assert(implies(there & there_2, loses == ~goes)),
            Assert((first.rank == NO_RANK) == ~there),
            Assert(keys.candidates[0] == (there & ~promoted & reached)),
            Cover(there & there_2 & ~promoted & ~reached & (code == code_2) & loses),
        ]
        return m


class TournamentHarness(Harness):
    """Any entrants in any clock; two of them are followed."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = Tournament(config)
        self.prove(m, block)
        places = [self.any_constant(m, range(config.tenants), name=f"any_tenant_{k}") for k in "ab"]
        known = Signal(config.look_clocks)
        m.d.sync += known.eq(Cat(Const(1, 1), known))
        entrants = [block.entrants[place] for place in places]
        for clock in range(config.look_clocks):
            kept = [Signal.like(each, name=f"kept_{clock}_{k}") for k, each in enumerate(entrants)]
            m.d.sync += [old.eq(new) for old, new in zip(kept, entrants, strict=True)]
            entrants = kept
        first, second = entrants
        best = block.best
        wins = best.tenants.bit_select(places[0], 1)
        before = (first.key.as_value() < second.key.as_value()) | (
            (first.key.as_value() == second.key.as_value()) & (places[0] <= places[1])
        )
        m.d.comb += [
            Assert(implies(known[-1] & wins, before)),
            Assert(implies(known[-1], at_most_one(best.tenants) & best.tenants.any())),
            Assert(
                implies(
                    known[-1] & wins,
                    (best.present == (first.key.rank != NO_RANK))
                    & (best.promoted == (first.key.rank == 0))
                    & (best.class_code == first.class_code),
                )
            ),
            Cover(known[-1] & wins & (places[0] > places[1]) & best.present),
        ]
        return m


class TimeHarness(Harness):
    """Grants that are ``UPDATE_CLOCKS`` apart or more."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = SpacedVirtualTime(config, copies=1)
        self.prove(m, block)
        granted = Signal(2)
        expected = Signal(config.tag_width)
        to = Signal(config.tag_width)
        cost = Signal(config.tag_width)
        lead = config.tag_lead << config.tag_fraction
        size = block.beats * config.beat_bytes
        fraction = config.total_reciprocal_fraction - config.tag_fraction
        base = Mux(~block.stale & modular_less(block.value, to), to, block.value)
        m.d.comb += [
            Assume(block.beats <= config.max_beats),
            Assume(~block.grant | (granted == 0)),
            to.eq(Mux(block.promoted, block.start - lead, block.start)),
            cost.eq((size * block.inverse_total_weight) >> fraction),
        ]
        m.d.sync += granted.eq(Cat(block.grant, granted))
        with m.If(block.grant):
            m.d.sync += expected.eq(base + cost)
        moves = Signal()
        before = Signal(config.tag_width)
        known = Signal()
        m.d.sync += [moves.eq(granted[1]), before.eq(block.value), known.eq(1)]
        m.d.comb += [
            Assert(implies(known & moves, block.value == expected)),
            Assert(implies(known & ~moves, block.value == before)),
            self.invariant(block.copies[0] == block.value),
            Cover(moves & (block.value != before)),
        ]
        return m


class SpacingHarness(Harness):
    """Grants in any clock in which they are allowed."""

    def elaborate(self, platform):
        m = Module()
        interval = self.config.grant_interval
        block = GrantSpacing(self.config)
        self.prove(m, block)
        closed = self.look("closed", range(interval))
        opened = Signal()
        # Clocks since the last grant, or as many as it takes.
        since = Signal(range(interval + 1), init=interval)
        m.d.sync += opened.eq(block.open_then)
        with m.If(block.grant.valid):
            m.d.sync += since.eq(1)
        with m.Elif(since < interval):
            m.d.sync += since.eq(since + 1)
        m.d.comb += [
            Assume(opened | ~block.grant.valid),
            self.invariant(
                closed == Mux(since >= interval - 1, 0, interval - 1 - since),
                implies(opened, since >= interval),
            ),
            Assert(implies(block.grant.valid, since >= interval)),
            Assert(block.open_then == (~block.grant.valid & (since >= interval - 1))),
            Cover(block.grant.valid & (since == interval)),
        ]
        return m


PROPERTIES = (
    Property(
        name="compact.order",
        claim=(
            "Of two heads with tags in the window that one has the lesser key which goes first by "
            "class, age, start tag, staleness, priority and finish tag; a head without class or "
            "tags has no rank."
        ),
        block=f"{COMPACT}.keys.HeadKeys",
        config=SMALL,
        harness=OrderHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=f"{COMPACT}.keys",
            text="Mux(reached, 0, ~behind)",
            instead="Mux(reached, 0, behind)",
        ),
        reach=3,
    ),
    Property(
        name="compact.tournament",
        claim="The head with the least key is told, of equals that of the lowest tenant.",
        block=f"{COMPACT}.tournament.Tournament",
        config=SMALL,
        harness=TournamentHarness,
        method=Method.INDUCTION,
        depth=4,
        bug=Bug(
            module=f"{COMPACT}.tournament",
            text="second.key.as_value() < first.key.as_value()",
            instead="second.key.as_value() <= first.key.as_value()",
        ),
        reach=6,
    ),
    Property(
        name="compact.virtual_time",
        claim="V is max(V, S) + s / W three clocks after a grant, and moves in no other clock.",
        block=f"{COMPACT}.virtual_time.SpacedVirtualTime",
        config=CONFIG,
        harness=TimeHarness,
        method=Method.INDUCTION,
        depth=4,
        bug=Bug(
            module=f"{COMPACT}.virtual_time",
            text="~stale & modular_less(self.value, to)",
            instead="modular_less(self.value, to)",
        ),
        reach=6,
        slow=True,
    ),
    Property(
        name="compact.spacing",
        claim="Grants are an interval apart or more, and may be made as soon as that is over.",
        block="mcos_hw.channel.spacing.GrantSpacing",
        config=CONFIG,
        harness=SpacingHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.channel.spacing",
            text="self.config.grant_interval - 2",
            instead="self.config.grant_interval - 3",
        ),
        reach=20,
    ),
)
