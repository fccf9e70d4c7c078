"""The compact arbiter: its order pair by pair, its rounds, its virtual time, its spacing."""

import dataclasses

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data

from mcos_hw.channel.arbiter.wf2q.compact.contest import GroupContest
from mcos_hw.channel.arbiter.wf2q.compact.keys import HeadKeys
from mcos_hw.channel.arbiter.wf2q.compact.order import GroupOrder
from mcos_hw.channel.arbiter.wf2q.compact.structs import (
    GROUP,
    NO_RANK,
    PAIRS,
    groups,
    head_key,
    key_layout,
)
from mcos_hw.channel.arbiter.wf2q.compact.tournament import Final
from mcos_hw.channel.arbiter.wf2q.compact.virtual_time import SpacedVirtualTime
from mcos_hw.channel.arbiter.wf2q.structs import tags_layout
from mcos_hw.channel.spacing import GrantSpacing
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.primitive.select import modular_less
from tests.formal.property import Harness, Method, Property, at_most_one, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(lateness=0, grant_interval=8)
SMALL = dataclasses.replace(CONFIG, tenants=4)
FOUR = dataclasses.replace(CONFIG, tenants=4, tag_fraction=8)
EIGHT = dataclasses.replace(CONFIG, tenants=8, tag_fraction=8)
"""For claims about tags that hold whatever their width."""
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
            tags = Signal(tags_layout(config), name=f"tags_{i}")
            lead = Signal(signed(width), name=f"lead_{i}")
            cost = Signal(width, name=f"cost_{i}")
            stale = Signal(name=f"stale_{i}")
            sound = Signal(name=f"sound_{i}")
            m.d.comb += [
                tags.start.eq(keys.starts[i]),
                tags.finish.eq(self.any_value(width, name=f"finish_{i}")),
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
        first, second = keys.entrants[0], keys.entrants[1]
        loses = Signal()
        made = [
            head_key(config, head.place, head.priority, head_tags, keys.turned)
            for head, head_tags in ((first, tags), (second, tags_2))
        ]
        m.d.comb += [
            Assume(at_most_one(keys.promote)),
            loses.eq(made[1] < made[0]),
            Assert(implies(there & there_2, loses == ~goes)),
            Assert((first.place.rank == NO_RANK) == ~there),
            Assert(keys.candidates[0] == (there & ~promoted & reached)),
            Cover(there & there_2 & ~promoted & ~reached & (code == code_2) & loses),
        ]
        return m


class PairHarness(Harness):
    """Any tags of any tenant in any clock; one pair of a group is followed."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = GroupOrder(config)
        inside = self.prove(m, block)
        written = block.written
        count = groups(config) * len(PAIRS)
        pair = self.any_constant(m, range(count), name="any_pair")
        both = [
            Array(GROUP * g + PAIRS[k][side] for g in range(groups(config)) for k in range(6))[pair]
            for side in (0, 1)
        ]
        newest = self.look("newest", written.shape())
        last = [Signal(tags_layout(config), name=f"last_{k}", reset_less=True) for k in "ab"]
        compared = Signal()
        others = Array(self.look(f"other_{bits}", 2 * config.tag_width) for bits in range(1, GROUP))
        apart = Array((low ^ high) - 1 for _ in range(groups(config)) for low, high in PAIRS)[pair]
        for tenant, tags, its_other in zip(both, last, last[::-1], strict=True):
            with m.If(written.tenants.bit_select(tenant, 1)):
                m.d.sync += [tags.eq(written.tags), compared.eq(1)]
            stored = []
            for bits in range(1, GROUP):
                port = inside.submodules[f"tags_{bits}"].read_port(domain="comb")
                m.d.comb += port.addr.eq(tenant)
                stored.append(port.data == tags)
            is_newest = newest.tenants.bit_select(tenant, 1)
            m.d.comb += self.invariant(
                *stored,
                implies(is_newest, (newest.tags == tags) & (newest.tenant == tenant)),
                implies(is_newest, others[apart] == its_other.as_value()),
            )
        fresh = Cat(newest.tenants.bit_select(tenant, 1) for tenant in both).any()
        low, high = last

        def right(pairs):
            """Whether the pair's bits among those of all are as its tags compare."""
            told = Array(pairs[g][k].as_value() for g in range(groups(config)) for k in range(6))
            return told[pair] == Cat(
                ~modular_less(high.start, low.start),
                low.start == high.start,
                ~modular_less(high.finish, low.finish),
            )

        half = 1 << config.tag_width - 1
        m.d.comb += [
            Assume(pair < count),
            Assume(at_most_one(written.tenants)),
            Assume(implies(written.tenants.any(), written.tenants == 1 << written.tenant)),
            # Half of the scale apart neither is before the other.
            Assume((low.start - high.start)[: config.tag_width] != half),
            Assume((low.finish - high.finish)[: config.tag_width] != half),
            self.invariant(at_most_one(newest.tenants)),
            Assert(implies(compared, right(block.then))),
            Assert(implies(compared & ~fresh, right(block.kept))),
            Cover(compared & ~fresh & block.kept[1][2].start_equal),
        ]
        return m


class GroupHarness(Harness):
    """Any four heads, and pairs that say how the tags in their keys compare."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = GroupContest(config, after_places=True, after_elimination=True, after_reading=True)
        inside = self.prove(m, block)
        delay = 2
        entrants, turned = [block.entrants], [block.turned]
        for clock in range(delay):
            for past, name in ((entrants, "entrants"), (turned, "turned")):
                kept = Signal(past[-1].shape(), name=f"{name}_{clock}")
                m.d.sync += kept.eq(past[-1])
                past.append(kept)
        ports = [inside.submodules["kept_tags"].read_port(domain="comb") for _ in range(GROUP)]
        m.d.comb += [port.addr.eq(i) for i, port in enumerate(ports)]

        def keys_after(clocks):
            """Keys of the heads of so many clocks before, by the tags in memory now."""
            found = []
            for i, port in enumerate(ports):
                head = entrants[clocks][i]
                key = Signal(key_layout(config), name=f"key_{clocks}_{i}")
                made = head_key(config, head.place, head.priority, port.data, turned[clocks])
                m.d.comb += key.as_value().eq(made)
                found.append(key)
            return found

        for i in range(GROUP):
            given, eliminated = block.entrants[i], entrants[1][i]
            m.d.comb += [
                # V has reached a stale head.
                Assume(given.place.fresh | given.place.rank[0] | (given.place.rank == 0)),
                Assume(implies(block.write[i], eliminated.place.rank == NO_RANK)),
            ]
        m.d.comb += Assume(implies(block.write.any(), block.write == 1 << block.place))
        compared, keys = keys_after(1), keys_after(2)
        for k, (low, high) in enumerate(PAIRS):
            pair, first, second = block.pairs[k], compared[low], compared[high]
            fresh = first.place.fresh & second.place.fresh
            m.d.comb += [
                Assume(implies(fresh, pair.finish_first == (first.finish <= second.finish))),
                Assume(
                    implies(
                        ~first.place.rank[0] & ~second.place.rank[0],
                        (pair.start_first == (first.start <= second.start))
                        & (pair.start_equal == (first.start == second.start)),
                    )
                ),
            ]
        promoted = Cat(block.entrants[i].place.rank == 0 for i in range(GROUP))
        m.d.comb += Assume(at_most_one(promoted))
        known = Signal(delay + 1)
        m.d.sync += known.eq(Cat(Const(1, 1), known))
        before = [Signal(key_layout(config), name=f"before_{i}") for i in range(GROUP)]
        codes = Signal(data.ArrayLayout(2, GROUP))
        m.d.sync += [old.eq(key) for old, key in zip(before, keys, strict=True)]
        m.d.sync += [codes[i].eq(entrants[-1][i].class_code) for i in range(GROUP)]
        finalist, other = block.finalist, self.any_value(range(GROUP), name="any_other")
        number = finalist.place_in_group
        key = Array(each.as_value() for each in before)[number]
        other_key = Array(each.as_value() for each in before)[other]
        ranked = finalist.key.place.rank != NO_RANK
        m.d.comb += [
            Assert(
                implies(
                    known[-1],
                    finalist.key.place.rank <= Array(each.place.rank for each in before)[other],
                )
            ),
            Assert(
                implies(
                    known[-1] & ranked,
                    (finalist.key.as_value() == key)
                    & (finalist.class_code == Array(codes[i] for i in range(GROUP))[number])
                    & ((key < other_key) | ((key == other_key) & (number <= other))),
                )
            ),
            Cover(known[-1] & ranked & ~finalist.key.place.rank[0] & (number == 2) & (other == 1)),
        ]
        return m


class FinalHarness(Harness):
    """Any finalists in any clock; two of them are followed."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        rounds = 2
        block = Final(config, kept=[True] * rounds)
        self.prove(m, block)
        count = groups(config)
        places = [self.any_constant(m, range(count), name=f"any_group_{k}") for k in "ab"]
        known = Signal(rounds)
        m.d.sync += known.eq(Cat(Const(1, 1), known))
        finalists = [block.finalists[place] for place in places]
        for clock in range(rounds):
            kept = [Signal.like(each, name=f"kept_{clock}_{k}") for k, each in enumerate(finalists)]
            m.d.sync += [old.eq(new) for old, new in zip(kept, finalists, strict=True)]
            finalists = kept
        first, second = finalists
        best = block.best
        wins = best.tenant[2:] == places[0]
        before = (first.key.as_value() < second.key.as_value()) | (
            (first.key.as_value() == second.key.as_value()) & (places[0] <= places[1])
        )
        m.d.comb += [
            Assert(implies(known[-1] & wins, before)),
            Assert(implies(known[-1], best.tenants == 1 << best.tenant)),
            Assert(
                implies(
                    known[-1] & wins,
                    (best.present == (first.key.place.rank != NO_RANK))
                    & (best.promoted == (first.key.place.rank == 0))
                    & (best.tenant[:2] == first.place_in_group)
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
        beats, promoted = Signal.like(block.beats), Signal()
        inverse = Signal.like(block.inverse_total_weight)
        lead = config.tag_lead << config.tag_fraction
        size = beats * config.beat_bytes
        fraction = config.total_reciprocal_fraction - config.tag_fraction
        base = Mux(~block.stale & modular_less(block.value, to), to, block.value)
        m.d.comb += [
            Assume(block.beats <= config.max_beats),
            Assume(~block.grant | (granted == 0)),
            to.eq(Mux(promoted, block.start - lead, block.start)),
            cost.eq((size * inverse) >> fraction),
        ]
        m.d.sync += [
            granted.eq(Cat(block.grant, granted)),
            beats.eq(block.beats),
            promoted.eq(block.promoted),
            inverse.eq(block.inverse_total_weight),
        ]
        with m.If(granted[0]):
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
            text="(self.times[0][-3:] - 3)[2]",
            instead="(self.times[0][-3:] - 1)[2]",
        ),
        reach=3,
    ),
    Property(
        name="compact.pairs",
        claim=(
            "The kept bits of two heads of a group say how their tags compare, from the second "
            "clock after one of them was written."
        ),
        block=f"{COMPACT}.order.GroupOrder",
        config=EIGHT,
        harness=PairHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=f"{COMPACT}.order",
            text="_before(finish, other.finish, lower) ^ ~lower",
            instead="_before(finish, other.finish, lower)",
        ),
        reach=3,
    ),
    Property(
        name="compact.group",
        claim=(
            "Of four heads that with the least key is told, of equals that of the lowest tenant, "
            "if the bits of each pair say how the tags in their keys compare."
        ),
        block=f"{COMPACT}.contest.GroupContest",
        config=FOUR,
        harness=GroupHarness,
        method=Method.INDUCTION,
        depth=3,
        bug=Bug(
            module=f"{COMPACT}.contest",
            text="Mux(pair.start_equal, by_finish, pair.start_first)",
            instead="pair.start_first",
        ),
        reach=4,
    ),
    Property(
        name="compact.final",
        claim="Of four groups the head with the least key is told, of equals that of the lowest.",
        block=f"{COMPACT}.tournament.Final",
        config=CONFIG,
        harness=FinalHarness,
        method=Method.INDUCTION,
        depth=2,
        bug=Bug(
            module=f"{COMPACT}.tournament",
            text="second.key.as_value() < first.key.as_value()",
            instead="second.key.as_value() <= first.key.as_value()",
        ),
        reach=3,
        slow=True,
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
            text="~self.stale & modular_less(self.value, to)",
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
