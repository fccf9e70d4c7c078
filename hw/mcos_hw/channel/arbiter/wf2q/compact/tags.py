"""Start and finish tags of the heads, one head a clock."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.compact.structs import written_layout
from mcos_hw.channel.arbiter.wf2q.structs import tags_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.carry_save import carry_save
from mcos_hw.primitive.select import number, pick, set_below

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

    What a step needs of the last head's tags is read from a memory, which no reset empties. F of a
    tenant that has had no head since the reset is 0.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    nominates : In(1)
        A head is to be granted in this clock, unless its promotion was withdrawn.
    nominee, nominee_number : In(tenants), In(range(tenants))
        Its tenant, one-hot and as a number; any one if none is nominated.
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
    written : Out(written_layout)
        Tags that are replaced with this clock.
    granted_start, granted_stale : Out
        Of the head that was granted in the clock before: its S, and whether that was stale.
    """

    nominates: Signal
    nominee: Signal
    nominee_number: Signal
    grant: Signal
    follows: Signal
    enters: Signal
    recent: Signal
    prices: data.View
    stale: Signal
    time: Signal
    tags: data.View
    tagged: Signal
    written: data.View
    granted_start: Signal
    granted_stale: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        tenants = config.tenants
        super().__init__(
            {
                "nominates": In(1),
                "nominee": In(tenants),
                "nominee_number": In(config.tenant_width),
                "grant": In(1),
                "follows": In(1),
                "enters": In(tenants),
                "recent": In(1),
                "prices": In(data.ArrayLayout(config.tag_width, tenants)),
                "stale": In(tenants),
                "time": In(config.tag_width),
                "tags": Out(data.ArrayLayout(tags_layout(config), tenants)),
                "tagged": Out(tenants),
                "written": Out(written_layout(config)),
                "granted_start": Out(config.tag_width),
                "granted_stale": Out(1),
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
        ]
        for i in range(tenants):
            with m.If(self.enters[i]):
                m.d.sync += recents[i].eq(self.recent)

        # First step: F of the last head. The price is that of the new head, which a follower's
        # queue shows a clock later only.
        m.submodules.kept = kept = memory.Memory(shape=tags_layout(config), depth=tenants, init=[])
        write, read = kept.write_port(), kept.read_port(domain="comb")
        filled = Signal(tenants)
        first = data.View(
            layout := data.StructLayout(
                {
                    "tenants": tenants,
                    "tenant": config.tenant_width,
                    "follows": 1,
                    "recent": 1,
                    "finish": width,
                    "price": width,
                }
            ),
            Signal(layout, name="first"),
        )
        price = Signal(width)
        prices = [self.prices[i] for i in range(tenants)]
        m.d.comb += [
            read.addr.eq(Mux(self.nominates, self.nominee_number, number(turn))),
            price.eq(pick(Mux(granted_before, first.tenants, turn), prices)),
        ]
        m.d.sync += [
            first.tenants.eq(Mux(self.grant & self.follows, self.nominee, begins)),
            first.tenant.eq(read.addr),
            first.follows.eq(self.grant),
            first.recent.eq(~self.nominates & (turn & recents).any()),
            first.finish.eq(Mux(self.nominates | (turn & filled).any(), read.data.finish, 0)),
            first.price.eq(price),
            self.granted_start.eq(read.data.start),
            self.granted_stale.eq((Mux(self.nominates, self.nominee, turn) & self.stale).any()),
        ]

        # Second step: the two numbers that S may be, and which of them it is. With x, how far S may
        # be behind V, V - x and F - (V - x) are one sum each.
        second = data.View(
            layout := data.StructLayout(
                {
                    "tenants": tenants,
                    "tenant": config.tenant_width,
                    "goes_on": 1,
                    "finish": width,
                    "early": width,
                    "price": width,
                }
            ),
            Signal(layout, name="second"),
        )
        passed = Signal()
        lead = Mux(first.recent, first.price, 0)
        anchor = first.follows << (config.stale_after // 2 << config.tag_fraction).bit_length() - 1
        terms, carries = carry_save(first.finish, ~self.time, lead, width)
        m.d.comb += passed.eq((terms + (carries | 1))[width - 1])
        m.d.sync += [
            second.tenants.eq(first.tenants),
            second.tenant.eq(first.tenant),
            second.price.eq(Mux(first.follows, price, first.price)),
            second.goes_on.eq(~self.granted_stale & (first.follows | ~passed)),
            second.finish.eq(first.finish),
            second.early.eq(self.time - (lead | anchor)),
        ]

        # Third step: S and F.
        start = Signal(width)
        m.d.comb += [
            start.eq(Mux(second.goes_on, second.finish, second.early)),
            self.written.tenants.eq(second.tenants),
            self.written.tenant.eq(second.tenant),
            self.written.tags.start.eq(start),
            self.written.tags.finish.eq(start + second.price),
            write.en.eq(second.tenants.any()),
            write.addr.eq(second.tenant),
            write.data.eq(self.written.tags),
        ]
        for i in range(tenants):
            with m.If(second.tenants[i]):
                m.d.sync += [self.tags[i].eq(self.written.tags), filled[i].eq(1)]
        m.d.sync += self.tagged.eq(
            (self.tagged | second.tenants) & ~Mux(self.grant, self.nominee, 0)
        )
        return m
