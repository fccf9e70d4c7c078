"""A case on the model and on verilated hardware: images are loaded in their clocks."""

from typing import Self

import numpy as np

from mcos_sim.engines.model import rest_until, watch
from mcos_sim.environment.environment import environment
from mcos_sim.lockstep.case import Case
from mcos_sim.model import layout as at
from mcos_sim.model.channel import commit
from mcos_sim.model.probe import probe_places
from mcos_sim.model.state import image_rows, reset_state
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.verilated.build import Library
from mcos_sim.verilated.hardware import Hardware, image_writes

__all__ = [
    "HardwareSide",
    "ModelSide",
]


class ModelSide:
    """The reference model, from reset on.

    Parameters
    ----------
    case : Case
        What it runs.
    """

    def __init__(self, case: Case) -> None:
        config = case.scenario.config
        self.state = reset_state(config, case.scenario.arbiter)
        self.environment = environment(case.scenario)
        self.images = [(each.clock, image_rows(each.settings)) for each in case.accepted]
        """Images that are not live yet, with their clocks."""
        self._places = probe_places(config)

    @property
    def clock(self) -> int:
        """The clock it is in."""
        return int(self.state[at.CLOCK])

    def rest(self, until: int) -> None:
        """Go on to a clock without traffic."""
        while self.images and self.images[0][0] < until:
            clock, image = self.images.pop(0)
            rest_until(self.state, self.environment, clock)
            commit(self.state, image)
        rest_until(self.state, self.environment, until)

    def run(self, rows: np.ndarray) -> int:
        """As many clocks as there are rows, which are filled; fewer if its environment stops."""
        begun = self.clock
        done = 0
        while done < len(rows):
            if self.images and self.images[0][0] == begun + done:
                commit(self.state, self.images.pop(0)[1])
            stop = min(len(rows), self.images[0][0] - begun) if self.images else len(rows)
            part = rows[done:stop].view(np.int64)
            moved = watch(self.state, self.environment, self._places, part)
            done += moved
            if moved < len(part):
                break
        return done


class HardwareSide:
    """The verilated hardware, from reset on, as a context.

    If the case says so, it has run the first clocks of the same case and was reset in their midst,
    so that its flip-flops and memories begin with something.

    Parameters
    ----------
    case : Case
        What it runs.
    library : Library
        The hardware.
    """

    def __init__(self, case: Case, library: Library) -> None:
        config = case.scenario.config
        self.hardware = Hardware(library, config)
        self.environment = environment(case.scenario)
        self._writes = [
            row
            for each in case.commits
            for row in image_writes(each.loaded, config, live=each.clock)
        ]
        if case.warm_clocks:
            self.rest(FIRST_CLOCK)
            until = min(FIRST_CLOCK + case.warm_clocks, case.scenario.clocks)
            self.hardware.run(until, environment=environment(case.scenario), writes=self._pending)
            self.hardware.reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.hardware.__exit__(*error)

    def rest(self, until: int) -> None:
        """Go on to a clock without traffic."""
        self.hardware.run(until, writes=self._pending)

    def run(self, until: int, rows: np.ndarray) -> int:
        """Go on to a clock, or until its environment stops; rows are filled."""
        return self.hardware.run(
            until, environment=self.environment, writes=self._pending, rows=rows
        )

    @property
    def _pending(self) -> list[tuple[int, int, int]]:
        """Register writes that are still to be made."""
        clock = self.hardware.clock
        return [row for row in self._writes if row[0] >= clock]
