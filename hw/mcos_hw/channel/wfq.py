"""The MCOS arbiter: WF2Q+ over three classes of heads, chosen a clock ahead."""

from amaranth import *
from amaranth.lib import data

from mcos_hw.channel.arbiter import Arbiter
from mcos_hw.channel.order import PairOrder, tags_layout
from mcos_hw.channel.probe import NO_CLASS
from mcos_hw.channel.select import modular_less, pick, set_below
from mcos_hw.channel.virtual_time import VirtualTime
from mcos_hw.registers import ArbiterKind, GrantClass

__all__ = ["WfqArbiter"]


class WfqArbiter(Arbiter):
    """Worst-case fair weighted fair queueing with virtual finish times.

    WF2Q+ (Bennett and Zhang, "Hierarchical packet fair queueing algorithms", IEEE/ACM ToN 5(5),
    1997). Each tenant has a start tag S and a finish tag F = S + s / w of its head. The class set
    K is the conforming serviceable heads if there are any, else the burst ones, else the
    scavenging ones. Heads of K with S <= V are candidates, V being virtual time as it was
    ``lateness`` grants ago. The candidate with the least F is granted, ties to the lowest tenant;
    if there is none, the head of K with the least S (among equals the least F), to which V jumps.
    While ``overcommitted`` is set, a tenant's priority goes before F. A promoted head goes before
    all of this.

    S of a new head is F of the request before it if that was still queued when the new one came,
    else max(F, V), or max(F, V - s / w) where it follows the tenant's last response closely
    (depth-1 rule).

    The grant of a clock is chosen in the clock before and stands in registers. So the choice is
    between three: the heads of the other tenants, whose order is known; the request that follows
    the head granted now, compared with all of them in this clock; and a request that enters an
    empty queue, which has a clock for its comparisons unless no other head is present.

    Tags are modular. A head whose S is ``tag_lag`` or more behind V, because it waits in a lower
    class or is held, is *stale*: it stays a candidate and goes before those of its class that are
    not, in the order of tenants; so do the two requests prepared behind it. What comes after them
    starts at V - tag_lag / 2.

    Latency: a request that enters in clock t may be granted in t + 1 if no other head is present,
    else in t + 2. One grant per clock.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    See :func:`mcos_hw.channel.arbiter.arbiter_signature`.
    """

    kind = ArbiterKind.MCOS
    enforces_contracts = True
    mark = "cost"
    mark_ahead = 2

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
        granted = self.granted

        m.submodules.virtual_time = virtual_time = VirtualTime(config)
        m.submodules.order = order = PairOrder(config)

        # Per tenant: S and F of the head, F of the last request that has tags (``end``), which of
        # the three tags are stale. Without a head all three are the last F.
        end = [Signal(config.tag_width, name=f"end_{i}") for i in tenants]
        stale = [Signal(3, name=f"stale_{i}") for i in tenants]
        anchor = Signal(config.tag_width)
        m.d.sync += anchor.eq(virtual_time.value - (config.tag_lag // 2 << config.tag_fraction))

        # F of the third request, once it is the second one: the sum goes to the tenant's register a
        # clock late, and stands for it until then.
        ended = Signal(config.tenants)
        end_sum = Signal(config.tag_width)

        def end_of(selected):
            again = (selected & ended).any()
            return Mux(again, end_sum, pick(selected, end))

        # The request behind the head that is granted now.
        tags = tags_layout(config)
        following = data.View(tags, Signal(tags, name="following"))
        following_present = Signal()
        following_stale = Signal()
        end_granted = Signal(config.tag_width)
        end_then = Signal(config.tag_width)
        end_stale = Signal()
        m.d.comb += [
            following.start.eq(pick(granted, [self.finish[i] for i in tenants])),
            following.finish.eq(end_of(granted)),
            following_present.eq((granted & Cat(each.present for each in self.nexts)).any()),
            following_stale.eq(pick(granted, [stale[i][1] for i in tenants])),
            end_stale.eq(pick(granted, [stale[i][2] for i in tenants])),
            end_granted.eq(Mux(end_stale, anchor, following.finish)),
            end_then.eq(
                end_granted
                + pick(
                    granted,
                    [self.marks[i] & self.third[i].replicate(config.tag_width) for i in tenants],
                )
            ),
        ]

        # A request one step before its queue gets its start tag. It is anchored if it does not go
        # on from a tag that may be stale.
        approach, entry = self.approach, self.entry
        waits = Cat(each.present for each in self.heads)
        entering = data.View(tags, Signal(tags, name="entering"))
        entering_anchored = Signal()
        start_then = Signal(config.tag_width)
        anchored_then = Signal()
        last = Signal(config.tag_width)
        last_stale = Signal()
        idle_stale = Signal()
        credit = Signal(config.tag_width)
        floor = Signal(config.tag_width)
        jump_floor = Signal(config.tag_width)
        m.d.comb += [
            last.eq(end_of(approach.tenants)),
            last_stale.eq(pick(approach.tenants, [stale[i][2] for i in tenants])),
            idle_stale.eq(pick(approach.tenants, [stale[i][0] for i in tenants])),
            credit.eq(Mux(approach.recent, approach.cost, 0)),
            floor.eq(virtual_time.value - credit),
            jump_floor.eq(virtual_time.jump - credit),
            start_then.eq(Mux(last_stale, anchor, last)),
            anchored_then.eq(last_stale),
        ]
        with m.If((approach.tenants & granted).any()):
            m.d.comb += start_then.eq(end_then)
        with m.Elif(~(approach.tenants & waits).any()):
            jumps = virtual_time.jumps
            passed = Mux(jumps, modular_less(last, jump_floor), modular_less(last, floor))
            m.d.comb += [
                start_then.eq(Mux(idle_stale | passed, Mux(jumps, jump_floor, floor), last)),
                anchored_then.eq(1),
            ]
        if config.lateness:
            with m.If((approach.tenants & entry.tenants).any()):
                m.d.comb += [
                    start_then.eq(entering.finish),
                    anchored_then.eq(entering_anchored),
                ]
            m.d.sync += [entering.start.eq(start_then), entering_anchored.eq(anchored_then)]
        else:
            m.d.comb += [entering.start.eq(start_then), entering_anchored.eq(anchored_then)]
        m.d.comb += entering.finish.eq(entering.start + entry.cost)

        enters_head = Signal(config.tenants)
        enters_next = Signal(config.tenants)
        for i in tenants:
            head, after = self.heads[i].present, self.nexts[i].present
            m.d.comb += [
                enters_head[i].eq(entry.tenants[i] & Mux(granted[i], ~after, ~head)),
                enters_next[i].eq(
                    entry.tenants[i] & Mux(granted[i], after & ~self.third[i], head & ~after)
                ),
            ]

        m.d.sync += ended.eq(granted & ~enters_head & ~enters_next)

        # Tags. The start tag of a stale head only tells how long it has been one: with it, what
        # is prepared behind the head grows stale too before it leaves the modular scale.
        start_then_granted = Signal(config.tag_width)
        m.d.comb += start_then_granted.eq(Mux(following_stale, anchor, following.start))
        seen = virtual_time.seen
        reached = Signal(config.tenants)
        for i in tenants:
            behind = Signal(config.tag_width, name=f"behind_{i}")
            grows_stale = Signal(name=f"grows_stale_{i}")
            m.d.comb += [
                behind.eq(seen - self.start[i]),
                reached[i].eq(stale[i][0] | ~behind[-1]),
                grows_stale.eq(Mux(stale[i][0], behind[-2:].any(), ~behind[-1] & behind[-2])),
            ]
            with m.If(granted[i]):
                m.d.sync += [
                    self.start[i].eq(start_then_granted),
                    self.finish[i].eq(following.finish),
                    stale[i].eq(stale[i][1:]),
                ]
            with m.If(ended[i]):
                m.d.sync += end[i].eq(end_sum)
            with m.If(grows_stale):
                m.d.sync += stale[i].eq(0b111)
            entering_stale = (stale[i][2] | grows_stale) & ~entering_anchored
            with m.If(enters_head[i]):
                m.d.sync += [
                    self.start[i].eq(entering.start),
                    self.finish[i].eq(entering.finish),
                    stale[i].eq(entering_stale.replicate(3)),
                ]
            with m.If(enters_head[i] | enters_next[i]):
                m.d.sync += [end[i].eq(entering.finish), stale[i][2].eq(entering_stale)]
        following_reached = Signal()
        m.d.sync += end_sum.eq(end_then)
        m.d.comb += following_reached.eq(following_stale | ~modular_less(seen, following.start))

        m.d.comb += [
            order.granted.eq(granted),
            order.following.eq(following),
            order.enters.eq(enters_head),
            order.entering_start.eq(entering.start),
            order.entering_cost.eq(entry.cost),
        ]
        for i in tenants:
            m.d.comb += [
                order.heads[i].start.eq(self.start[i]),
                order.heads[i].finish.eq(self.finish[i]),
            ]

        # While not overcommitted all priorities count as equal.
        prior = [Signal(config.tenants, name=f"prior_{i}") for i in tenants]
        for i in tenants:
            for j in tenants:
                if i != j:
                    m.d.sync += prior[i][j].eq(
                        self.live.channel.overcommitted
                        & (self.live.tenants[i].priority < self.live.tenants[j].priority)
                    )

        # Ranks: 0 promoted; 1, 3, 5 the candidates and 2, 4, 6 the other heads of the classes;
        # 7 nobody.
        def rank_of(class_code, reached):
            return Mux(class_code == NO_CLASS, 7, Cat(~reached, class_code) + 1)

        ranks = [Signal(3, name=f"rank_{i}") for i in tenants]
        for i in tenants:
            m.d.comb += ranks[i].eq(7)
            with m.If(self.heads[i].present & ~granted[i]):
                m.d.comb += ranks[i].eq(
                    Mux(
                        self.promote[i] & (self.class_codes[i] != NO_CLASS),
                        0,
                        rank_of(self.class_codes[i], reached[i]),
                    )
                )

        def goes_first(rank, other_rank, among_equals):
            """Whether a head goes before another one."""
            return (rank < other_rank) | ((rank == other_rank) & among_equals)

        def among_candidates(is_stale, other_stale, lower, finish_first):
            return Mux(is_stale, ~other_stale | lower, ~other_stale & finish_first)

        def among_others(start_first, same_start, finish_first):
            return start_first | (same_start & finish_first)

        # The tenant granted now has rank 7 as a head, so that what follows it meets the others.
        # What is known last, the comparisons of this clock, comes last.
        present = Signal(config.tenants)
        best = Signal(config.tenants)
        follows = Signal()
        gives_way = Signal(config.tenants)
        granted_below = set_below(granted)
        m.d.comb += follows.eq(following_present & (self.next_class_code != NO_CLASS))
        for i in tenants:
            before_others = []
            for j in tenants:
                if i == j:
                    continue
                finish_first = prior[i][j] | (~prior[j][i] & order.by_finish[i][j])
                among_equals = Mux(
                    ranks[i][0],
                    among_candidates(stale[i][0], stale[j][0], int(i < j), finish_first),
                    among_others(order.by_start[i][j], order.same_start[i][j], finish_first),
                )
                before_others.append(goes_first(ranks[i], ranks[j], among_equals))
            prior_following = pick(granted, [prior[j][i] for j in tenants])
            prior_head = pick(granted, [prior[i][j] for j in tenants])
            finish_first = prior_following | (~prior_head & order.following_by_finish[i])
            if_reached = goes_first(
                rank_of(self.next_class_code, Const(1, 1)),
                ranks[i],
                among_candidates(following_stale, stale[i][0], granted_below[i], finish_first),
            )
            if_not = goes_first(
                rank_of(self.next_class_code, Const(0, 1)),
                ranks[i],
                among_others(
                    order.following_by_start[i], order.following_same_start[i], finish_first
                ),
            )
            m.d.comb += [
                present[i].eq(ranks[i] != 7),
                best[i].eq(present[i] & Cat(before_others).all()),
                gives_way[i].eq(Mux(following_reached, if_reached, if_not)),
            ]

        # Either another tenant, or the one granted now once more.
        alone = Signal()
        chosen = Signal(config.tenants)
        again = Signal()
        was_granted = Signal(config.tenants)
        m.d.comb += [
            alone.eq(~present.any() & ~follows),
            granted.eq(chosen | (was_granted & again.replicate(config.tenants))),
        ]
        m.d.sync += [
            was_granted.eq(granted),
            again.eq(self.open_then & follows & ~(best & ~gives_way).any()),
        ]
        for i in tenants:
            fresh = enters_head[i] & ~granted[i] & (self.class_codes[i] != NO_CLASS)
            m.d.sync += chosen[i].eq(
                self.open_then & ((best[i] & ~(follows & gives_way[i])) | (fresh & alone))
            )

        # As what the choice saw each tenant.
        covered = Signal(config.tenants)
        covered_by_peak = Signal(config.tenants)
        promoted = Signal(config.tenants)
        for i in tenants:
            code = Mux(granted[i], self.next_class_code, self.class_codes[i])
            m.d.sync += [
                covered[i].eq(code == GrantClass.CONFORMING),
                covered_by_peak[i].eq(code == GrantClass.BURST),
                promoted[i].eq(self.promote[i] & ~granted[i]),
            ]
        m.d.comb += [
            self.conforming.eq(granted & covered),
            self.burst.eq(granted & covered_by_peak),
            self.promoted.eq((granted & promoted).any()),
            virtual_time.inverse_total_weight.eq(self.live.channel.inverse_total_weight),
            virtual_time.grant.eq(granted.any()),
            virtual_time.beats.eq(pick(granted, [each.beats for each in self.heads])),
            virtual_time.start.eq(pick(granted, [self.start[i] for i in tenants])),
            virtual_time.stale.eq(pick(granted, [stale[i][0] for i in tenants])),
            virtual_time.promoted.eq(self.promoted),
            self.virtual_time.eq(virtual_time.value),
            self.candidates.eq(Cat(rank[0] & (rank != 7) for rank in ranks)),
        ]
        return m
