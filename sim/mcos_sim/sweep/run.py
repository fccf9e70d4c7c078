"""Runs the points of a sweep that have not been run, and puts all of them together."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker, as_completed

from mcos_policy.compiler import Compiled
from mcos_sim.sweep.grid import Grid, Point
from mcos_sim.sweep.interrupts import interrupts_kept
from mcos_sim.sweep.point import run_point
from mcos_sim.sweep.store import Store

__all__ = [
    "Failure",
    "Sweep",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure:
    """A point that could not be run, and why."""

    point: Point
    reason: str


class Sweep:
    """A grid, and what is known of its points.

    Parameters
    ----------
    grid : Grid
        What to run.
    contracts : Mapping[str, Compiled]
        Each contract by its name in the grid.
    directory : pathlib.Path
        Folder of what the sweep keeps.

    Raises
    ------
    UserError
        If the folder cannot be written.
    """

    def __init__(self, grid: Grid, contracts: Mapping[str, Compiled], *, directory: Path) -> None:
        self.contracts = contracts
        self.directory = directory
        self.store = Store(directory)
        self.points = {self.store.key(point, contracts[point.contract]): point for point in grid}
        known = {key: self.store.rows(key) for key in self.points}
        self.known = {key: rows for key, rows in known.items() if rows is not None}

    @property
    def missing(self) -> dict[str, Point]:
        """Points without a result, by key."""
        return {key: point for key, point in self.points.items() if key not in self.known}

    def run(
        self, client: Client, *, simulators: Path, on_done: Callable[[float], None]
    ) -> list[Failure]:
        """Run what is missing; each result is kept as soon as it is there.

        A point whose worker dies is run again by another one, until it has taken three with it.

        Parameters
        ----------
        client : distributed.Client
            Who runs it.
        simulators : pathlib.Path
            Folder of built simulators, on the workers.
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
        futures = {
            client.submit(
                run_point,
                point,
                self.contracts[point.contract],
                directory=(self.directory / "runs" / key).absolute(),
                simulators=simulators.absolute(),
                key=f"mcos-{key}",
                pure=False,
            ): key
            for key, point in self.missing.items()
        }
        failures = []
        with interrupts_kept() as interrupted:
            for future in as_completed(futures):
                if interrupted.is_set():
                    raise KeyboardInterrupt
                key = futures[future]
                error = future.exception()
                if error is None:
                    self.known[key] = future.result()
                    self.store.keep(key, self.known[key])
                else:
                    failures.append(Failure(point=self.points[key], reason=_reason(error)))
                future.release()
                on_done(1)
        return failures

    def table(self) -> list[dict[str, Any]]:
        """Rows of all points that have been run, in the order of the grid."""
        return [row for key in self.points if key in self.known for row in self.known[key]]


def _reason(error: BaseException) -> str:
    if isinstance(error, KilledWorker):
        return "every worker that ran it died"
    return f"{type(error).__name__}: {error}".splitlines()[0]
