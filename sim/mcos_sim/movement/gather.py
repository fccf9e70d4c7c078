"""What several channels have ended, one item in a clock."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from mcos_sim.movement.queues import Backlog

__all__ = ["Gather"]


Item = TypeVar("Item")


class Gather(Generic[Item]):
    """Queues that take turns, see :class:`mcos_hw.port.gather.Gather`. One channel has no queue."""

    def __init__(self, channels: int) -> None:
        self._queues: list[Backlog[Item]] = [Backlog() for _ in range(channels)]
        self._last = 0

    def step(self, items: Sequence[Item | None]) -> Item | None:
        """What each channel gives in this clock; the item that leaves in it."""
        channels = len(self._queues)
        if channels == 1:
            return items[0]
        turns = [(self._last + 1 + k) % channels for k in range(channels)]
        chosen = next((c for c in turns if self._queues[c].head is not None), None)
        leaving = None
        if chosen is not None:
            leaving = self._queues[chosen].head
            self._last = chosen
        for c, (queue, item) in enumerate(zip(self._queues, items, strict=True)):
            queue.step(enters=item, leaves=c == chosen)
        return leaving
