"""The MCOS arbiter: WF2Q+ among the heads of the best class, chosen a clock ahead."""

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
    1997). A request of s bytes of a tenant of weight w has a start tag S and a finish tag F = S +
    s / w. A grant moves virtual time V to max(V, S) + s / W; W is the sum of the weights of the
    live image, which is the configuration in force. Tags and V count bytes at w = 1.

    **Classes.** A head is *conforming* if the committed bucket of its tenant covers it, *burst* if
    only the peak bucket does, *scavenging* if neither does and the tenant may use idle slots. A
    head with a class is *serviceable*. Any other head is held until tokens come. K is all
    serviceable heads of the best class present, in the order above.

    **Order.** A serviceable head of any class is a *candidate* if S <= V or if it is stale. V is
    here as it was L grants ago (*lateness*, ``ChannelConfig.lateness``, 0 to 3). A head is *stale*
    if V has left it ``stale_after`` (8 times the longest request) behind; see
    :mod:`mcos_hw.channel.arbiter.wf2q.staleness`. The first rule that applies decides:

    1. The *promoted* head is granted, if it is serviceable. The age guard promotes at most one, a
       head that was serviceable for too long.
    2. A candidate in K is granted. Stale ones go first, lowest tenant first, then the least F.
    3. Otherwise the head of K with the least S is granted, of equal S the one with the least F.

    Equal F go to the lowest tenant. While the live image says ``overcommitted`` (guarantees add up
    to more than the capacity), the priority of the tenant is compared just before F, 0 first. So it
    counts neither between stale heads nor before S in rule 3.

    **Jumps.** V jumps if S of the granted head is ahead of it, and s / W is added after the jump. A
    stale head makes no jump. For a promoted head V jumps to S less ``tag_lead`` (two longest
    requests), if that is ahead of V.

    **Start tags.** S is F of the tenant's request before it, if that is still queued. Otherwise S
    is max(F, V) with the F of the tenant's last request, or max(F, V - s / w) by the *depth-1
    rule*: if the request comes within ``depth1_clocks`` of the tenant's last response, so that a
    tenant with one request in flight keeps its turn. This V includes every grant of the clocks
    before the one in which S is made; from L = 2 on, of the last one only the jump, not s / W. With
    L = 0 it includes the grant of that clock, too.

    **Words.** Vectors of tenants have one bit a tenant. A choice made in one clock sets the
    registers ``chosen`` and ``again``, which are the grant of the next clock:

    - ``chosen``: the best tenant of those that were not granted in the clock of the choice.
    - ``again``: not ``chosen`` is granted, but the tenant that was granted in the clock before.
    - ``granted``: the tenant whose head leaves in this clock: by ``again`` one of those two.
    - *following*: the request behind the granted head. What is known of it comes as a pair: [0]
      holds unless ``again`` and is picked by ``chosen`` from the tenants' registers; [1] holds if
      ``again`` and was prepared in the clock before. *Third*: the request behind that one, counted
      from the granted head.
    - *entering*: the request that goes into its queue in this clock and is in it from the next
      clock on; ``entry`` is its tenant. With L > 0 it *approached* in the clock before, which made
      its S; with L = 0 both happen in one clock.
    - ``enters_head``: ``entry``, if the entering request becomes the head, because its queue is
      empty or has only the head that leaves in this clock. As a member it is called ``fresh`` in
      the choice, and ``enters`` in the others.
    - *below*: a tenant is below those with a higher number.

    Tenant A has a1, a2 and a3, tenant B has b1 and b2; e comes to the empty queue of tenant C::

        clock        t            t + 1        t + 2
        chosen       A            B            B
        again        0            1            0
        granted      A            A            B
        leaves       a1           a2           b1
        following    a2 in [0]    a3 in [1]    b2 in [0]
        e            approaches   enters       is the head of C
        next grant   a2, b1       a3, b1       a3, b2, e

    The last row has the requests that the choice in each clock is among: the heads of tenants that
    are not granted, and the following request, which is compared with all of them in that clock. An
    entering request is compared in its clock, too, but takes part from the next clock on. If
    nothing else can be granted it is chosen at once, unless its tenant is granted in that clock.

    Latency: a request that enters in clock t may be granted in t + 2, or in t + 1 if chosen at
    once. One grant per clock, also to one tenant.

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
    # A third request has no tags yet: a grant makes them from its s / w, which entered as ``cost``.
    # So each queue shows that field of the request two behind its head, in ``marks``.
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
        """Drive :class:`mcos_hw.link.grant.Grant`.

        Class and promotion are those that the choice of this grant saw, in the clock before.
        """
        granted = turn.granted
        # Beats of the granted head: those of the head of ``chosen``, or, if ``again``, those of
        # the request that was the following one in the clock before.
        beats_chosen = pick(turn.chosen, [each.beats for each in self.view.heads])
        beats_again = Signal(self.config.beats_width)
        promoted = Signal(self.config.tenants)
        m.d.sync += [
            beats_again.eq(pick(granted, [each.beats for each in self.view.nexts])),
            promoted.eq(self.promote & ~granted),
        ]
        # Register the class of each head, to align it with the registered grant. The head of the
        # granted tenant leaves, so the following request stands for it; that one is not promoted.
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
    """Gives requests their tags, moves V with every grant, and says which heads V has reached.

    The docstring of :class:`WfqArbiter` defines the words.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    inverse_total_weight : In(total_reciprocal_width)
        1/W of the live image; W is the sum of its weights.
    turn : In(turn_layout)
        The grant of this clock.
    beats, promoted : In
        Beats of the grant, and whether it is a promotion, which limits the jump of V.
    queued : In(queued_layout)
        Which queues have how many requests.
    marks : In(ArrayLayout(tag_width, tenants))
        s / w of the third request of each queue, the one two behind the head.
    approach : In(approach_layout)
        The approaching request.
    entry : In(tenants)
        Tenant of the entering request, one-hot, or 0.
    cost : In(tag_width)
        s / w of the entering request.
    tags : Out(ArrayLayout(tags_layout, tenants))
        Tags of the heads; see :class:`mcos_hw.channel.arbiter.wf2q.tags.TenantTags`.
    stale : Out(ArrayLayout(3, tenants))
        Whether the head, the second and the third request of each tenant are stale.
    reached : Out(tenants)
        Whether V has reached S of each head, S <= V; a stale head counts as reached.
    followings : Out(ArrayLayout(tags_layout, 2))
        Tags of the following request, [0] unless ``again``, [1] if ``again``.
    following_stale, following_reached : Out(1)
        ``stale`` and ``reached`` of that request.
    enters : Out(tenants)
        ``entry`` if the entering request becomes the head, else 0.
    entering : Out(tags_layout)
        Tags of the entering request.
    value : Out(tag_width)
        V after all grants of the clocks before; from L = 2 on without the last of them, both jump
        and s / W. With L = 0 it includes the grant of this clock, too.
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

        # A stale head makes no jump, nor does one that V has reached. ``reached`` is judged by an
        # older V; if it is low, VirtualTime compares S with V itself. With L = 0 ``reached`` is
        # judged by V after the jump of this clock. That would be a loop, so only ``stale`` is used,
        # and the comparison does the rest.
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
