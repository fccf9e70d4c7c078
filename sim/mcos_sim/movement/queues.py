"""Queues whose items pass a memory: in order, and offered some clocks after they came."""

from collections import deque
from typing import Generic, TypeVar

__all__ = [
    "Backlog",
    "FreeList",
]


_THROUGH = 2
"""Clocks after which an item that was written may leave the memory."""

Item = TypeVar("Item")


class _Ring(Generic[Item]):
    """A memory in which items keep their order.

    An item that is written in one clock is read in the next and may leave in the one after.
    """

    def __init__(self) -> None:
        self._items: deque[tuple[Item, int]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item, clock: int) -> None:
        self._items.append((item, clock))

    def next(self, clock: int) -> Item | None:
        """Takes the first item out, if it may leave in this clock."""
        if self._items and self._items[0][1] + _THROUGH <= clock:
            return self._items.popleft()[0]
        return None


class Backlog(Generic[Item]):
    """Items in order, as :class:`mcos_hw.primitive.backlog.Backlog` keeps them.

    ``head`` is the item that is offered in this clock.
    """

    def __init__(self) -> None:
        self.head: Item | None = None
        self._ring: _Ring[Item] = _Ring()
        self._clock = 0

    def step(self, *, enters: Item | None, leaves: bool) -> None:
        """Ends a clock in which an item may have entered, and the head may have left."""
        moves = self.head is None or leaves
        passes = moves and not self._ring
        if moves:
            self.head = enters if passes else self._ring.next(self._clock)
        if enters is not None and not passes:
            self._ring.put(enters, self._clock)
        self._clock += 1


class FreeList:
    """Numbers that are not in use, as :class:`mcos_hw.primitive.free_list.FreeList` offers them.

    Numbers that were never used come first, in order; then those that were given back, in the order
    in which they were. ``head`` is the number that is offered in this clock.
    """

    def __init__(self, depth: int) -> None:
        self.head: int | None = 0
        self._unused = deque(range(1, depth))
        self._ring: _Ring[int] = _Ring()
        self._clock = 0

    def step(self, *, takes: bool, given: int | None) -> None:
        """Ends a clock in which the head may have been taken and a number given back."""
        if self.head is None or takes:
            if self._unused:
                self.head = self._unused.popleft()
            else:
                self.head = self._ring.next(self._clock)
        if given is not None:
            self._ring.put(given, self._clock)
        self._clock += 1
