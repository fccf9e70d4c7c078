"""The MCOS arbiter: WF2Q+ over three classes of heads, chosen a clock ahead."""

from amaranth import *

from mcos_hw.channel.arbiter import Arbiter
from mcos_hw.channel.choice import Choice
from mcos_hw.channel.entrance import EntranceTags
from mcos_hw.channel.order import PairOrder
from mcos_hw.channel.recency import Recency
from mcos_hw.channel.select import modular_less, pick
from mcos_hw.channel.tags import TenantTags
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
        approach, entry = self.approach, self.entry

        m.submodules.virtual_time = virtual_time = VirtualTime(config)
        m.submodules.recency = recency = Recency(config)
        m.submodules.entrance = entrance = EntranceTags(config)
        m.submodules.tags = tags = TenantTags(config)
        m.submodules.order = order = PairOrder(config)
        m.submodules.choice = choice = Choice(config)

        granted = choice.granted
        heads = Cat(each.present for each in self.heads)
        seconds = Cat(each.present for each in self.nexts)
        stale = Signal(config.tenants)
        reached = Signal(config.tenants)
        start = [each.start for each in tags.tags]
        m.d.comb += [
            stale.eq(Cat(each[0] for each in tags.stale)),
            reached.eq(stale | ~Cat(each[1] for each in recency.quarters)),
        ]

        m.d.comb += [
            virtual_time.inverse_total_weight.eq(self.live.channel.inverse_total_weight),
            virtual_time.grant.eq(choice.grant),
            virtual_time.beats.eq(self.beats),
            virtual_time.start.eq(pick(granted, start)),
            virtual_time.stale.eq((granted & stale).any()),
            virtual_time.promoted.eq(self.promoted),
        ]
        m.d.comb += [
            recency.grant.eq(choice.grant),
            recency.seen.eq(virtual_time.seen),
            recency.seen_past_grant.eq(virtual_time.seen_past_grant),
            recency.seen_next.eq(virtual_time.seen_next),
            recency.start.eq(Cat(start)),
            recency.granted.eq(granted),
            recency.following_start.eq(tags.following_start),
            recency.enters.eq(tags.enters_head),
            recency.entering_start.eq(entrance.entering.start),
        ]
        m.d.comb += [
            entrance.approach.eq(approach),
            entrance.end.eq(tags.approach_end),
            entrance.stale.eq(tags.approach_stale),
            entrance.waits.eq((approach.tenants & heads).any()),
            entrance.granted.eq((approach.tenants & granted).any()),
            entrance.third_finish.eq(tags.third_finish),
            entrance.anchor.eq(tags.anchor),
            entrance.value.eq(virtual_time.value),
            entrance.jump.eq(virtual_time.jump),
            entrance.jumps.eq(virtual_time.jumps),
            entrance.entry.eq(entry.tenants),
            entrance.cost.eq(entry.cost),
        ]
        m.d.comb += [
            tags.granted.eq(granted),
            tags.again.eq(choice.again),
            tags.chosen.eq(choice.chosen),
            tags.chosen_too.eq(choice.chosen_too),
            tags.heads.eq(heads),
            tags.seconds.eq(seconds),
            tags.thirds.eq(self.third),
            tags.marks.eq(self.marks),
            tags.entry.eq(entry.tenants),
            tags.entering.eq(entrance.entering),
            tags.entering_anchored.eq(entrance.anchored),
            tags.approach.eq(approach.tenants),
            tags.quarters.eq(recency.quarters),
            tags.time.eq(virtual_time.value),
        ]
        m.d.comb += [
            order.heads.eq(tags.tags),
            order.granted.eq(granted),
            order.again.eq(choice.again),
            order.belows.eq(choice.belows),
            order.followings.eq(tags.followings),
            order.entry.eq(entry.tenants),
            order.enters.eq(tags.enters_head),
            order.entering_start.eq(entrance.entering.start),
            order.entering_cost.eq(entry.cost),
        ]
        later = [
            modular_less(virtual_time.seen_past_grant, following.start)
            for following in (tags.followings[1], tags.followings[0])
        ]
        m.d.comb += [
            choice.open_then.eq(self.open_then),
            choice.overcommitted.eq(self.live.channel.overcommitted),
            choice.priorities.eq(Cat(each.priority for each in self.live.tenants)),
            choice.present.eq(heads),
            choice.fresh.eq(tags.enters_head),
            choice.class_codes.eq(self.class_codes),
            choice.promote.eq(self.promote),
            choice.reached.eq(reached),
            choice.stale.eq(stale),
            choice.by_finish.eq(order.by_finish),
            choice.by_start.eq(order.by_start),
            choice.same_start.eq(order.same_start),
            choice.next_present.eq((granted & seconds).any()),
            choice.next_class_code.eq(self.next_class_code),
            choice.next_reached.eq(tags.following_stale | ~Mux(choice.again, *later)),
            choice.next_stale.eq(tags.following_stale),
            choice.next_by_finish.eq(order.following_by_finish),
            choice.next_by_start.eq(order.following_by_start),
            choice.next_same_start.eq(order.following_same_start),
        ]

        # Of the grant: its beats, and as what the choice saw each tenant.
        beats_chosen = pick(choice.chosen, [each.beats for each in self.heads])
        beats_again = Signal(config.beats_width)
        promoted = Signal(config.tenants)
        m.d.sync += [
            beats_again.eq(pick(granted, [each.beats for each in self.nexts])),
            promoted.eq(self.promote & ~granted),
        ]
        for i in tenants:
            code = Mux(granted[i], self.next_class_code, self.class_codes[i])
            m.d.sync += [
                self.conforming[i].eq(code == GrantClass.CONFORMING),
                self.burst[i].eq(code == GrantClass.BURST),
            ]
        m.d.comb += [
            self.granted.eq(granted),
            self.grant.eq(choice.grant),
            self.beats.eq(Mux(choice.again, beats_again, beats_chosen)),
            self.promoted.eq((granted & promoted).any()),
            self.virtual_time.eq(virtual_time.value),
            self.candidates.eq(choice.candidates),
            self.start.eq(Cat(start)),
            self.finish.eq(Cat(each.finish for each in tags.tags)),
        ]
        return m
