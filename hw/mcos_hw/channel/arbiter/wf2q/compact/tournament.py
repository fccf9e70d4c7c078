"""The head that goes first: of each group, then of two groups at a time."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.compact.contest import GroupContest
from mcos_hw.channel.arbiter.wf2q.compact.order import GroupOrder
from mcos_hw.channel.arbiter.wf2q.compact.structs import (
    GROUP,
    NO_RANK,
    best_layout,
    entrant_layout,
    finalist_layout,
    groups,
    view,
    written_layout,
)
from mcos_hw.config import ChannelConfig

__all__ = [
    "Final",
    "Tournament",
    "kept_steps",
]


_MERGED = (1, 3, 0, 2)
"""Steps after which there are no registers where clocks are few, the first ones first."""


def kept_steps(config: ChannelConfig) -> list[bool]:
    """Whether registers keep the result of each step of a look: one step for each clock or more.

    The steps are: the place of each head; elimination in each group; the head that goes first in
    each group; and a round for each time that groups are halved. The last one is always kept.
    """
    steps = config.tenant_width + 1
    inner = [step for step in _MERGED if step < steps - 1]
    merged = inner[: steps - config.look_clocks]
    return [step not in merged for step in range(steps)]


class Final(wiring.Component):
    """Compares the heads that go first in their groups, two by two.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    kept : list[bool]
        Whether registers keep the result of each round.

    Members
    -------
    finalists : In(ArrayLayout(finalist_layout, groups))
        The heads of this clock.
    best : Out(best_layout)
        The one with the least key, of equals that of the lowest group, one clock later for each
        register.
    """

    finalists: data.View
    best: data.View

    def __init__(self, config: ChannelConfig, *, kept: list[bool]) -> None:
        self.config = config
        self.kept = kept
        super().__init__(
            {
                "finalists": In(data.ArrayLayout(finalist_layout(config), groups(config))),
                "best": Out(best_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        left = [
            (self.finalists[g], self.finalists[g].place_in_group)
            for g in range(groups(self.config))
        ]
        for level, kept in enumerate(self.kept):
            left = [
                self._better(m, *left[k : k + 2], f"{level}_{k // 2}")
                for k in range(0, len(left), 2)
            ]
            # The last result is kept as a one-hot vector.
            if kept and len(left) > 1:
                left = [_kept(m, *each, f"{level}_{k}") for k, each in enumerate(left)]
        ((winner, number),) = left
        best = view(best_layout(self.config), name="found")
        m.d.comb += [
            best.present.eq(winner.key.place.rank != NO_RANK),
            best.promoted.eq(winner.key.place.rank == 0),
            best.tenants.eq(1 << number),
            best.tenant.eq(number),
            best.class_code.eq(winner.class_code),
        ]
        if self.kept:
            m.d.sync += self.best.eq(best)
        else:
            m.d.comb += self.best.eq(best)
        return m

    def _better(self, m, lower, higher, name):
        """The better one of two, with the number that tells it from those it met."""
        (first, first_number), (second, second_number) = lower, higher
        better = view(finalist_layout(self.config), name=f"better_{name}")
        number = Signal(len(first_number) + 1, name=f"number_{name}")
        wins = Signal(name=f"higher_wins_{name}")
        m.d.comb += [
            wins.eq(second.key.as_value() < first.key.as_value()),
            better.eq(Mux(wins, second, first)),
            number.eq(Cat(Mux(wins, second_number, first_number), wins)),
        ]
        return better, number


def _kept(m, finalist, number, name):
    """The same one clock later."""
    kept = view(finalist.shape(), name=f"kept_{name}")
    kept_number = Signal(len(number), name=f"kept_number_{name}")
    m.d.sync += [kept.eq(finalist), kept_number.eq(number)]
    return kept, kept_number


class Tournament(wiring.Component):
    """Finds the head that goes first, in steps: groups of four, then two groups at a time.

    Of equal heads the lower tenant goes first. Where the clocks are fewer than the steps, some
    clocks have several. New entrants may come in every clock: who goes first among those of clock
    t is told in t + ``look_clocks``.

    Tags are read after the clock of the entrants. A head that takes part must keep its tags until
    it is granted, and no head may be granted by entrants of a clock before the tags of the last
    grant's tenant were written.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    entrants : In(ArrayLayout(entrant_layout, tenants))
        The heads of this clock.
    turned : In(1)
        Tags near V wrap in this clock.
    written : In(written_layout)
        Tags that are replaced with this clock. Their head may be an entrant from the next one on.
    best : Out(best_layout)
        The best of the heads ``look_clocks`` before.
    """

    entrants: data.View
    turned: Signal
    written: data.View
    best: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "entrants": In(data.ArrayLayout(entrant_layout(), config.tenants)),
                "turned": In(1),
                "written": In(written_layout(config)),
                "best": Out(best_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        after_places, after_elimination, after_reading, *kept = kept_steps(config)
        m.submodules.order = order = GroupOrder(config)
        m.submodules.final = final = Final(config, kept=kept)
        pairs = order.kept if after_places else order.then
        m.d.comb += [order.written.eq(self.written), self.best.eq(final.best)]
        for g in range(groups(config)):
            m.submodules[f"group_{g}"] = contest = GroupContest(
                config,
                after_places=after_places,
                after_elimination=after_elimination,
                after_reading=after_reading,
            )
            m.d.comb += [
                contest.turned.eq(self.turned),
                contest.pairs.eq(pairs[g]),
                contest.write.eq(self.written.tenants.word_select(g, GROUP)),
                contest.place.eq(self.written.tenant[:2]),
                contest.tags.eq(self.written.tags),
                final.finalists[g].eq(contest.finalist),
            ]
            m.d.comb += [contest.entrants[k].eq(self.entrants[GROUP * g + k]) for k in range(GROUP)]
        return m
