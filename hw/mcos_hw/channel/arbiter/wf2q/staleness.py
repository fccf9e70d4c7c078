"""Which start tags virtual time has reached, and which it has left too far behind.

**What goes wrong without it.** Tags are numbers on a circle of 32 ``l_max`` (bytes at w = 1), and
are compared by their difference. Two tags that are more than half of the circle apart compare the
wrong way round. Virtual time V moves with every grant, but a head may wait: in a lower class, or
for tokens. In the end V would be more than 16 ``l_max`` past the start tag S of that head. Then S
would look as if it were ahead of V, and the head would be passed over for as long again.

**What a quarter is.** The two upper bits of V - S tell in which quarter of the circle S lies, as
seen from V::

    S lies        V - 16         V - 8           V           V + 8         V + 16   l_max
                    |  quarter 1   |  quarter 0  |  quarter 3  |  quarter 2  |
    the head is     |    stale     |   reached   |      not yet reached      |

The quarter of every head is known in every clock. ``stale_after`` = 8 ``l_max`` is where quarter 1
begins.

**What becomes stale.** A head whose S is in quarter 1, and the two requests behind it, because
their tags were derived from its own. A stale head counts as reached, and its tags count no more: it
goes before the heads of its class that are not stale, and stale heads go in the order of tenants.
Each tenant has three bits that say which of its first three requests are stale.

**Where the next request starts.** The tags of a stale request are no base for the request after it.
A request behind three stale ones starts at the *anchor*, V - ``stale_after`` / 2. So an old claim
is worth at most half of what makes a head stale.

**When it ends.** The bits move up with the requests. After at most three grants the head has
a tag that was derived from the anchor, and is not stale. Meanwhile that tag grows older too. While
a head is stale, its ``start`` field holds the start tag of the first non-stale request behind it,
so that request's age is still watched: if it is not in quarter 0, all three are stale. An empty
queue has the last F of its tenant in that field; once that is stale, the next request starts at V.

This limits the memory of old claims, not service: V moves by 8 ``l_max`` only with 8 ``l_max`` x W
bytes of service to others.
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
        V as the choice sees it.
    time : In(tag_width)
        V from which the anchor is derived.
    starts : In(ArrayLayout(tag_width, tenants))
        Start tags of the heads.
    followings : In(ArrayLayout(tags_layout, 2))
        Tags of the request behind the granted head: the first holds unless ``again``, the second if
        ``again``.
    following_start : In(tag_width)
        ``start`` field of that request from the next clock on.
    enters_head, enters_second : In(tenants)
        Whose queue the request that enters in this clock is the first or second of, at most one.
    entering_start : In(tag_width)
        Start tag of the entering request.
    anchored : In(1)
        High if that tag was derived afresh, so it cannot inherit staleness.
    approach : In(tenants)
        Tenant of the request one step before its queue, one-hot.
    stale : Out(ArrayLayout(3, tenants))
        Whether the head, the second and the third request of each tenant are stale.
    reached : Out(tenants)
        Whether V has reached S of each head; a stale head counts as reached.
    following_stale, following_reached : Out(1)
        The same of the request behind the granted head.
    behind : Out(ArrayLayout(behind_layout, 2))
        Whether that request is stale, and the one after it: the first holds unless ``again``, the
        second if ``again``.
    entering_old : Out(1)
        High if the entering request is in quarter 1, so that it becomes stale if it is a head.
    approach_stale : Out(3)
        Bits of ``stale`` of the approaching tenant.
    anchor : Out(tag_width)
        Start tag of a request after stale ones.
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

        # The bits of each tenant: they move up with a grant, are all set once the start tag that is
        # watched is too old, and an entering request takes over the bit of its place.
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

        # Behind the granted head: picked if its tenant is ``chosen``, prepared if ``again``.
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
    """The quarter of the scale in which V - S of each head is, for V as the choice sees it.

    With L = 3 nothing is compared in the clock of the choice. V of the next choice is then one of
    two values that are known a clock ahead: one if that clock has a grant, and one if not. Each
    head has a register with its quarter for either. The second is the quarter it has now.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    grant : In(1)
        A grant is made in this clock.
    seen : In(seen_layout)
        V as the choice sees it.
    start : In(ArrayLayout(tag_width, tenants))
        Start tags of the heads.
    granted : In(tenants)
        Whose head leaves in this clock, at most one.
    following_start : In(tag_width)
        Start tag of the head after it.
    enters : In(tenants)
        Whose queue gets a head from outside, at most one.
    entering_start : In(tag_width)
        Start tag of that head.
    entering_quarter : Out(2)
        Quarter of that head in this clock.
    quarters : Out(ArrayLayout(2, tenants))
        Quarters of the heads in this clock.
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

        # A new head gets both quarters; one that stays gets the one past a grant anew.
        following = Signal(4)
        entering = Signal(4)
        m.d.comb += [
            following.eq(
                Cat(
                    quarter(seen.next, self.following_start),
                    quarter(seen.past_grant, self.following_start),
                )
            ),
            entering.eq(Cat(quarter(seen.next, self.entering_start), self.entering_quarter)),
        ]
        for i in tenants:
            past_grant = Signal(2, name=f"past_grant_{i}")
            otherwise = Signal(2, name=f"otherwise_{i}")
            m.d.comb += self.quarters[i].eq(Mux(self.grant, past_grant, otherwise))
            with m.If(self.enters[i]):
                m.d.sync += Cat(past_grant, otherwise).eq(entering)
            with m.Elif(self.granted[i]):
                m.d.sync += Cat(past_grant, otherwise).eq(following)
            with m.Else():
                m.d.sync += [
                    past_grant.eq(quarter(seen.next, self.start[i])),
                    otherwise.eq(self.quarters[i]),
                ]
        return m
