"""Many commits while managers ask for all they can, each clock judged."""

import dataclasses
import random
import time
from collections.abc import Callable, Sequence

import numpy as np

from mcos_hw.config import FabricConfig
from mcos_hw.registers import fabric_map
from mcos_policy.interleave import Interleave
from mcos_sim.axi.commits.generation import Generation, random_interleave
from mcos_sim.axi.commits.judge import Judge
from mcos_sim.axi.library import Library
from mcos_sim.axi.session import SETTLING, Manager, Session, Soak
from mcos_sim.axi.settings import MemoryHabits, Region
from mcos_sim.axi.witness import witness_words

__all__ = [
    "Commits",
    "run_commits",
]


_WRITE_CLOCKS = 4
"""Clocks of a register write, at most."""

_REACTS = 16
"""Clocks from the commit's write to the one in which its effect has been seen."""

_FOREVER = 1 << 60

_DRAINS = 100_000
"""Clocks in which a fabric must drain."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Commits:
    """What a run gave.

    Parameters
    ----------
    commits : int
        Commits that had effect.
    moves : int
        Those of them that changed the interleave.
    not_drained : int
        Commits that were answered with NOT_DRAINED.
    requests : int
        Requests that channels were offered, counted in each clock.
    soak : Soak
        Managers and memories.
    first : str
        The first thing that was wrong; empty if there was nothing.
    seconds : float
        Time that it took.
    """

    commits: int
    moves: int
    not_drained: int
    requests: int
    soak: Soak
    first: str
    seconds: float


class _Run:
    """A session, its judge, and the software that loads images."""

    def __init__(self, session: Session, fabric: FabricConfig, rng: random.Random) -> None:
        self.session = session
        self.fabric = fabric
        self.judge = Judge(fabric, rested=SETTLING)
        self.rng = rng
        self.clock = session.run(0).clocks
        self.found = session.run(0)
        self.wrong = ""
        self._registers = fabric_map(fabric)

    def go(self, until: int) -> None:
        """Run to a clock, and judge what the witness has shown."""
        rows = np.zeros((until - self.clock, witness_words(self.fabric)), dtype=np.int64)
        self.session.watch(rows)
        self.found = self.session.run(until)
        ran = self.found.clocks - self.clock
        self.clock = self.found.clocks
        self.wrong = self.wrong or self.judge.look(rows[:ran]) or self.found.first

    def load(self, wanted: Generation) -> None:
        """Load an image; it is staged when the run is back."""
        control, stream = self._registers["IMAGE_CONTROL"], self._registers["IMAGE_DATA"]
        writes = [(0, control.offset, control.pack(begin=1))]
        writes += [(0, stream.offset, word) for word in wanted.words]
        self.session.post(writes)
        self.go(self.clock + _WRITE_CLOCKS * len(writes) + _REACTS)
        self.judge.staged = wanted

    def commit(self, *clocks: int) -> None:
        """Write a commit in each of these clocks, and see what came of the last one."""
        control = self._registers["IMAGE_CONTROL"]
        self.session.post([(clock, control.offset, control.pack(commit=1)) for clock in clocks])
        self.go(max(clocks) + _REACTS)

    def move(self, wanted: Generation) -> None:
        """Commit another interleave, which is refused while anything is under way."""
        self.load(wanted)
        self.session.arm(wanted.interleave)
        before = self.judge.generation
        limit = self.clock + _DRAINS
        self.commit(self.clock + self.rng.randrange(1, 60))
        while self.judge.generation == before and not self.wrong and self.clock < limit:
            self.session.pause(self.clock, _FOREVER)
            if self.rng.random() < 0.5:
                self._try_until(before, limit)
            else:
                self._race(limit)
        self.session.pause(0, 0)
        if self.judge.generation == before:
            self.wrong = self.wrong or "the fabric does not drain"

    def _try_until(self, before: int, limit: int) -> None:
        """Commit again and again while the fabric drains, until that has effect."""
        while self.judge.generation == before and not self.wrong and self.clock < limit:
            clocks = [self.clock + self.rng.randrange(1, 80)]
            for _ in range(5):
                clocks.append(clocks[-1] + self.rng.randrange(4, 80))
            self.commit(*clocks)

    def _race(self, limit: int) -> None:
        """Commit once, with managers that begin again some clocks before or after."""
        while self.session.outstanding and not self.wrong and self.clock < limit:
            self.go(self.clock + 100)
        at = self.clock + 20
        self.session.pause(0, at + self.rng.randrange(-2, 5))
        self.commit(at)


def run_commits(
    fabric: FabricConfig,
    library: Library,
    managers: Sequence[Manager],
    generations: Callable[[random.Random, Interleave, bool], Generation],
    *,
    commits: int,
    move_every: int,
    memory: MemoryHabits,
    regions: Sequence[Region],
    seed: int,
    idle: int = 100,
    on_progress: Callable[[int], None] | None = None,
) -> Commits:
    """Commit one image after the other under load, at random moments, and drain in the end.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes; several channels.
    library : Library
        Its library, with a witness.
    managers : Sequence[Manager]
        Who is in front of each port, with a budget that nobody comes to the end of.
    generations : Callable
        The next generation, with an interleave; and whether it must drain what is asked for.
    commits : int
        Commits that have effect, at least.
    move_every : int
        So many of them later one that changes the interleave; 0 is never.
    memory, regions
        As in :class:`mcos_sim.axi.session.Session`.
    seed : int
        Seed of everything.
    idle : int
        Clocks between an image and its commit, at most.
    on_progress : Callable or None
        Called now and then with the commits since.
    """
    begun = time.monotonic()
    rng = random.Random(seed)
    spread = Interleave.default(fabric.channels, fabric.block_width)
    moves = told = 0
    with Session(
        library,
        managers,
        writes=(),
        memory=memory,
        regions=regions,
        interleave=spread,
        seed=seed,
    ) as session:
        session.arm(spread)
        run = _Run(session, fabric, rng)
        # Nothing is asked for until an image is live.
        session.pause(0, _FOREVER)
        run.load(generations(rng, spread, True))
        run.commit(run.clock + 1)
        session.pause(0, 0)
        while run.judge.generation < commits and not run.wrong:
            before = run.judge.generation
            left = move_every - before % move_every if move_every else 0
            if left == 1:
                spread = random_interleave(fabric, rng)
                run.move(generations(rng, spread, True))
                moves += run.judge.generation - before
            else:
                last = left == 2 or before == commits - 1
                run.load(generations(rng, spread, last))
                run.commit(run.clock + rng.randrange(1, idle))
            if on_progress is not None and run.judge.generation - told >= 100:
                on_progress(run.judge.generation - told)
                told = run.judge.generation
        session.finish()
        limit = run.clock + _DRAINS
        while not run.wrong and not session.drained and run.clock < limit:
            run.go(run.clock + 1000)
        if not run.wrong and not session.drained:
            run.wrong = f"{session.outstanding} bursts are never answered"
        for port, counts in enumerate(run.found.ports):
            told_refused = int(run.judge.refused[port].sum())
            if not run.wrong and told_refused != counts.refused + counts.unmapped:
                run.wrong = (
                    f"port {port}: {told_refused} bursts were refused, and "
                    f"{counts.refused + counts.unmapped} managers were told so"
                )
    return Commits(
        commits=run.judge.generation,
        moves=moves,
        not_drained=run.judge.not_drained,
        requests=run.judge.requests,
        soak=run.found,
        first=run.wrong,
        seconds=time.monotonic() - begun,
    )
