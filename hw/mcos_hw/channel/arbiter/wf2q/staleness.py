"""Which start tags virtual time has reached, and which it has left too far behind.

``l_max`` is the bytes of the longest request. Tags and virtual time V count bytes at w = 1: a
request of s bytes of a tenant of weight w adds s / w, and w is at least 1. :class:`Staleness` sees
V as it was L grants ago (*lateness*, 0 to 3). :class:`mcos_hw.channel.arbiter.wf2q.wfq.WfqArbiter`
defines ``chosen``, ``again``, following, third, approaching and entering.

**What goes wrong without it.** Tags are modular, on a scale of 32 ``l_max``, and are compared by
their difference. Two tags that are more than half of the scale apart compare the wrong way round. V
moves with every grant, but a head may wait: in a lower class, or for tokens. In the end V would be
more than 16 ``l_max`` past the start tag S of that head. Then S would look as if it were ahead of
V, and the head would be passed over for as long again.

**What a quarter is.** The two upper bits of V - S tell in which quarter of the scale S lies, as
seen from V::

    S lies        V - 16         V - 8           V           V + 8         V + 16   l_max
                    |  quarter 1   |  quarter 0  |  quarter 3  |  quarter 2  |
    the head is     |    stale     |   reached   |      not yet reached      |

The quarter of every head is known in every clock. ``stale_after`` = 8 ``l_max`` is where quarter 1
begins.

**What becomes stale.** In the clock after a head is found in quarter 1, it and the two places
behind it are stale, because tags there were derived from its S. Each tenant has three bits: head,
second, third. A stale head counts as reached, and its tags count no more: it goes before the heads
of its class that are not stale, and stale heads go in the order of tenants. Once it is stale,
the S that is watched may be in quarter 1, 2 or 3 as V moves on. So anything but quarter 0 sets all
three bits again, also in the clock of a grant.

**Where later requests start.** A stale tag is no base for the next request. A request that gets its
S while the third bit of its tenant is set (a third request that a grant makes the second, or an
approaching one) starts at the *anchor*, V - ``stale_after`` / 2, instead of F of the request before
it. It is still marked stale, but its F is a sound base again. So an old claim is worth at most half
of what makes a head stale. One exception: an approaching request always starts at F of a request
of its tenant that enters in the same clock.

**When it ends.** A grant moves the bits up by one place, unless by the rule above ``start`` sets
all three in that clock. Here one tenant has requests r1, r2 and so on, and r1 waited until it was
stale::

    granted    bits before    bits after    S made in this clock    ``start`` after
    r1         111            111           r3: the anchor          the anchor
    r2         111            110           r4: the anchor          the anchor
    r3         110            100           r5: F of r4             F of r4, S of r5
    r4         100            000           r6: F of r5             S of r5

The first bit is the head. The grant of r1 leaves all bits set, because until then ``start`` has S
of r1. So four heads are granted as stale, and r5 is the first that is not. Only three are if V has
gone round the scale, and S of r1 is in quarter 0 again when r1 is granted.

**What is watched.** From the grant of r1 on, the field ``start`` of a stale head has S of the
request behind it, in place of its own. While r2, r3 or r4 waits, V may leave that one 8 ``l_max``
behind, too: then all three bits are set, and the table begins anew with that head as r1. A queue
that is emptied with all bits set keeps the anchor in that field, any other F of its last request.
An empty queue grows stale like a head; while its first bit is set, the next request starts at V.

This limits the memory of old claims, not service: V moves by 8 ``l_max`` only with 8 ``l_max`` x W
bytes of service to others, where W is the sum of the weights.
"""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.structs import (
    behind_layout,
    seen_layout,
    tags_layout,
    turn_layout,
)
from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.select import modular_less, pick

__all__ = [
    "Quarters",
    "Staleness",
]


class Staleness(wiring.Component):
    """Tells which heads virtual time has reached, which requests are stale, and the anchor.

    The docstring of this module says what these words mean.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    turn : In(turn_layout)
        The grant of this clock.
    seen : In(seen_layout)
        V as the choice sees it: ``now`` in this clock. ``past_grant`` is what ``now`` is if this
        clock has a grant, ``next`` what ``past_grant`` is in the next clock (with L = 3 only).
    time : In(tag_width)
        V as requests see it that arrive: the anchor is derived from it.
    starts : In(ArrayLayout(tag_width, tenants))
        ``start`` field of each tenant.
    followings : In(ArrayLayout(tags_layout, 2))
        Tags of the following request, [0] unless ``again``, [1] if ``again``.
    following_start : In(tag_width)
        ``start`` field of the granted tenant from the next clock on.
    enters_head, enters_second : In(tenants)
        Tenant of the entering request if that is the head, or the second, from the next clock on.
    entering_start : In(tag_width)
        S of the entering request.
    anchored : In(1)
        Low if S of the entering request is F of a request that was still queued: if that is stale,
        the entering one is, too. High if S is V, the anchor, or F of the last request of an empty
        queue. If a request of its tenant entered in the clock before, S is F of that one. Then this
        is high if it was high for that one, which became the head and was not ``entering_old``.
    approach : In(tenants)
        Tenant of the approaching request, one-hot, or 0.
    stale : Out(ArrayLayout(3, tenants))
        Whether the head, the second and the third request of each tenant are stale.
    reached : Out(tenants)
        Whether V has reached S of each head; a stale head counts as reached.
    following_stale, following_reached : Out(1)
        ``stale`` and ``reached`` of the following request.
    behind : Out(ArrayLayout(behind_layout, 2))
        Whether the following and the third request are stale, [0] unless ``again``, [1] if
        ``again``.
    entering_old : Out(1)
        High if S of the entering request is in quarter 1. If it becomes a head, it will be found
        stale, so a request that approaches now and starts at its F has to inherit that.
    approach_stale : Out(3)
        Bits of ``stale`` of the approaching tenant.
    anchor : Out(tag_width)
        ``time`` of the clock before, less 4 ``l_max``.
    """

    turn: data.View
    seen: data.View
    time: Signal
    starts: data.View
    followings: data.View
    following_start: Signal
    enters_head: Signal
    enters_second: Signal
    entering_start: Signal
    anchored: Signal
    approach: Signal
    stale: data.View
    reached: Signal
    following_stale: Signal
    following_reached: Signal
    behind: data.View
    entering_old: Signal
    approach_stale: Signal
    anchor: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "turn": In(turn_layout(config)),
                "seen": In(seen_layout(config)),
                "time": In(config.tag_width),
                "starts": In(data.ArrayLayout(config.tag_width, config.tenants)),
                "followings": In(data.ArrayLayout(tags_layout(config), 2)),
                "following_start": In(config.tag_width),
                "enters_head": In(config.tenants),
                "enters_second": In(config.tenants),
                "entering_start": In(config.tag_width),
                "anchored": In(1),
                "approach": In(config.tenants),
                "stale": Out(data.ArrayLayout(3, config.tenants)),
                "reached": Out(config.tenants),
                "following_stale": Out(1),
                "following_reached": Out(1),
                "behind": Out(data.ArrayLayout(behind_layout(), 2)),
                "entering_old": Out(1),
                "approach_stale": Out(3),
                "anchor": Out(config.tag_width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
        granted, again = self.turn.granted, self.turn.again

        m.submodules.scale = quarters = Quarters(config)
        m.d.comb += [
            quarters.grant.eq(self.turn.grant),
            quarters.seen.eq(self.seen),
            quarters.start.eq(self.starts),
            quarters.granted.eq(granted),
            quarters.following_start.eq(self.following_start),
            quarters.enters.eq(self.enters_head),
            quarters.entering_start.eq(self.entering_start),
            self.entering_old.eq(quarters.entering_quarter == 1),
        ]
        m.d.sync += self.anchor.eq(self.time - (config.stale_after // 2 << config.tag_fraction))

        # The bits of each tenant. A grant moves them up; a ``start`` that is too old sets them all,
        # with a grant as well. An entering head takes the third bit for all places, unless its S is
        # free of stale tags. A grant clears the third bit, because a second request that it makes
        # starts at the anchor. An entering second keeps the third bit: its S may be of the clock
        # before, and F of a stale request. One that approaches now starts at F of it in any case.
        stale_then = [Signal(3, name=f"stale_then_{i}") for i in tenants]
        for i in tenants:
            stale, quarter = self.stale[i], quarters.quarters[i]
            grows_stale = Signal(name=f"grows_stale_{i}")
            third_stale = stale[2] | grows_stale
            m.d.comb += [
                grows_stale.eq(Mux(stale[0], quarter.any(), quarter == 1)),
                stale_then[i].eq(Mux(granted[i], stale[1:], stale)),
            ]
            with m.If(grows_stale):
                m.d.comb += stale_then[i].eq(0b111)
            with m.If(self.enters_head[i]):
                m.d.comb += stale_then[i].eq((third_stale & ~self.anchored).replicate(3))
            with m.Elif(self.enters_second[i]):
                m.d.comb += stale_then[i][2].eq(third_stale)
            m.d.sync += stale.eq(stale_then[i])

        # The bits of the following and the third request, for either value of ``again``. ``later``:
        # V has not reached S of the following request. It matters only in the clock of a grant.
        behind_again = Signal(2)
        m.d.sync += behind_again.eq(pick(granted, stale_then)[1:])
        m.d.comb += [
            self.behind[0].eq(pick(self.turn.chosen, [self.stale[i] for i in tenants])[1:]),
            self.behind[1].eq(behind_again),
        ]
        later = [modular_less(self.seen.past_grant, self.followings[k].start) for k in range(2)]
        heads_stale = Cat(each[0] for each in self.stale)
        m.d.comb += [
            self.reached.eq(heads_stale | ~Cat(each[1] for each in quarters.quarters)),
            self.following_stale.eq(Mux(again, self.behind[1].following, self.behind[0].following)),
            self.following_reached.eq(self.following_stale | ~Mux(again, later[1], later[0])),
            self.approach_stale.eq(pick(self.approach, [self.stale[i] for i in tenants])),
        ]
        return m


class Quarters(wiring.Component):
    """The quarter of each head: the two upper bits of V - S, for V as the choice sees it.

    With L < 3 the quarter is computed in the clock of the choice. With L = 3 it is computed in the
    clock before, t, for V of the choice in t + 1. Each head has two registers. ``past_grant`` holds
    if t + 1 has a grant: V is then ``seen.next`` of t. ``otherwise`` holds if it has none: V is
    then ``seen.now`` of t.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    grant : In(1)
        A grant is made in this clock.
    seen : In(seen_layout)
        V as the choice sees it; see :class:`Staleness`.
    start : In(ArrayLayout(tag_width, tenants))
        ``start`` field of each tenant.
    granted : In(tenants)
        Tenant whose head leaves in this clock, one-hot, or 0.
    following_start : In(tag_width)
        ``start`` of the granted tenant from the next clock on.
    enters : In(tenants)
        Tenant of the entering request if that becomes the head, one-hot, or 0.
    entering_start : In(tag_width)
        S of the entering request.
    entering_quarter : Out(2)
        Its quarter in this clock.
    quarters : Out(ArrayLayout(2, tenants))
        Quarter of each ``start`` in this clock.
    """

    grant: Signal
    seen: data.View
    start: data.View
    granted: Signal
    following_start: Signal
    enters: Signal
    entering_start: Signal
    entering_quarter: Signal
    quarters: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "grant": In(1),
                "seen": In(seen_layout(config)),
                "start": In(data.ArrayLayout(config.tag_width, config.tenants)),
                "granted": In(config.tenants),
                "following_start": In(config.tag_width),
                "enters": In(config.tenants),
                "entering_start": In(config.tag_width),
                "entering_quarter": Out(2),
                "quarters": Out(data.ArrayLayout(2, config.tenants)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        tenants = range(self.config.tenants)
        seen = self.seen

        def quarter(time, start):
            return (time - start)[: len(start)][-2:]

        m.d.comb += self.entering_quarter.eq(quarter(seen.now, self.entering_start))
        if self.config.lateness < 3:
            for i in tenants:
                m.d.comb += self.quarters[i].eq(quarter(seen.now, self.start[i]))
            return m

        # ``otherwise`` of a head that stays is its present quarter, made with ``seen.now`` already.
        # A following request becomes the head in a clock with a grant. There ``seen.now`` equals
        # ``seen.past_grant``, which is used because it does not wait for the bit ``grant``.
        following_quarters = Signal(4)
        entering_quarters = Signal(4)
        m.d.comb += [
            following_quarters.eq(
                Cat(
                    quarter(seen.next, self.following_start),
                    quarter(seen.past_grant, self.following_start),
                )
            ),
            entering_quarters.eq(
                Cat(quarter(seen.next, self.entering_start), self.entering_quarter)
            ),
        ]
        for i in tenants:
            past_grant = Signal(2, name=f"past_grant_{i}")
            otherwise = Signal(2, name=f"otherwise_{i}")
            m.d.comb += self.quarters[i].eq(Mux(self.grant, past_grant, otherwise))
            with m.If(self.enters[i]):
                m.d.sync += Cat(past_grant, otherwise).eq(entering_quarters)
            with m.Elif(self.granted[i]):
                m.d.sync += Cat(past_grant, otherwise).eq(following_quarters)
            with m.Else():
                m.d.sync += [
                    past_grant.eq(quarter(seen.next, self.start[i])),
                    otherwise.eq(self.quarters[i]),
                ]
        return m
