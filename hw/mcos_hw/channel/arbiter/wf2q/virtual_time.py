"""Virtual time: how far the channel has come in service per unit of weight."""

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.structs import arrival_time_layout, seen_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.select import modular_less

__all__ = [
    "VirtualTime",
    "step_cost",
]


class VirtualTime(wiring.Component):
    """V, moved by every grant, and V as the choice of the next grant may see it.

    V counts bytes at w = 1, modulo the scale of tags. W is the sum of the weights of the live
    image. A grant of s bytes moves V to max(V, S) + s / W: V jumps to the start tag S of a head
    that is granted before V has reached it. For a promotion, a head granted because it waited too
    long, V jumps only to S - ``tag_lead``, two longest requests. For a stale head, or one that V is
    known to have reached, it does not jump.

    The choice of grant k sees V as grant k - 1 - L left it; L is ``ChannelConfig.lateness``, 0 to
    3. From L = 2 on the register of V itself lacks the last grant, because the step of a grant
    waits for the next grant. An approaching request sees the jump of the waiting step, but not its
    s / W. With L = 3 V of the next clock's choice is known one clock ahead, for a grant in that
    clock and for none.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    inverse_total_weight : In(total_reciprocal_width)
        1/W; a new one counts from the next clock on.
    grant : In(1)
        A grant is made in this clock.
    beats, start, reached, promoted : In
        Of the grant: its beats, S of its head, whether that head is stale or known to be reached,
        and whether it is a promotion.
    arrivals : Out(arrival_time_layout)
        V for the approaching request.
    seen : Out(seen_layout)
        V as the choice sees it.
    """

    inverse_total_weight: Signal
    grant: Signal
    beats: Signal
    start: Signal
    reached: Signal
    promoted: Signal
    arrivals: data.View
    seen: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "inverse_total_weight": In(config.total_reciprocal_width),
                "grant": In(1),
                "beats": In(config.beats_width),
                "start": In(config.tag_width),
                "reached": In(1),
                "promoted": In(1),
                "arrivals": Out(arrival_time_layout(config)),
                "seen": Out(seen_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config

        # A grant's step: the tag V may jump to, and s / W.
        layout = data.StructLayout({"to": config.tag_width, "jumps": 1, "cost": config.tag_width})
        step = data.View(layout, Signal(layout, name="step"))
        lead = config.tag_lead << config.tag_fraction
        m.d.comb += [
            step.to.eq(Mux(self.promoted, self.start - lead, self.start)),
            step.jumps.eq(~self.reached),
            step.cost.eq(step_cost(m, config, self.inverse_total_weight, self.beats)),
        ]
        if config.lateness >= 2:
            pending = data.View(layout, Signal(layout, name="pending"))
            with m.If(self.grant):
                m.d.sync += pending.eq(step)
            step = pending

        # V, V without its last grant, and V without its last two.
        current = Signal(config.tag_width)
        before = Signal(config.tag_width)
        long_before = Signal(config.tag_width)
        moved = Signal(config.tag_width)
        jumps = Signal()
        m.d.comb += [
            jumps.eq(step.jumps & modular_less(current, step.to)),
            moved.eq(Mux(jumps, step.to + step.cost, current + step.cost)),
        ]
        with m.If(self.grant):
            m.d.sync += [current.eq(moved), before.eq(current), long_before.eq(before)]

        seen_past_grant, seen_otherwise = {
            0: (moved, current),
            1: (current, before),
            2: (current, before),
            3: (before, long_before),
        }[config.lateness]
        m.d.comb += [
            self.seen.past_grant.eq(seen_past_grant),
            self.seen.now.eq(Mux(self.grant, seen_past_grant, seen_otherwise)),
            self.arrivals.value.eq(
                Mux(self.grant, moved, current) if config.lateness == 0 else current
            ),
        ]
        if config.lateness >= 2:
            m.d.comb += [self.arrivals.jump.eq(step.to), self.arrivals.jumps.eq(jumps)]
        if config.lateness == 3:
            m.d.comb += self.seen.next.eq(Mux(self.grant, current, before))
        return m


def step_cost(m: Module, config: ChannelConfig, inverse_total_weight: Value, size: Value) -> Value:
    """s / W of ``size`` beats, for a 1/W of the clock before.

    Its few values wait as multiples, so that a size selects two of them to add.
    """
    inverse = Signal.like(inverse_total_weight)
    thrice = Signal(len(inverse) + 2)
    m.d.sync += [
        inverse.eq(inverse_total_weight),
        thrice.eq(3 * inverse_total_weight),
    ]
    multiples = Array([Const(0), inverse, inverse << 1, thrice])
    low = Signal(len(thrice))
    high = Signal(len(thrice))
    # An index has no more bits than the size: where one of them is constant, tools miss a case.
    fours = multiples[size[2:4]] if len(size) > 2 else Const(0)
    m.d.comb += [
        low.eq(multiples[size[:2]]),
        # 16 is the largest: its bit stands alone.
        high.eq(Mux(size[4], inverse << 2, fours) if len(size) > 4 else fours),
    ]
    product = (low + (high << 2)) * config.beat_bytes
    return product >> (config.total_reciprocal_fraction - config.tag_fraction)
