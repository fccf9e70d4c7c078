"""Processes on this machine that run the points of a sweep.

Each is spoken to through a pair of sockets without a name, which only it and the sweep hold. No
port is open and no file stands for them, so another user of the machine has no way in.
"""

import collections
import contextlib
import dataclasses
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from typing import Any

from mcos_sim.errors import HardwareError, UserError
from mcos_sim.sweep.interrupts import interrupts_ignored

__all__ = [
    "MOST_DEATHS",
    "Processes",
    "Unfinished",
    "reason",
]


MOST_DEATHS = 3
"""Processes that a task may take with it before it is given up."""

_ENDS_WITHIN_S = 2.0
"""How long a process may take to end by itself; compiled code does not look at signals."""


@dataclasses.dataclass(frozen=True)
class Unfinished:
    """A task without a result, and why."""

    reason: str


def reason(error: BaseException) -> str:
    """What an error says, in one line; our own words need no name of their kind."""
    own = isinstance(error, (UserError, HardwareError))
    return (str(error) if own else f"{type(error).__name__}: {error}").splitlines()[0]


class Processes:
    """A number of processes, used as a context. One that dies is replaced.

    Parameters
    ----------
    count : int
        Processes, each running one task at a time.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, tuple[_Worker, str]] = {}

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        """End all of them; what they still run is dropped."""
        workers = [*self._idle, *(worker for worker, _ in self._busy.values())]
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.end()

    def outcomes(
        self, function: Callable[..., Any], tasks: Mapping[str, Mapping[str, Any]]
    ) -> Generator[tuple[str, Any], None, None]:
        """Run tasks and give the outcome of each as it comes.

        Parameters
        ----------
        function : Callable
            What runs a task; found by its name in the other process.
        tasks : Mapping[str, Mapping[str, Any]]
            Arguments by name, for each task by its key.

        Yields
        ------
        tuple
            The key, and what the function returned or an :class:`Unfinished`.
        """
        waiting = collections.deque(tasks)
        deaths: collections.Counter[str] = collections.Counter()
        while waiting or self._busy:
            while waiting and len(self._busy) < self._count:
                key = waiting.popleft()
                worker = self._idle.pop() if self._idle else _Worker(function)
                self._busy[worker.connection] = worker, key
                with contextlib.suppress(OSError):  # a dead one is found below
                    worker.connection.send(tasks[key])
            for key, outcome in self._arrived():
                if outcome is not None:
                    yield key, outcome
                    continue
                deaths[key] += 1
                if deaths[key] < MOST_DEATHS:
                    waiting.append(key)
                else:
                    yield key, Unfinished("every worker that ran it died")

    def _arrived(self) -> Iterator[tuple[str, Any]]:
        """Keys and outcomes that are there; None for one whose process died."""
        for connection in wait(list(self._busy)):
            assert isinstance(connection, Connection)
            worker, key = self._busy.pop(connection)
            try:
                (outcome,) = connection.recv()
            except (EOFError, OSError):
                worker.stop()
                worker.end()
                yield key, None
            else:
                self._idle.append(worker)
                yield key, outcome


class _Worker:
    """One process, and this side of the way to it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        # Nothing of this process is in a new interpreter, threads and locks least of all.
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(function, other), daemon=True)
        with interrupts_ignored():
            self._process.start()
        other.close()

    def stop(self) -> None:
        """Tell the process to end."""
        self.connection.close()
        self._process.terminate()

    def end(self) -> None:
        """Wait for its end, but not for long."""
        self._process.join(_ENDS_WITHIN_S)
        self._process.kill()
        self._process.join()


def _serve(function: Callable[..., Any], connection: Connection) -> None:
    """Run tasks until the other side is gone."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            task = connection.recv()
            try:
                outcome = function(**task)
            except Exception as error:
                outcome = Unfinished(reason(error))
            connection.send((outcome,))


def _end_with_parent() -> None:
    """A sweep that is killed says goodbye to nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
