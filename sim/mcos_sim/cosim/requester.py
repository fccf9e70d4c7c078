"""A requester: walks a stream with a window of outstanding requests."""

from collections import deque

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import request_layout
from mcos_sim.traffic.stream import Stream

__all__ = [
    "Requester",
]


class Requester:
    """Issues the requests of a stream, at most ``window`` outstanding.

    A request is offered when the window admits it, and waits in ``pending`` until the channel
    takes it; the clock of its first offer is its stamp. A step ends with its last response.

    Parameters
    ----------
    stream : Stream
        What to ask for.
    config : ChannelConfig
        Sizes of the request's fields.

    Attributes
    ----------
    pending : collections.deque[tuple[int, int]]
        Requests offered and not yet taken: (clock of the first offer, packed request).
    sizes : list[int]
        Bytes of each request of the stream.
    offered, taken, completed : list[int]
        Clock of each request so far, by position in the stream; ``completed`` is -1 while it is
        not known.
    step_started, step_ended : list[int]
        Clock in which each step started and ended so far; a step ends at -1 while it is running.
    """

    def __init__(self, stream: Stream, config: ChannelConfig) -> None:
        self.stream = stream
        self.tag = stream.tag
        self.pending: deque[tuple[int, int]] = deque()
        self.outstanding = 0
        self.offered: list[int] = []
        self.taken: list[int] = []
        self.completed: list[int] = []
        self.step_started: list[int] = []
        self.step_ended: list[int] = []

        layout = request_layout(config)
        self._id_offset = layout["id"].offset
        self._id_mask = (1 << config.id_width) - 1
        if stream.window > self._id_mask:
            raise ValueError(
                f"window of {stream.name!r} must be at most {self._id_mask} "
                f"with {config.id_width} id bits, not {stream.window}"
            )
        self._stamp_offset = layout["offered"].offset
        self._stamp_mask = (1 << config.stamp_width) - 1
        self._words = _packed(stream, layout)
        self.sizes: list[int] = (
            stream.requests["beats"].astype(np.int64) * config.beat_bytes
        ).tolist()
        self._firsts: list[int] = stream.steps["first"].tolist()
        self._counts: list[int] = stream.steps["count"].tolist()
        self._ready: list[int] = stream.steps["ready"].tolist()
        self._compute: list[int] = stream.steps["compute"].tolist()
        self._step_of: list[int] = np.repeat(
            np.arange(len(stream.steps)), stream.steps["count"]
        ).tolist()
        self._left = list(self._counts)
        self._by_id: dict[int, int] = {}
        self._next_step = 0
        self._end = 0  # requests of started steps
        self._next_start = self._start_of(0, 0)
        self.stopped = not self._words

    @property
    def done(self) -> bool:
        """Whether nothing more will be offered or answered."""
        return self.stopped and not self.outstanding

    def _start_of(self, step: int, earliest: int) -> int | None:
        """Clock in which ``step`` may start, or None where there is none."""
        if step >= len(self._firsts):
            return None
        return max(self._ready[step], earliest)

    def word(self, index: int) -> int:
        """The packed request at a position in the stream, without id and stamp."""
        return self._words[index]

    def advance(self, clock: int) -> None:
        """Starts steps and offers requests that are due in ``clock``."""
        until = self.stream.until
        if until is not None and clock >= until:
            self.stopped = True
            return
        while self._next_start is not None and clock >= self._next_start:
            step = self._next_step
            self._end = self._firsts[step] + self._counts[step]
            self.step_started.append(clock)
            self.step_ended.append(-1)
            self._next_step += 1
            # A closed-loop step waits for this one's last response.
            self._next_start = (
                None if self.stream.closed else self._start_of(self._next_step, clock)
            )
        position = len(self.offered)
        last = min(self._end, position + self.stream.window - self.outstanding)
        stamp = ((clock - self.stream.stamp_age) & self._stamp_mask) << self._stamp_offset
        for index in range(position, last):
            request_id = index & self._id_mask
            self._by_id[request_id] = index
            self.offered.append(clock)
            self.completed.append(-1)
            self.pending.append((clock, self._words[index] | stamp | request_id << self._id_offset))
        self.outstanding += max(0, last - position)
        if last == len(self._words):
            self.stopped = True

    def wakes_at(self) -> int | None:
        """First clock in which it does something unasked, where that is known, else None."""
        if self.stopped:
            return None
        clocks = [clock for clock in (self._next_start, self.stream.until) if clock is not None]
        return min(clocks, default=None)

    def respond(self, request_id: int, clock: int) -> None:
        """Takes the response to ``request_id``.

        Raises
        ------
        AssertionError
            If no such request is outstanding.
        """
        index = self._by_id.pop(request_id, None)
        assert index is not None, (
            f"tenant {self.stream.name!r} got a response to id {request_id} in clock {clock}, "
            "which is not outstanding"
        )
        self.completed[index] = clock
        self.outstanding -= 1
        step = self._step_of[index]
        self._left[step] -= 1
        if self._left[step] == 0:
            self.step_ended[step] = clock
            if self.stream.closed and step + 1 == self._next_step:
                following = self._next_step
                if following < len(self._compute):
                    self._next_start = self._start_of(following, clock + self._compute[following])


def _packed(stream: Stream, layout) -> list[int]:
    """Requests of a stream as packed words without id and stamp."""
    words = np.full(len(stream.requests), stream.tag, dtype=object) << layout["tenant"].offset
    for name in ("op", "address", "beats"):
        words |= stream.requests[name].astype(object) << layout[name].offset
    return words.tolist()
