"""Virtual time: how far the channel has come in service per unit of weight."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.intake import price
from mcos_hw.channel.select import modular_less
from mcos_hw.config import ChannelConfig

__all__ = ["VirtualTime"]


class VirtualTime(wiring.Component):
    """V, moved by every grant, and V as the choice of the next grant may see it.

    A grant of size s moves V to max(V, S) + s / W: V jumps to the start tag S of a head that is
    granted before V has reached it. For a promotion it jumps only as far as keeps S within
    ``tag_lead``; for a stale head, which is behind, not at all.

    The choice of grant k sees V as grant k - 1 - L left it. With L = 2 the register ``value``
    itself is one grant late: a grant's step waits until the next grant. A request that arrives sees
    the jump of that step, not its s / W.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    inverse_total_weight : In(total_reciprocal_width)
        1/W.
    grant : In(1)
        A grant is made in this clock.
    beats, start, stale, promoted : In
        Its beats, its start tag, whether that is stale, and whether it is a promotion.
    value, jump : Out(tag_width)
        V for requests that arrive is the later of the two.
    jumps : Out(1)
        Whether it is ``jump``.
    seen : Out(tag_width)
        V for the choice of the next grant.
    """

    inverse_total_weight: Signal
    grant: Signal
    beats: Signal
    start: Signal
    stale: Signal
    promoted: Signal
    value: Signal
    jump: Signal
    jumps: Signal
    seen: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "inverse_total_weight": In(config.total_reciprocal_width),
                "grant": In(1),
                "beats": In(config.beats_width),
                "start": In(config.tag_width),
                "stale": In(1),
                "promoted": In(1),
                "value": Out(config.tag_width),
                "jump": Out(config.tag_width),
                "jumps": Out(1),
                "seen": Out(config.tag_width),
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
            step.jumps.eq(~self.stale),
            step.cost.eq(
                price(
                    config,
                    self.beats,
                    self.inverse_total_weight,
                    config.total_reciprocal_fraction,
                )
            ),
        ]
        if config.lateness == 2:
            pending = data.View(layout, Signal(layout, name="pending"))
            with m.If(self.grant):
                m.d.sync += pending.eq(step)
            step = pending

        current = Signal(config.tag_width)
        before = Signal(config.tag_width)
        moved = Signal(config.tag_width)
        jumps = Signal()
        m.d.comb += [
            jumps.eq(step.jumps & modular_less(current, step.to)),
            moved.eq(Mux(jumps, step.to + step.cost, current + step.cost)),
        ]
        with m.If(self.grant):
            m.d.sync += [current.eq(moved), before.eq(current)]

        if config.lateness == 0:
            after = Mux(self.grant, moved, current)
            m.d.comb += [self.value.eq(after), self.seen.eq(after)]
        else:
            m.d.comb += [self.value.eq(current), self.seen.eq(Mux(self.grant, current, before))]
        if config.lateness == 2:
            m.d.comb += [self.jump.eq(step.to), self.jumps.eq(jumps)]
        return m
