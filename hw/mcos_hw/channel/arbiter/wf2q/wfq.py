"""The MCOS arbiter: WF2Q+ over three classes of heads, chosen a clock ahead."""

from amaranth import *

from mcos_hw.channel.arbiter.base import Arbiter
from mcos_hw.channel.arbiter.wf2q.choice import Choice
from mcos_hw.channel.arbiter.wf2q.order import PairOrder
from mcos_hw.channel.arbiter.wf2q.tagger import Tagger
from mcos_hw.primitive.select import pick
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

    Tags are modular. A head that V leaves ``stale_after`` behind while it waits is *stale*: it
    stays a candidate, but its tags count no more; see
    :class:`mcos_hw.channel.arbiter.wf2q.staleness.Staleness`.

    Latency: a request that enters in clock t may be granted in t + 1 if no other head is present,
    else in t + 2. One grant per clock.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    See :class:`mcos_hw.channel.arbiter.base.Arbiter`.
    """

    kind = ArbiterKind.MCOS
    enforces_contracts = True
    mark = "cost"
    mark_ahead = 2

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)

        m.submodules.tagger = tagger = Tagger(config)
        m.submodules.order = order = PairOrder(config)
        m.submodules.choice = choice = Choice(config)

        granted = choice.granted
        heads = Cat(each.present for each in self.view.heads)
        seconds = Cat(each.present for each in self.view.nexts)
        m.d.comb += [
            tagger.inverse_total_weight.eq(self.live.channel.inverse_total_weight),
            tagger.grant.eq(choice.grant),
            tagger.granted.eq(granted),
            tagger.again.eq(choice.again),
            tagger.chosen.eq(choice.chosen),
            tagger.selects.eq(choice.selects),
            tagger.beats.eq(self.grant.beats),
            tagger.promoted.eq(self.grant.promoted),
            tagger.heads.eq(heads),
            tagger.seconds.eq(seconds),
            tagger.thirds.eq(self.view.thirds),
            tagger.marks.eq(self.marks),
            tagger.approach.eq(self.arrival.approach),
            tagger.entry.eq(self.arrival.entry.tenants),
            tagger.cost.eq(self.arrival.entry.cost),
        ]
        m.d.comb += [
            order.heads.eq(tagger.tags),
            order.granted.eq(granted),
            order.again.eq(choice.again),
            order.belows.eq(choice.belows),
            order.followings.eq(tagger.followings),
            order.entry.eq(self.arrival.entry.tenants),
            order.enters.eq(tagger.enters),
            order.entering_start.eq(tagger.entering.start),
            order.entering_cost.eq(self.arrival.entry.cost),
        ]
        m.d.comb += [
            choice.open_then.eq(self.open_then),
            choice.overcommitted.eq(self.live.channel.overcommitted),
            choice.priorities.eq(Cat(each.priority for each in self.live.tenants)),
            choice.present.eq(heads),
            choice.fresh.eq(tagger.enters),
            choice.class_codes.eq(self.classes.codes),
            choice.promote.eq(self.promote),
            choice.reached.eq(tagger.reached),
            choice.stale.eq(Cat(each[0] for each in tagger.stale)),
            choice.by_finish.eq(order.by_finish),
            choice.by_start.eq(order.by_start),
            choice.same_start.eq(order.same_start),
            choice.next_present.eq((granted & seconds).any()),
            choice.next_class_code.eq(self.classes.next_code),
            choice.next_reached.eq(tagger.following_reached),
            choice.next_stale.eq(tagger.following_stale),
            choice.next_by_finish.eq(order.following_by_finish),
            choice.next_by_start.eq(order.following_by_start),
            choice.next_same_start.eq(order.following_same_start),
        ]

        # Of the grant: its beats, and as what the choice saw each tenant.
        beats_chosen = pick(choice.chosen, [each.beats for each in self.view.heads])
        beats_again = Signal(config.beats_width)
        promoted = Signal(config.tenants)
        m.d.sync += [
            beats_again.eq(pick(granted, [each.beats for each in self.view.nexts])),
            promoted.eq(self.promote & ~granted),
        ]
        for i in tenants:
            code = Mux(granted[i], self.classes.next_code, self.classes.codes[i])
            m.d.sync += [
                self.grant.conforming[i].eq(code == GrantClass.CONFORMING),
                self.grant.burst[i].eq(code == GrantClass.BURST),
            ]
        m.d.comb += [
            self.grant.tenants.eq(granted),
            self.grant.valid.eq(choice.grant),
            self.grant.beats.eq(Mux(choice.again, beats_again, beats_chosen)),
            self.grant.promoted.eq((granted & promoted).any()),
            self.state.virtual_time.eq(tagger.value),
            self.state.candidates.eq(choice.candidates),
            self.state.start.eq(Cat(each.start for each in tagger.tags)),
            self.state.finish.eq(Cat(each.finish for each in tagger.tags)),
        ]
        return m
