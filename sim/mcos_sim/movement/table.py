"""The residency table: two halves of rows of four entries."""

import dataclasses
from functools import cache

from mcos_hw.movement.hashing import row_bits
from mcos_hw.movement.table import SIDES, WAYS
from mcos_sim.movement.words import Entry

__all__ = [
    "Found",
    "Slot",
    "Table",
    "rows_of",
]


@cache
def rows_of(name: int, table_rows: int) -> tuple[int, ...]:
    """The row of an object in each half."""
    bits = (table_rows - 1).bit_length()
    return tuple(
        sum((name & mask).bit_count() % 2 << bit for bit, mask in enumerate(row_bits(side, bits)))
        for side in range(SIDES)
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """A place of the table."""

    side: int
    row: int
    way: int


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What the table says of an object: its entry, and where that is or would go. ``slot`` is None
    if the object is not there and has no place to go."""

    entry: Entry | None
    slot: Slot | None


class Table:
    """Entries of objects, see :class:`mcos_hw.movement.table.Table`."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._entries: dict[Slot, Entry] = {}

    @property
    def entries(self) -> list[Entry]:
        """All that are there."""
        return list(self._entries.values())

    def clash(self, first: int, second: int) -> bool:
        """Whether two names share a row of a half."""
        rows = zip(rows_of(first, self.rows), rows_of(second, self.rows), strict=True)
        return any(one == other for one, other in rows)

    def find(self, name: int) -> Found:
        """Where an object is, else the first free way of the row that has more of them."""
        free = []
        for side, row in enumerate(rows_of(name, self.rows)):
            places = [Slot(side, row, way) for way in range(WAYS)]
            for slot in places:
                entry = self._entries.get(slot)
                if entry is not None and entry.object == name:
                    return Found(entry, slot)
            free.append([slot for slot in places if slot not in self._entries])
        room = max(free, key=len)
        return Found(None, room[0] if room else None)

    def store(self, slot: Slot, entry: Entry | None) -> None:
        """Writes a place, or empties it."""
        if entry is None:
            del self._entries[slot]
        else:
            self._entries[slot] = entry
