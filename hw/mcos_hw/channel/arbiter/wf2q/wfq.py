"""The MCOS arbiter: WF2Q+ over three classes of heads, chosen a clock ahead."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.base import Arbiter
from mcos_hw.channel.arbiter.wf2q.choice import Choice
from mcos_hw.channel.arbiter.wf2q.entrance import EntranceTags
from mcos_hw.channel.arbiter.wf2q.order import PairOrder
from mcos_hw.channel.arbiter.wf2q.staleness import Staleness
from mcos_hw.channel.arbiter.wf2q.structs import queued_layout, tags_layout, turn_layout
from mcos_hw.channel.arbiter.wf2q.tags import TenantTags
from mcos_hw.channel.arbiter.wf2q.virtual_time import VirtualTime
from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import approach_layout
from mcos_hw.primitive.select import pick
from mcos_hw.registers import ArbiterKind, GrantClass

__all__ = [
    "Tagger",
    "WfqArbiter",
]


class WfqArbiter(Arbiter):
    """Worst-case fair weighted fair queueing with virtual finish times.

    WF2Q+ (Bennett and Zhang, "Hierarchical packet fair queueing algorithms", IEEE/ACM ToN 5(5),
    1997). Each tenant has a start tag S and a finish tag F = S + s / w of its head, where s is the
    size of the request and w the weight of the tenant. The class set K is the conforming
    serviceable heads if there are any, else the burst heads, else the scavenging heads. Heads of K
    with S <= V are candidates, where V is virtual time as it was ``lateness`` grants ago. The
    candidate with the least F is granted, ties to the lowest tenant. If there is no candidate, the
    head of K with the least S is granted, among equals the one with the least F, and V jumps to its
    S. While ``overcommitted`` is set, a tenant's priority goes before F. A promoted head goes
    before all of this.

    S of a new head is F of the request before it if that was still queued when the new one came.
    Otherwise it is max(F, V), or max(F, V - s / w) if the request follows the tenant's last
    response closely (depth-1 rule).

    The grant of a clock was chosen in the clock before and stands in registers. So the choice is
    between three: the heads of the other tenants, whose order is known; the request behind the head
    that is granted now, which is compared with all heads in this clock; and a request that enters
    an empty queue, which is compared in one clock and takes part in the next unless no other head
    is present.

    Tags are modular. A head that V leaves ``stale_after`` behind while it waits is *stale*: it
    stays a candidate, but its tags count no more; see
    :mod:`mcos_hw.channel.arbiter.wf2q.staleness`.

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
        approach, entry = self.arrival.approach, self.arrival.entry

        m.submodules.tagger = tagger = Tagger(config)
        m.submodules.order = order = PairOrder(config)
        m.submodules.choice = choice = Choice(config)
        turn = choice.turn

        m.d.comb += [
            tagger.inverse_total_weight.eq(self.live.channel.inverse_total_weight),
            tagger.turn.eq(turn),
            tagger.beats.eq(self.grant.beats),
            tagger.promoted.eq(self.grant.promoted),
            tagger.queued.heads.eq(Cat(each.present for each in self.view.heads)),
            tagger.queued.seconds.eq(Cat(each.present for each in self.view.nexts)),
            tagger.queued.thirds.eq(self.view.thirds),
            tagger.marks.eq(self.marks),
            tagger.approach.eq(approach),
            tagger.entry.eq(entry.tenants),
            tagger.cost.eq(entry.cost),
        ]
        m.d.comb += [
            order.heads.eq(tagger.tags),
            order.turn.eq(turn),
            order.followings.eq(tagger.followings),
            order.entry.eq(entry.tenants),
            order.enters.eq(tagger.enters),
            order.entering_start.eq(tagger.entering.start),
            order.entering_cost.eq(entry.cost),
        ]
        m.d.comb += [
            choice.open_then.eq(self.open_then),
            choice.overcommitted.eq(self.live.channel.overcommitted),
            choice.priorities.eq(Cat(each.priority for each in self.live.tenants)),
            choice.present.eq(tagger.queued.heads),
            choice.fresh.eq(tagger.enters),
            choice.class_codes.eq(self.classes.codes),
            choice.promote.eq(self.promote),
            choice.reached.eq(tagger.reached),
            choice.stale.eq(Cat(each[0] for each in tagger.stale)),
            choice.order.eq(order.order),
            choice.following.present.eq((turn.granted & tagger.queued.seconds).any()),
            choice.following.class_code.eq(self.classes.next_code),
            choice.following.reached.eq(tagger.following_reached),
            choice.following.stale.eq(tagger.following_stale),
            choice.following.order.eq(order.following),
        ]

        self._grant(m, turn)
        m.d.comb += [
            self.state.virtual_time.eq(tagger.value),
            self.state.candidates.eq(choice.candidates),
            self.state.start.eq(Cat(each.start for each in tagger.tags)),
            self.state.finish.eq(Cat(each.finish for each in tagger.tags)),
        ]
        return m

    def _grant(self, m, turn):
        """Drive :class:`mcos_hw.link.grant.Grant` with what the choice saw a clock before."""
        granted = turn.granted
        # Beats of the granted head: picked if its tenant is ``chosen``, prepared if ``again``.
        beats_chosen = pick(turn.chosen, [each.beats for each in self.view.heads])
        beats_again = Signal(self.config.beats_width)
        promoted = Signal(self.config.tenants)
        m.d.sync += [
            beats_again.eq(pick(granted, [each.beats for each in self.view.nexts])),
            promoted.eq(self.promote & ~granted),
        ]
        # Register the class of each tenant, to align it with the registered grant.
        for i in range(self.config.tenants):
            code = Mux(granted[i], self.classes.next_code, self.classes.codes[i])
            m.d.sync += [
                self.grant.conforming[i].eq(code == GrantClass.CONFORMING),
                self.grant.burst[i].eq(code == GrantClass.BURST),
            ]
        m.d.comb += [
            self.grant.valid.eq(turn.grant),
            self.grant.tenants.eq(granted),
            self.grant.beats.eq(Mux(turn.again, beats_again, beats_chosen)),
            self.grant.promoted.eq((granted & promoted).any()),
        ]


class Tagger(wiring.Component):
    """Gives every request its tags as it enters, and moves virtual time with every grant.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    inverse_total_weight : In(total_reciprocal_width)
        1/W of the live image.
    turn : In(turn_layout)
        The grant of this clock.
    beats, promoted : In
        Beats of the grant, and whether it is a promotion.
    queued : In(queued_layout)
        Which queues have how many requests.
    marks : In(ArrayLayout(tag_width, tenants))
        s / w of the third requests.
    approach : In(approach_layout)
        The request one step before its queue.
    entry : In(tenants)
        Whose queue a request enters in this clock, at most one.
    cost : In(tag_width)
        s / w of the entering request.
    tags : Out(ArrayLayout(tags_layout, tenants))
        Tags of the heads.
    stale : Out(ArrayLayout(3, tenants))
        Whether the head, the second and the third request of each tenant are stale.
    reached : Out(tenants)
        Whether virtual time has reached S of each head; a stale head counts as reached.
    followings : Out(ArrayLayout(tags_layout, 2))
        Tags of the request behind the granted head: the first holds unless ``again``, the second if
        ``again``.
    following_stale, following_reached : Out(1)
        ``stale`` and ``reached`` of that request.
    enters : Out(tenants)
        Whose queue the entering request becomes the head of.
    entering : Out(tags_layout)
        Tags of the entering request.
    value : Out(tag_width)
        V, as requests that arrive see it but for a jump under way.
    """

    inverse_total_weight: Signal
    turn: data.View
    beats: Signal
    promoted: Signal
    queued: data.View
    marks: data.View
    approach: data.View
    entry: Signal
    cost: Signal
    tags: data.View
    stale: data.View
    reached: Signal
    followings: data.View
    following_stale: Signal
    following_reached: Signal
    enters: Signal
    entering: data.View
    value: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        tags = tags_layout(config)
        super().__init__(
            {
                "inverse_total_weight": In(config.total_reciprocal_width),
                "turn": In(turn_layout(config)),
                "beats": In(config.beats_width),
                "promoted": In(1),
                "queued": In(queued_layout(config)),
                "marks": In(data.ArrayLayout(config.tag_width, config.tenants)),
                "approach": In(approach_layout(config)),
                "entry": In(config.tenants),
                "cost": In(config.tag_width),
                "tags": Out(data.ArrayLayout(tags, config.tenants)),
                "stale": Out(data.ArrayLayout(3, config.tenants)),
                "reached": Out(config.tenants),
                "followings": Out(data.ArrayLayout(tags, 2)),
                "following_stale": Out(1),
                "following_reached": Out(1),
                "enters": Out(config.tenants),
                "entering": Out(tags),
                "value": Out(config.tag_width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        turn, approach = self.turn, self.approach
        m.submodules.virtual_time = virtual_time = VirtualTime(config)
        m.submodules.staleness = staleness = Staleness(config)
        m.submodules.entrance = entrance = EntranceTags(config)
        m.submodules.tenant_tags = tags = TenantTags(config)
        starts = [each.start for each in tags.tags]

        # If V has reached a head, it is there or further and need not jump. With L = 0 that is
        # known too late; a jump then compares the two.
        stale = Cat(each[0] for each in staleness.stale)
        known_reached = staleness.reached if config.lateness else stale
        m.d.comb += [
            virtual_time.inverse_total_weight.eq(self.inverse_total_weight),
            virtual_time.grant.eq(turn.grant),
            virtual_time.beats.eq(self.beats),
            virtual_time.start.eq(pick(turn.granted, starts)),
            virtual_time.reached.eq((turn.granted & known_reached).any()),
            virtual_time.promoted.eq(self.promoted),
        ]
        m.d.comb += [
            staleness.turn.eq(turn),
            staleness.seen.eq(virtual_time.seen),
            staleness.time.eq(virtual_time.arrivals.value),
            staleness.starts.eq(Cat(starts)),
            staleness.followings.eq(tags.followings),
            staleness.following_start.eq(tags.following_start),
            staleness.enters_head.eq(tags.enters_head),
            staleness.enters_second.eq(tags.enters_second),
            staleness.entering_start.eq(entrance.entering.start),
            staleness.anchored.eq(entrance.anchored),
            staleness.approach.eq(approach.tenants_copy),
        ]
        m.d.comb += [
            entrance.approach.eq(approach),
            entrance.end.eq(tags.approach_end),
            entrance.stale.eq(staleness.approach_stale),
            entrance.waits.eq((approach.tenants & self.queued.heads).any()),
            entrance.granted.eq((approach.tenants & turn.granted).any()),
            entrance.third_finish.eq(tags.third_finish),
            entrance.anchor.eq(staleness.anchor),
            entrance.arrivals.eq(virtual_time.arrivals),
            entrance.entry.eq(self.entry),
            entrance.cost.eq(self.cost),
            entrance.leads.eq(tags.enters_head.any()),
            entrance.entering_old.eq(staleness.entering_old),
        ]
        m.d.comb += [
            tags.turn.eq(turn),
            tags.queued.eq(self.queued),
            tags.marks.eq(self.marks),
            tags.entry.eq(self.entry),
            tags.entering.eq(entrance.entering),
            tags.behind_stale.eq(staleness.behind),
            tags.anchor.eq(staleness.anchor),
            tags.approach.eq(approach.tenants_copy),
        ]
        m.d.comb += [
            self.tags.eq(tags.tags),
            self.stale.eq(staleness.stale),
            self.reached.eq(staleness.reached),
            self.followings.eq(tags.followings),
            self.following_stale.eq(staleness.following_stale),
            self.following_reached.eq(staleness.following_reached),
            self.enters.eq(tags.enters_head),
            self.entering.eq(entrance.entering),
            self.value.eq(virtual_time.arrivals.value),
        ]
        return m
