"""Start and finish tags of the heads, one head a clock."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.structs import tags_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.carry_save import carry_save
from mcos_hw.primitive.select import pick, set_below

__all__ = ["HeadTags"]


class HeadTags(wiring.Component):
    """Keeps S and F of each head, and gives new heads theirs, in three steps of a clock each.

    The head behind one that is granted *follows*: its S is F of that one. If that one was stale, S
    is the anchor, 4 longest requests behind V. A head that *enters* an empty queue has S = max(F,
    V), or max(F, V - s / w) by the depth-1 rule, with the F of the last request of its tenant; if
    that is stale, F does not count. Then F = S + s / w.

    ::

        clock            0          1          2          3
        granted         |x
        follows         |F         |S         |F = S + s/w
        enters, first      |in queue, F|S     |F = S + s/w
        takes part                                        |x

    Heads that enter wait for their turn, lowest tenant first, one a clock. None begins in a clock
    in which a head is nominated, whether or not it is granted, and in the one after a grant. V is
    that of the clock in which S is made.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    nominates : In(1)
        A head is to be granted in this clock, unless its promotion was withdrawn.
    nominee : In(tenants)
        Its tenant, one-hot; any one if none is nominated.
    grant : In(1)
        It is granted, and leaves.
    follows : In(1)
        Another request of it is in its queue from the next clock on.
    enters : In(tenants)
        Tenant of the request that enters an empty queue in this clock, one-hot, or 0.
    recent : In(1)
        The depth-1 rule applies to that request.
    prices : In(ArrayLayout(tag_width, tenants))
        s / w of each head.
    stale : In(tenants)
        Whether the tags of each tenant are stale.
    time : In(tag_width)
        V.
    tags : Out(ArrayLayout(tags_layout, tenants))
        S and F of each head; of an untagged or empty queue those of the last head.
    tagged : Out(tenants)
        Heads whose tags they are.
    written : Out(tenants)
        Tenant whose tags are replaced with this clock.
    """

    nominates: Signal
    nominee: Signal
    grant: Signal
    follows: Signal
    enters: Signal
    recent: Signal
    prices: data.View
    stale: Signal
    time: Signal
    tags: data.View
    tagged: Signal
    written: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        tenants = config.tenants
        super().__init__(
            {
                "nominates": In(1),
                "nominee": In(tenants),
                "grant": In(1),
                "follows": In(1),
                "enters": In(tenants),
                "recent": In(1),
                "prices": In(data.ArrayLayout(config.tag_width, tenants)),
                "stale": In(tenants),
                "time": In(config.tag_width),
                "tags": Out(data.ArrayLayout(tags_layout(config), tenants)),
                "tagged": Out(tenants),
                "written": Out(tenants),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants, width = config.tenants, config.tag_width

        # Heads that have entered and are without tags, and whose turn is first.
        waiting = Signal(tenants)
        waiting_then = Signal(tenants)
        turn = Signal(tenants)
        recents = Signal(tenants)
        begins = Signal(tenants)
        granted_before = Signal()
        m.d.comb += [
            begins.eq(Mux(self.nominates | granted_before, 0, turn)),
            waiting_then.eq((waiting & ~begins) | self.enters),
        ]
        m.d.sync += [
            granted_before.eq(self.grant),
            waiting.eq(waiting_then),
            turn.eq(waiting_then & ~set_below(waiting_then)),
            recents.eq(Mux(self.recent, recents | self.enters, recents & ~self.enters)),
        ]

        # First step: F of the last head. The price is that of the new head, which a follower's
        # queue shows a clock later only.
        first = data.View(
            layout := data.StructLayout(
                {
                    "tenants": tenants,
                    "follows": 1,
                    "stale": 1,
                    "recent": 1,
                    "finish": width,
                    "price": width,
                }
            ),
            Signal(layout, name="first"),
        )
        subject = Signal(tenants)
        price = Signal(width)
        finishes = [each.finish for each in self.tags]
        prices = [self.prices[i] for i in range(tenants)]
        m.d.comb += [
            subject.eq(Mux(self.nominates, self.nominee, turn)),
            price.eq(pick(Mux(granted_before, first.tenants, turn), prices)),
        ]
        m.d.sync += [
            first.tenants.eq(Mux(self.grant & self.follows, self.nominee, begins)),
            first.follows.eq(self.grant),
            first.stale.eq((subject & self.stale).any()),
            first.recent.eq((subject & recents).any()),
            first.finish.eq(pick(subject, finishes)),
            first.price.eq(price),
        ]

        # Second step: S. V - s / w and F - (V - s / w) are one sum each.
        second = data.View(
            layout := data.StructLayout({"tenants": tenants, "start": width, "price": width}),
            Signal(layout, name="second"),
        )
        early = Signal(width)
        passed = Signal()
        lead = Mux(first.recent, first.price, 0)
        terms, carries = carry_save(first.finish, ~self.time, lead, width)
        anchor = self.time - (config.stale_after // 2 << config.tag_fraction)
        m.d.comb += [
            early.eq(self.time - lead),
            passed.eq((terms + (carries | 1))[width - 1]),
        ]
        m.d.sync += [
            second.tenants.eq(first.tenants),
            second.price.eq(Mux(first.follows, price, first.price)),
            second.start.eq(first.finish),
        ]
        with m.If(first.follows), m.If(first.stale):
            m.d.sync += second.start.eq(anchor)
        with m.Elif(first.stale | passed):
            m.d.sync += second.start.eq(early)

        # Third step: F.
        finish = Signal(width)
        m.d.comb += [finish.eq(second.start + second.price), self.written.eq(second.tenants)]
        for i in range(tenants):
            with m.If(second.tenants[i]):
                m.d.sync += [self.tags[i].start.eq(second.start), self.tags[i].finish.eq(finish)]
        m.d.sync += self.tagged.eq(
            (self.tagged | second.tenants) & ~Mux(self.grant, self.nominee, 0)
        )
        return m
