"""The residency table: where to find the entry of an object."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.movement import OBJECT_WIDTH, entry_layout
from mcos_hw.movement.hashing import row_of
from mcos_hw.primitive.select import pick

__all__ = [
    "SIDES",
    "WAYS",
    "Table",
    "slot_layout",
]


SIDES = 2
"""Halves of the table; an object may be in one row of each."""

WAYS = 4
"""Objects of a row."""


def slot_layout(movement: MovementConfig) -> data.StructLayout:
    """A place of the table: the rows of an object in both halves, and of them one half and way."""
    row = (movement.table_rows - 1).bit_length()
    return data.StructLayout(
        {"rows": data.ArrayLayout(row, SIDES), "side": range(SIDES), "way": range(WAYS)}
    )


class Table(wiring.Component):
    """Entries of objects, found by name in two clocks, one in every clock.

    An object is in one of four ways of one row in either half; two hashes of its name say which
    rows. So eight objects share the two rows, and a table is filled to some nine tenths before a
    new object finds all eight taken. A new object goes into the row that has more room, the first
    half where both have as much (Azar et al., "Balanced allocations", SIAM J. Comput. 29(1)).

    ::

        clock     0        1        2
        object   |named   |        |
        rows     |        |read    |
        found    |        |        |entry, slot

    What is written in a clock is found from the next one on. A name that waits in clock 1 while its
    rows are written finds what they had before; whoever writes keeps such names out.

    The table is empty after ``movement.table_rows`` clocks of ``clears`` after reset, as a memory
    keeps what it had.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    look : In(1), object : In(64)
        Look for an object, named in this clock.
    moves : In(1)
        What was looked for in the clock before is found in the next one; else it stays.
    found : Out(1)
        It is there.
    entry : Out(entry_layout)
        Its entry.
    slot : Out(slot_layout)
        Where it is, or where it would go.
    full : Out(1)
        It is not there, and has no place to go.
    looking, deciding : In(1)
        What was named last is still looked for; what was found is not decided yet.
    clashes : Out(1)
        The object may share a row with one of these: what is decided may change what it would find.
    store : In(1), at : In(slot_layout)
        Write a place in this clock.
    taken : In(1), value : In(entry_layout)
        Whether an entry is there from then on, and which.
    clears : Out(1)
        The table is being emptied; nothing may be looked for.
    """

    look: Signal
    object: Signal
    moves: Signal
    found: Signal
    entry: data.View
    slot: data.View
    full: Signal
    looking: Signal
    deciding: Signal
    clashes: Signal
    store: Signal
    at: data.View
    taken: Signal
    value: data.View
    clears: Signal

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        entry = entry_layout(fabric, movement)
        super().__init__(
            {
                "look": In(1),
                "object": In(OBJECT_WIDTH),
                "moves": In(1),
                "found": Out(1),
                "entry": Out(entry),
                "slot": Out(slot_layout(movement)),
                "full": Out(1),
                "looking": In(1),
                "deciding": In(1),
                "clashes": Out(1),
                "store": In(1),
                "at": In(slot_layout(movement)),
                "taken": In(1),
                "value": In(entry),
                "clears": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        rows = self.movement.table_rows
        layout = data.StructLayout({"taken": 1, "entry": entry_layout(self.fabric, self.movement)})
        name = Signal(OBJECT_WIDTH)
        row_shape = self.slot.rows.shape().elem_shape
        named_rows = [Signal(row_shape, name=f"row_{side}") for side in range(SIDES)]
        with m.If(self.look):
            m.d.sync += name.eq(self.object)

        clearing = Signal(range(rows + 1))
        m.d.comb += self.clears.eq(clearing != rows)
        with m.If(self.clears):
            m.d.sync += clearing.eq(clearing + 1)

        clashes: Value = Const(0, 1)
        hits, frees = Signal(SIDES * WAYS), Signal(SIDES * WAYS)
        entries = []
        for side in range(SIDES):
            row = row_of(self.object, side, rows)
            with m.If(self.look):
                m.d.sync += named_rows[side].eq(row)
            clashes |= self.looking & (row == named_rows[side])
            clashes |= self.deciding & (row == self.slot.rows[side])
            for way in range(WAYS):
                kept = memory.Memory(shape=layout, depth=rows, init=[])
                m.submodules[f"side_{side}_way_{way}"] = kept
                read, write = kept.read_port(), kept.write_port()
                here = self.store & (self.at.side == side) & (self.at.way == way)
                m.d.comb += [
                    read.en.eq(self.look),
                    read.addr.eq(row),
                    write.en.eq(here | self.clears),
                    write.addr.eq(Mux(self.clears, clearing, self.at.rows[side])),
                    write.data.taken.eq(self.taken & ~self.clears),
                    write.data.entry.eq(self.value),
                    hits[side * WAYS + way].eq(read.data.taken & (read.data.entry.object == name)),
                    frees[side * WAYS + way].eq(~read.data.taken),
                ]
                entries.append(read.data.entry.as_value())

        m.d.comb += self.clashes.eq(clashes)
        # Where a new one would go: the row with more room, and there the first way.
        room = [sum(frees[side * WAYS + way] for way in range(WAYS)) for side in range(SIDES)]
        side, way = Signal(range(SIDES)), Signal(range(WAYS))
        hit = hits.any()
        m.d.comb += side.eq(Mux(hit, hits[WAYS:].any(), room[1] > room[0]))
        candidates = Mux(hit, hits, frees)
        row_candidates = Mux(side, candidates[WAYS:], candidates[:WAYS])
        for each in reversed(range(WAYS)):
            with m.If(row_candidates[each]):
                m.d.comb += way.eq(each)
        with m.If(self.moves):
            m.d.sync += [
                self.found.eq(hit),
                self.full.eq(~hit & ~frees.any()),
                self.entry.eq(pick(hits, entries)),
                self.slot.rows[0].eq(named_rows[0]),
                self.slot.rows[1].eq(named_rows[1]),
                self.slot.side.eq(side),
                self.slot.way.eq(way),
            ]
        return m
