"""What requesters do, written a second time and plainly, for comparison with the compiled step.

It covers the requesters and the ingress: who offers what in which clock, and whose request the
channel takes. Pauses, the memory and the checks of the hardware are not in it.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mcos_sim.traffic.stream import Stream


@dataclasses.dataclass(frozen=True)
class Taken:
    """A request that the channel takes: its tenant, id, fields, and the clock of its offer."""

    tenant: int
    request_id: int
    op: int
    beats: int
    address: int
    offered: int


class Requester:
    """Walks a stream with at most ``window`` requests outstanding.

    A request is offered when the window admits it, and is outstanding from then on. A step ends
    with its last response.
    """

    def __init__(self, stream: Stream, ids: int) -> None:
        self.stream = stream
        self.ids = ids
        self.offered: list[int] = []
        self.taken: list[int] = []
        self.completed: list[int] = []
        self.step_started: list[int] = []
        self.step_ended: list[int] = []
        self.stopped = not len(stream.requests)
        self._step_of = np.repeat(np.arange(len(stream.steps)), stream.steps["count"]).tolist()
        self._left = stream.steps["count"].tolist()

    @property
    def done(self) -> bool:
        """Whether nothing more will be offered or answered."""
        return self.stopped and -1 not in self.completed

    @property
    def head(self) -> int | None:
        """Clock in which the next request to take was offered, or None without one."""
        waits = len(self.taken) < len(self.offered)
        return self.offered[len(self.taken)] if waits else None

    def _may_start(self, step: int, clock: int) -> bool:
        if step == len(self.stream.steps) or clock < self.stream.steps["ready"][step]:
            return False
        if not self.stream.closed or not step:
            return True
        # A closed-loop step waits for the last response of the step before, and computes.
        ended = self.step_ended[step - 1]
        return ended >= 0 and clock >= ended + self.stream.steps["compute"][step]

    def advance(self, clock: int) -> None:
        """Start the steps that are due, and offer what the window admits."""
        if self.stopped:
            return
        if self.stream.until is not None and clock >= self.stream.until:
            self.stopped = True
            return
        while self._may_start(len(self.step_started), clock):
            self.step_started.append(clock)
            self.step_ended.append(-1)
        started = int(self.stream.steps["count"][: len(self.step_started)].sum())
        room = self.stream.window - self.completed.count(-1)
        for _ in range(min(room, started - len(self.offered))):
            self.offered.append(clock)
            self.completed.append(-1)
        self.stopped = len(self.offered) == len(self.stream.requests)

    def respond(self, request_id: int, clock: int) -> None:
        """Take the response to an id."""
        (index,) = (
            index
            for index, answered in enumerate(self.completed)
            if answered == -1 and index % self.ids == request_id
        )
        self.completed[index] = clock
        step = self._step_of[index]
        self._left[step] -= 1
        if self._left[step] == 0:
            self.step_ended[step] = clock

    def take(self, clock: int) -> Taken:
        """The channel takes the oldest request that waits."""
        index = len(self.taken)
        self.taken.append(clock)
        request = self.stream.requests[index]
        return Taken(
            tenant=self.stream.tag,
            request_id=index % self.ids,
            op=int(request["op"]),
            beats=int(request["beats"]),
            address=int(request["address"]),
            offered=self.offered[index] - self.stream.stamp_age,
        )


class Oracle:
    """All requesters of a run and the ingress before the channel.

    Parameters
    ----------
    streams : Sequence[Stream]
        What is asked for.
    ids : int
        How many ids there are.
    """

    def __init__(self, streams: Sequence[Stream], ids: int) -> None:
        self.requesters = [Requester(stream, ids) for stream in streams]

    def step(self, clock: int, ready: int, response: tuple[int, int] | None) -> Taken | None:
        """One clock.

        Parameters
        ----------
        clock : int
            The clock.
        ready : int
            Bit i: the queue of tenant i takes a request.
        response : tuple[int, int] or None
            Tenant and id of the response in this clock.

        Returns
        -------
        Taken or None
            Of all requests that can be taken, the one that was offered first.
        """
        for requester in self.requesters:
            if response is not None and requester.stream.tag == response[0]:
                requester.respond(response[1], clock)
            requester.advance(clock)
        heads = [
            (requester.head, place)
            for place, requester in enumerate(self.requesters)
            if requester.head is not None and ready >> requester.stream.tag & 1
        ]
        return self.requesters[min(heads)[1]].take(clock) if heads else None

    @property
    def done(self) -> bool:
        """Whether every requester has its last response."""
        return all(requester.done for requester in self.requesters)
