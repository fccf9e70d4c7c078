"""The head that goes first, found two by two."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.compact.structs import (
    NO_RANK,
    best_layout,
    entrant_layout,
)
from mcos_hw.config import ChannelConfig

__all__ = [
    "Tournament",
    "rounds_by_clock",
]


def rounds_by_clock(config: ChannelConfig) -> list[int]:
    """How many rounds of comparisons each clock has, from the one in which keys are made on.

    The first number counts the making of keys, too. Later clocks have more, as their rounds are
    smaller.
    """
    clocks = config.look_clocks
    steps = config.tenant_width + 1
    each, more = divmod(steps, clocks)
    counts = [each + (clock >= clocks - more) for clock in range(clocks)]
    return [counts[0] - 1, *counts[1:]]


class Tournament(wiring.Component):
    """Compares heads two by two, a round of comparisons a clock, and finds the one with least key.

    Of equal keys the lower tenant goes first. Where the clocks are fewer than the rounds, some
    clocks have several. New entrants may come in every clock: who goes first among those of clock
    t is told in t + ``look_clocks``.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    entrants : In(ArrayLayout(entrant_layout, tenants))
        The heads of this clock.
    best : Out(best_layout)
        The best of the heads ``look_clocks`` before.
    """

    entrants: data.View
    best: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "entrants": In(data.ArrayLayout(entrant_layout(config), config.tenants)),
                "best": Out(best_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        left = [
            (entrant, Const(1, 1))
            for entrant in (self.entrants[i] for i in range(self.config.tenants))
        ]
        level = 0
        for rounds in rounds_by_clock(self.config):
            for _ in range(rounds):
                left = [
                    self._better(m, left[k], left[k + 1], f"{level}_{k // 2}")
                    for k in range(0, len(left), 2)
                ]
                level += 1
            left = [self._kept(m, each, f"{level}_{k}") for k, each in enumerate(left)]
        ((winner, tenants),) = left
        m.d.comb += [
            self.best.present.eq(winner.key.rank != NO_RANK),
            self.best.promoted.eq(winner.key.rank == 0),
            self.best.tenants.eq(tenants),
            self.best.class_code.eq(winner.class_code),
        ]
        return m

    def _better(self, m, lower, higher, name):
        """The better one of two, with the vector that tells it from those it met."""
        layout = entrant_layout(self.config)
        (first, first_tenants), (second, second_tenants) = lower, higher
        better = data.View(layout, Signal(layout, name=f"better_{name}"))
        tenants = Signal(2 * len(first_tenants), name=f"tenants_{name}")
        wins = Signal(name=f"higher_wins_{name}")
        m.d.comb += [
            wins.eq(second.key.as_value() < first.key.as_value()),
            better.eq(Mux(wins, second, first)),
            tenants.eq(Cat(Mux(wins, 0, first_tenants), Mux(wins, second_tenants, 0))),
        ]
        return better, tenants

    def _kept(self, m, entrant, name):
        """The same one clock later."""
        layout = entrant_layout(self.config)
        found, tenants = entrant
        kept = data.View(layout, Signal(layout, name=f"kept_{name}"))
        kept_tenants = Signal(len(tenants), name=f"kept_tenants_{name}")
        m.d.sync += kept.eq(found)
        if len(tenants) == 1:
            return kept, tenants
        m.d.sync += kept_tenants.eq(tenants)
        return kept, kept_tenants
