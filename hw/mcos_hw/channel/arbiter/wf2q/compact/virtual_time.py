"""Virtual time of a channel whose grants are some clocks apart."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.replicated import Replicated
from mcos_hw.primitive.select import modular_less

__all__ = ["SpacedVirtualTime"]


class SpacedVirtualTime(wiring.Component):
    """V, moved by every grant to max(V, S) + s / W, in three steps of a clock each.

    A grant in clock t moves V with t + 2; no other grant may come before. For a promotion V jumps
    only to S - ``tag_lead``, two longest requests; for a stale head not at all.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    copies : int
        Copies of V that synthesis leaves apart, at most 4.

    Members
    -------
    inverse_total_weight : In(total_reciprocal_width)
        1/W; a new one counts from the next clock on.
    grant : In(1)
        A grant is made in this clock.
    beats, promoted : In
        Of the grant: its beats, whether it is a promotion.
    start, stale : In
        Of the grant in the clock before: S of its head, whether that was stale.
    value : Out(tag_width)
        V.
    copies : Out(ArrayLayout(tag_width, copies))
        V as often as was asked for.
    """

    inverse_total_weight: Signal
    grant: Signal
    beats: Signal
    start: Signal
    stale: Signal
    promoted: Signal
    value: Signal
    copies: data.View

    def __init__(self, config: ChannelConfig, *, copies: int) -> None:
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
                "copies": Out(data.ArrayLayout(config.tag_width, copies)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        width = config.tag_width

        # First step: what was granted.
        grants = Signal()
        beats = Signal.like(self.beats)
        promoted = Signal()
        inverse = Signal.like(self.inverse_total_weight)
        m.d.sync += [
            grants.eq(self.grant),
            beats.eq(self.beats),
            promoted.eq(self.promoted),
            inverse.eq(self.inverse_total_weight),
        ]

        # Second step: where V starts from, and how far it goes. Without a grant it goes nowhere.
        to = Signal(width)
        base = Signal(width)
        step = Signal(width)
        moved = Signal(width)
        lead = config.tag_lead << config.tag_fraction
        size = beats * config.beat_bytes
        fraction = config.total_reciprocal_fraction - config.tag_fraction
        m.d.comb += to.eq(self.start - Mux(promoted, lead, 0))
        m.d.sync += [
            base.eq(
                Mux(grants & ~self.stale & modular_less(self.value, to), to, moved),
            ),
            step.eq(Mux(grants, (size * inverse) >> fraction, 0)),
        ]

        # Third step.
        m.submodules.kept = kept = Replicated(width=width, copies=len(self.copies))
        m.d.comb += [
            moved.eq(base + step),
            kept.value.eq(moved),
            self.copies.eq(kept.copies),
            self.value.eq(kept.copies[0]),
        ]
        return m
