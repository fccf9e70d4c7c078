"""The start tag of a request on its way into its queue."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.intake import approach_layout
from mcos_hw.channel.tags import tags_layout
from mcos_hw.config import ChannelConfig

__all__ = ["EntranceTags"]


class EntranceTags(wiring.Component):
    """Gives a request its start tag, one step before its queue, and its finish tag as it enters.

    S is F of the request before it if that is still queued, else max(F, V), or max(F, V - s / w)
    where it follows the tenant's last response closely (depth-1 rule).

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    approach : In(approach_layout)
        The request one step before its queue.
    end : In(tag_width)
        F of the last request of its tenant that has tags.
    stale : In(3)
        Its tenant's stale tags.
    waits : In(1)
        Its tenant has a head.
    granted : In(1)
        That head leaves in this clock.
    third_finish : In(tag_width)
        F of the last request of the tenant granted now.
    anchor : In(tag_width)
        Where what comes after stale tags starts.
    value, jump, jumps : In
        V for requests that arrive, see :class:`mcos_hw.channel.virtual_time.VirtualTime`.
    entry : In(tenants)
        Whose queue a request enters in this clock.
    cost : In(tag_width)
        Its s / w.
    entering : Out(tags_layout)
        Its tags.
    anchored : Out(1)
        They do not go on from tags that may be stale.
    """

    approach: data.View
    end: Signal
    stale: Signal
    waits: Signal
    granted: Signal
    third_finish: Signal
    anchor: Signal
    value: Signal
    jump: Signal
    jumps: Signal
    entry: Signal
    cost: Signal
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
                "value": In(config.tag_width),
                "jump": In(config.tag_width),
                "jumps": In(1),
                "entry": In(config.tenants),
                "cost": In(config.tag_width),
                "entering": Out(tags_layout(config)),
                "anchored": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        approach, entering = self.approach, self.entering

        # V for this request, early by s / w where the depth-1 rule says so, and whether it is past
        # F: one sum of three each, not two after another.
        credit = Signal(config.tag_width)
        time = Signal(config.tag_width)
        passed = Signal()
        m.d.comb += [
            credit.eq(Mux(approach.recent, approach.cost, 0)),
            time.eq(Mux(self.jumps, self.jump, self.value) - credit),
            passed.eq(
                Mux(
                    self.jumps,
                    (self.end - self.jump + credit)[config.tag_width - 1],
                    (self.end - self.value + credit)[config.tag_width - 1],
                )
            ),
        ]

        start = Signal(config.tag_width)
        anchored = Signal()
        m.d.comb += [
            start.eq(Mux(self.stale[2], self.anchor, self.end)),
            anchored.eq(self.stale[2]),
        ]
        with m.If(self.granted):
            m.d.comb += start.eq(self.third_finish)
        with m.Elif(~self.waits):
            m.d.comb += [
                start.eq(Mux(self.stale[0] | passed, time, self.end)),
                anchored.eq(1),
            ]
        if config.lateness:
            with m.If((approach.tenants & self.entry).any()):
                m.d.comb += [start.eq(entering.finish), anchored.eq(self.anchored)]
            m.d.sync += [entering.start.eq(start), self.anchored.eq(anchored)]
        else:
            m.d.comb += [entering.start.eq(start), self.anchored.eq(anchored)]
        m.d.comb += entering.finish.eq(entering.start + self.cost)
        return m
