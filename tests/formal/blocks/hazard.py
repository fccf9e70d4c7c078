"""The hazard table: no two fragments of one order that touch the same beats are outstanding."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.link.fragment import landing_layout
from mcos_hw.port import hazard
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


BLOCK = "mcos_hw.port.hazard.HazardTable"
HAZARD = "mcos_hw.port.hazard"
CONFIG = ChannelConfig(beat_bytes=64, bytes_per_clock=64, max_beats=8)


class HazardHarness(Harness):
    """Follows any two fragments, with the addresses that the table does not keep."""

    def elaborate(self, platform):
        m = Module()
        entries = 4
        port = PortConfig(reads=entries, writes=entries, hazard_rows=64)
        fabric = FabricConfig(channel=self.config, ports=(port,))
        table = hazard.HazardTable(fabric, port)
        self.prove(m, table)
        one = self.any_constant(m, range(entries), name="one_entry")
        other = self.any_constant(m, range(entries), name="other_entry")

        coming, passing, max_beats = table.i.payload, table.o.payload, self.config.max_beats
        takes, enters = table.i.valid & table.i.ready, table.o.valid & table.o.ready
        outstanding = [self.look(f"outstanding_{e}", 1) for e in range(entries)]
        keys = [self.look(f"key_{e}", len(coming.hazard.key)) for e in range(entries)]
        rows = [self.look(f"beats_{e}", max_beats) for e in range(entries)]
        filled, last, first = (
            self.look(*each) for each in (("filled", 2), ("last", 1), ("first.copy_0", 1))
        )
        numbers = [self.look(f"number_{k}", entries) for k in range(2)]
        blocking = [self.look(f"blocking_{k}", entries) for k in range(2)]
        blocked = [self.look(f"blocked_{k}", 1) for k in range(2)]
        layout = landing_layout(fabric, port)
        width = Shape.cast(layout).width
        places = [data.View(layout, self.look(f"place_{k}", width)) for k in range(2)]

        # Entries that wait in the table, and those that are outstanding.
        inside = Signal(entries)
        in_use = Signal(entries)
        for e in range(entries):
            with m.If(takes & (coming.entry == e)):
                m.d.sync += inside[e].eq(1)
            with m.Elif(enters & (passing.entry == e)):
                m.d.sync += inside[e].eq(0)
            with m.If(enters & (passing.entry == e)):
                m.d.sync += in_use[e].eq(1)
            with m.Elif(table.leave_valid & (table.leave_entry == e)):
                m.d.sync += in_use[e].eq(0)
        m.d.comb += [
            Assume(one != other),
            Assume(
                implies(table.i.valid, ~(inside | in_use).bit_select(coming.entry, 1)),
            ),
            Assume(implies(table.leave_valid, in_use.bit_select(table.leave_entry, 1))),
            Assume(implies(table.i.valid, self.told(fabric, coming))),
        ]

        followed = []
        for name, entry in (("one", one), ("other", other)):
            used = Signal(name=f"{name}_used")
            kept = Signal(layout, name=f"{name}_kept")
            enters_now = enters & (passing.entry == entry)
            with m.If(enters_now):
                m.d.sync += [used.eq(1), kept.eq(passing)]
            with m.Elif(table.leave_valid & (table.leave_entry == entry)):
                m.d.sync += used.eq(0)
            m.d.comb += self.invariant(
                in_use.bit_select(entry, 1) == used,
                implies(used, self.told(fabric, kept)),
                implies(
                    used,
                    (Array(keys)[entry] == kept.hazard.key)
                    & (Array(rows)[entry] == kept.hazard.beats),
                ),
            )
            followed.append((used, kept))

        (one_used, one_kept), (other_used, other_kept) = followed
        waits = Signal(entries)
        m.d.comb += [
            waits.eq(
                Mux(filled[0], 1 << places[0].entry, 0) | Mux(filled[1], 1 << places[1].entry, 0)
            ),
            Assert(~(one_used & other_used & _clash(fabric, one_kept, other_kept))),
            Assert(implies(enters, inside.bit_select(passing.entry, 1))),
            Assert(implies((in_use == 0) & inside.any(), table.o.valid)),
            self.invariant(
                Cat(outstanding) == in_use,
                (inside & in_use) == 0,
                inside == waits,
                first != self.look("first.copy_1", 1),
                (last != first) == (filled[0] ^ filled[1]),
                implies(filled.any(), filled.bit_select(first, 1)),
                implies(filled.all(), places[0].entry != places[1].entry),
                Cat(blocked) == Cat(each.any() for each in blocking),
            ),
        ]
        for k, place in enumerate(places):
            m.d.comb += self.invariant(
                implies(filled[k], self.told(fabric, place)),
                implies(filled[k], numbers[k] == 1 << place.entry),
                implies(
                    filled[k],
                    (Array(keys)[place.entry] == place.hazard.key)
                    & (Array(rows)[place.entry] == place.hazard.beats),
                ),
            )
            for e in range(entries):
                ahead = (first != k) & (places[1 - k].entry == e)
                same = (keys[e] == place.hazard.key) & (rows[e] & place.hazard.beats).any()
                m.d.comb += self.invariant(
                    implies(filled[k], blocking[k][e] == ((in_use[e] | ahead) & same))
                )

        waited = Signal()
        m.d.sync += waited.eq(one_used & other_used & filled.any() & ~table.o.valid)
        m.d.comb += Cover(waited & enters & (in_use == 1) & (passing.entry == 1))
        return m

    def told(self, fabric, landing):
        """Its hazard is that of its address, and it lies in one block."""
        return (
            (landing.beats >= 1)
            & (_first(fabric, landing) + landing.beats <= fabric.channel.max_beats)
            & (landing.hazard.key == _key(fabric, landing, len(landing.hazard.key)))
            & (landing.hazard.beats == hazard.touched_beats(fabric, landing.address, landing.beats))
        )


def _first(fabric, landing):
    return landing.address[fabric.beat_bytes.bit_length() - 1 : fabric.block_width]


def _beats(fabric, landing):
    """The beats of its block that a fragment touches."""
    first = _first(fabric, landing)
    return Cat((first <= i) & (first + landing.beats > i) for i in range(fabric.channel.max_beats))


def _key(fabric, landing, width):
    return hazard.hazard_key(landing.address[fabric.block_width :], landing.order, width)


def _clash(fabric, left, right):
    """Whether two fragments are of one order and touch the same beats."""
    return (
        (left.order == right.order)
        & (left.address[fabric.block_width :] == right.address[fabric.block_width :])
        & (_beats(fabric, left) & _beats(fabric, right)).any()
    )


PROPERTIES = (
    Property(
        name="hazard.no_overlap",
        claim="No two fragments of one order that touch the same beats are outstanding, and when "
        "none is outstanding any may land.",
        block=BLOCK,
        config=CONFIG,
        harness=HazardHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=HAZARD,
            text="beats > i for i",
            instead="beats > i + 1 for i",
        ),
        reach=5,
    ),
)
