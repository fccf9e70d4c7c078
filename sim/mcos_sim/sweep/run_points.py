"""Runs the points of a sweep that have not been run, and puts all of them together."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from mcos_policy.compiler import Compiled
from mcos_sim.sweep.grid import Grid, Hardware, Point
from mcos_sim.sweep.point import run_point
from mcos_sim.sweep.processes import Unfinished
from mcos_sim.sweep.store import Store

__all__ = [
    "Failure",
    "Sweep",
    "Workers",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure:
    """A point that could not be run, and why."""

    point: Point
    reason: str


class Workers(Protocol):
    """Who runs points: processes here, or workers of a scheduler."""

    def outcomes(
        self, function: Callable[..., Any], tasks: Mapping[str, Mapping[str, Any]]
    ) -> Iterable[tuple[str, Any]]:
        """Run tasks, and give the key and the outcome of each as it comes."""
        ...


class Sweep:
    """A grid, and what is known of its points.

    Parameters
    ----------
    grid : Grid
        What to run.
    contracts : Mapping[Hardware, Compiled]
        Each contract of the grid, for each hardware that it runs on.
    directory : pathlib.Path
        Folder of what the sweep keeps.

    Raises
    ------
    UserError
        If the folder cannot be written.
    """

    def __init__(
        self, grid: Grid, contracts: Mapping[Hardware, Compiled], *, directory: Path
    ) -> None:
        self.contracts = contracts
        self.directory = directory
        self.store = Store(directory)
        self.points = {self.store.key(point, contracts[point.hardware]): point for point in grid}
        known = {key: self.store.rows(key) for key in self.points}
        self.known = {key: rows for key, rows in known.items() if rows is not None}

    @property
    def missing(self) -> dict[str, Point]:
        """Points without a result, by key."""
        return {key: point for key, point in self.points.items() if key not in self.known}

    def run(self, workers: Workers, *, on_done: Callable[[float], None]) -> list[Failure]:
        """Run what is missing; each result is kept as soon as it is there.

        A point whose worker dies is run again by another one, until it has taken three with it.

        Parameters
        ----------
        workers : Workers
            Who runs it.
        on_done : Callable
            Called with 1 for each point that has ended.

        Returns
        -------
        list of Failure
            Points that have no result.

        Raises
        ------
        UserError
            If a result cannot be written.
        KeyboardInterrupt
            If Ctrl-C is pressed.
        """
        tasks = {
            key: {
                "point": point,
                "compiled": self.contracts[point.hardware],
                "directory": (self.directory / "runs" / key).absolute(),
            }
            for key, point in self.missing.items()
        }
        failures = []
        for key, outcome in workers.outcomes(run_point, tasks):
            if isinstance(outcome, Unfinished):
                failures.append(Failure(point=self.points[key], reason=outcome.reason))
            else:
                self.known[key] = outcome
                self.store.keep(key, outcome)
            on_done(1)
        return failures

    def table(self) -> list[dict[str, Any]]:
        """Rows of all points that have been run, in the order of the grid."""
        return [row for key in self.points if key in self.known for row in self.known[key]]
