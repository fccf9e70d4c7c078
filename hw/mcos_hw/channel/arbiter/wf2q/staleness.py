"""How far every head is behind virtual time, or ahead of it."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig

__all__ = ["Recency"]


class Recency(wiring.Component):
    """In which quarter of the modular scale V - S of each head is, for V as the choice sees it.

    0: V has reached S. 1: it has, and S is ``stale_after`` or more behind. 2 and 3: it has not.

    With L = 3 nothing is compared in the clock of the choice. V of the next choice is then one of
    two that are known a clock ahead, one if that clock has a grant and one if not. Each head has
    its quarter for both; the second is what the first was when V was last looked at.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    grant : In(1)
        A grant is made in this clock.
    seen, seen_past_grant, seen_next : In(tag_width)
        See :class:`mcos_hw.channel.arbiter.wf2q.virtual_time.VirtualTime`.
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
        Of that head in this clock.
    quarters : Out(ArrayLayout(2, tenants))
        Of the heads of this clock.
    """

    grant: Signal
    seen: Signal
    seen_past_grant: Signal
    seen_next: Signal
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
                "seen": In(config.tag_width),
                "seen_past_grant": In(config.tag_width),
                "seen_next": In(config.tag_width),
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

        def quarter(time, start):
            return (time - start)[: len(start)][-2:]

        m.d.comb += self.entering_quarter.eq(quarter(self.seen, self.entering_start))
        if self.config.lateness < 3:
            for i in tenants:
                m.d.comb += self.quarters[i].eq(quarter(self.seen, self.start[i]))
            return m

        # The two that a head gets when it is new, and the first one anew in every clock.
        following = Signal(4)
        entering = Signal(4)
        m.d.comb += [
            following.eq(
                Cat(
                    quarter(self.seen_next, self.following_start),
                    quarter(self.seen_past_grant, self.following_start),
                )
            ),
            entering.eq(
                Cat(
                    quarter(self.seen_next, self.entering_start),
                    self.entering_quarter,
                )
            ),
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
                    past_grant.eq(quarter(self.seen_next, self.start[i])),
                    otherwise.eq(self.quarters[i]),
                ]
        return m
