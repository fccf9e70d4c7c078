"""Virtual time and the tags of requests on it, in step with the grants."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.entrance import EntranceTags
from mcos_hw.channel.arbiter.wf2q.staleness import Recency
from mcos_hw.channel.arbiter.wf2q.tags import TenantTags, selects_layout, tags_layout
from mcos_hw.channel.arbiter.wf2q.virtual_time import VirtualTime
from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import approach_layout
from mcos_hw.primitive.select import modular_less, pick

__all__ = ["Tagger"]


class Tagger(wiring.Component):
    """Gives every request its tags as it enters, and moves virtual time with every grant.

    What it says of a head is for the choice of the next clock.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    inverse_total_weight : In(total_reciprocal_width)
        1/W of the live image.
    grant : In(1)
        A grant is made in this clock.
    granted : In(tenants)
        Whose head leaves in this clock, at most one.
    again, chosen, selects : In
        Who that is, see :class:`mcos_hw.channel.arbiter.wf2q.choice.Choice`.
    beats, promoted : In
        Beats of the grant, and whether it is a promotion.
    heads, seconds, thirds : In(tenants)
        Which queues have a first, second and third request.
    marks : In(ArrayLayout(tag_width, tenants))
        s / w of the third requests.
    approach : In(approach_layout)
        A request one step before its queue.
    entry : In(tenants)
        Whose queue a request enters in this clock, at most one.
    cost : In(tag_width)
        Its s / w.
    tags : Out(ArrayLayout(tags_layout, tenants))
        Of the heads.
    stale : Out(ArrayLayout(3, tenants))
        Which of a tenant's tags are stale: of the head, the second and the third request.
    reached : Out(tenants)
        Whose head's S virtual time has reached; a stale head counts as reached.
    followings : Out(ArrayLayout(tags_layout, 2))
        Of the request behind the granted head: the first unless ``again``, the second if ``again``.
    following_stale, following_reached : Out(1)
        The same of that request.
    enters : Out(tenants)
        Whose queue the entering request becomes the head of.
    entering : Out(tags_layout)
        Its tags.
    value : Out(tag_width)
        V, as requests that arrive see it but for a jump under way.
    """

    inverse_total_weight: Signal
    grant: Signal
    granted: Signal
    again: Signal
    chosen: Signal
    selects: data.View
    beats: Signal
    promoted: Signal
    heads: Signal
    seconds: Signal
    thirds: Signal
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
                "grant": In(1),
                "granted": In(config.tenants),
                "again": In(1),
                "chosen": In(config.tenants),
                "selects": In(selects_layout(config)),
                "beats": In(config.beats_width),
                "promoted": In(1),
                "heads": In(config.tenants),
                "seconds": In(config.tenants),
                "thirds": In(config.tenants),
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
        m.submodules.virtual_time = virtual_time = VirtualTime(config)
        m.submodules.recency = recency = Recency(config)
        m.submodules.entrance = entrance = EntranceTags(config)
        m.submodules.tenant_tags = tags = TenantTags(config)
        start = [each.start for each in tags.tags]
        stale = Cat(each[0] for each in tags.stale)

        # V is where a head is that it has reached, or further; with L = 0 that is known too late.
        known_reached = self.reached if config.lateness else stale
        m.d.comb += [
            virtual_time.inverse_total_weight.eq(self.inverse_total_weight),
            virtual_time.grant.eq(self.grant),
            virtual_time.beats.eq(self.beats),
            virtual_time.start.eq(pick(self.granted, start)),
            virtual_time.reached.eq((self.granted & known_reached).any()),
            virtual_time.promoted.eq(self.promoted),
        ]
        m.d.comb += [
            recency.grant.eq(self.grant),
            recency.seen.eq(virtual_time.seen),
            recency.seen_past_grant.eq(virtual_time.seen_past_grant),
            recency.seen_next.eq(virtual_time.seen_next),
            recency.start.eq(Cat(start)),
            recency.granted.eq(self.granted),
            recency.following_start.eq(tags.following_start),
            recency.enters.eq(tags.enters_head),
            recency.entering_start.eq(entrance.entering.start),
        ]
        m.d.comb += [
            entrance.approach.eq(self.approach),
            entrance.end.eq(tags.approach_end),
            entrance.stale.eq(tags.approach_stale),
            entrance.waits.eq((self.approach.tenants & self.heads).any()),
            entrance.granted.eq((self.approach.tenants & self.granted).any()),
            entrance.third_finish.eq(tags.third_finish),
            entrance.anchor.eq(tags.anchor),
            entrance.value.eq(virtual_time.value),
            entrance.jump.eq(virtual_time.jump),
            entrance.jumps.eq(virtual_time.jumps),
            entrance.entry.eq(self.entry),
            entrance.cost.eq(self.cost),
            entrance.leads.eq(tags.enters_head.any()),
            entrance.quarter.eq(recency.entering_quarter),
        ]
        m.d.comb += [
            tags.granted.eq(self.granted),
            tags.again.eq(self.again),
            tags.chosen.eq(self.chosen),
            tags.selects.eq(self.selects),
            tags.heads.eq(self.heads),
            tags.seconds.eq(self.seconds),
            tags.thirds.eq(self.thirds),
            tags.marks.eq(self.marks),
            tags.entry.eq(self.entry),
            tags.entering.eq(entrance.entering),
            tags.entering_anchored.eq(entrance.anchored),
            tags.approach.eq(self.approach.tenants_copy),
            tags.quarters.eq(recency.quarters),
            tags.time.eq(virtual_time.value),
        ]

        later = [
            modular_less(virtual_time.seen_past_grant, following.start)
            for following in tags.followings
        ]
        m.d.comb += [
            self.tags.eq(tags.tags),
            self.stale.eq(tags.stale),
            self.reached.eq(stale | ~Cat(each[1] for each in recency.quarters)),
            self.followings.eq(tags.followings),
            self.following_stale.eq(tags.following_stale),
            self.following_reached.eq(tags.following_stale | ~Mux(self.again, later[1], later[0])),
            self.enters.eq(tags.enters_head),
            self.entering.eq(entrance.entering),
            self.value.eq(virtual_time.value),
        ]
        return m
