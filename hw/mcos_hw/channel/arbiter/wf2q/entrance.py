"""The start tag of a request on its way into its queue."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.structs import arrival_time_layout, tags_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import approach_layout, terms_fraction
from mcos_hw.primitive.carry_save import carry_save

__all__ = ["EntranceTags"]


class EntranceTags(wiring.Component):
    """Gives a request its start tag S as it approaches its queue, and its finish tag as it enters.

    With L > 0 a request *approaches* one clock before it *enters*. With L = 0 it does both in the
    same clock. L is ``ChannelConfig.lateness``.

    S is F of the tenant's request before it, if that is still queued. Otherwise S is max(F, V), or
    max(F, V - s / w) if the depth-1 rule applies: the request came within ``depth1_clocks`` of its
    tenant's last response. Stale tags (:mod:`mcos_hw.channel.arbiter.wf2q.staleness`) are not gone
    on from: S is then the *anchor*, 4 longest requests behind V, and V if the queue is empty.

    Tags that are made here count only if the request enters as the first or second of its queue. A
    later one gets its tags from the grant that makes it the second.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    approach : In(approach_layout)
        The approaching request.
    end : In(tag_width)
        F of the second request of its tenant, of the head if there is no second, of the last one
        if the queue is empty.
    stale : In(3)
        Whether the first three requests of its tenant are stale.
    waits : In(1)
        Its tenant has a head.
    granted : In(1)
        That head leaves in this clock.
    third_finish : In(tag_width)
        What ``end`` of the granted tenant is after the grant; the anchor if it would be stale.
    anchor : In(tag_width)
        4 longest requests behind V.
    arrivals : In(arrival_time_layout)
        V for the approaching request.
    entry : In(tenants)
        Tenant of the entering request, one-hot, or 0.
    cost : In(tag_width)
        s / w of the entering request.
    leads : In(1)
        The entering request becomes the head of its queue.
    entering_old : In(1)
        S of the entering request is so far behind V that it will be stale as a head.
    entering : Out(tags_layout)
        Tags of the entering request.
    anchored : Out(1)
        Low if its S may inherit staleness; see ``anchored`` of
        :class:`mcos_hw.channel.arbiter.wf2q.staleness.Staleness`.
    """

    approach: data.View
    end: Signal
    stale: Signal
    waits: Signal
    granted: Signal
    third_finish: Signal
    anchor: Signal
    arrivals: data.View
    entry: Signal
    cost: Signal
    leads: Signal
    entering_old: Signal
    entering: data.View
    anchored: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "approach": In(approach_layout(config)),
                "end": In(config.tag_width),
                "stale": In(3),
                "waits": In(1),
                "granted": In(1),
                "third_finish": In(config.tag_width),
                "anchor": In(config.tag_width),
                "arrivals": In(arrival_time_layout(config)),
                "entry": In(config.tenants),
                "cost": In(config.tag_width),
                "leads": In(1),
                "entering_old": In(1),
                "entering": Out(tags_layout(config)),
                "anchored": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        approach, entering = self.approach, self.entering

        # ``time`` is V for the approaching request, less s / w by the depth-1 rule, and ``passed``
        # says that F is before it. Each is one sum, not two after another, and is made for either V
        # in ``arrivals``. With x for s / w before it is rounded down, V - s / w is ~(~V + x), and
        # F - (V - s / w) is F + (~V + x) + 1.
        fraction = terms_fraction(config)
        width = config.tag_width + fraction

        def early(value):
            sums = carry_save(Cat(Const(0, fraction), ~value), *approach.early, width)
            past_sums, past_carries = carry_save(
                Cat(Const((1 << fraction) - 1, fraction), self.end), *sums, width
            )
            time = ~(sums[0] + sums[1])[fraction:width]
            return time, (past_sums + Cat(Const(1, 1), past_carries[1:]))[width - 1]

        time = Signal(config.tag_width)
        passed = Signal()
        value_time, value_passed = early(self.arrivals.value)
        jump_time, jump_passed = early(self.arrivals.jump)
        m.d.comb += [
            time.eq(Mux(self.arrivals.jumps, jump_time, value_time)),
            passed.eq(Mux(self.arrivals.jumps, jump_passed, value_passed)),
        ]

        # The start tag: F of the request before, the anchor, or ``time``. If a request of the same
        # tenant enters in this clock, that is the one before. Of the tenant granted in this clock
        # ``third_finish`` is what ``end`` will be. The latest condition is applied last.
        start = Signal(config.tag_width)
        other_start = Signal(config.tag_width)
        from_time = Signal()
        anchored = Signal()
        m.d.comb += [
            other_start.eq(Mux(self.stale[2], self.anchor, self.end)),
            from_time.eq(0),
            anchored.eq(self.stale[2]),
        ]
        with m.If(self.granted):
            m.d.comb += other_start.eq(self.third_finish)
        with m.Elif(~self.waits):
            m.d.comb += [from_time.eq(self.stale[0] | passed), anchored.eq(1)]
        if config.lateness:
            with m.If((approach.tenants & self.entry).any()):
                m.d.comb += [
                    other_start.eq(entering.finish),
                    from_time.eq(0),
                    anchored.eq(self.anchored & self.leads & ~self.entering_old),
                ]
        m.d.comb += start.eq(Mux(from_time, time, other_start))
        if config.lateness:
            m.d.sync += [entering.start.eq(start), self.anchored.eq(anchored)]
        else:
            m.d.comb += [entering.start.eq(start), self.anchored.eq(anchored)]
        m.d.comb += entering.finish.eq(entering.start + self.cost)
        return m
