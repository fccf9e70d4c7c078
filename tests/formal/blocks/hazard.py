"""The hazard table: no two fragments of one order that touch the same beats are outstanding."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

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

        landing, max_beats = table.landing, self.config.max_beats
        outstanding = [self.look(f"outstanding_{e}", 1) for e in range(entries)]
        keys = Array(self.look(f"key_{e}", 6) for e in range(entries))
        rows = Array(self.look(f"beats_{e}", max_beats) for e in range(entries))

        layout = landing_layout(fabric, port)
        in_use = Signal(entries)
        entering = in_use.bit_select(landing.entry, 1)
        leaving = in_use.bit_select(table.leave_entry, 1)
        with m.If(table.leave_valid):
            m.d.sync += leaving.eq(0)
        with m.If(table.enter):
            m.d.sync += entering.eq(1)
        m.d.comb += [
            Assume(one != other),
            Assume(implies(table.enter, table.clear)),
            Assume(implies(table.enter, ~entering)),
            Assume(implies(table.leave_valid, leaving)),
            Assume(landing.beats >= 1),
            Assume(_first(fabric, landing) + landing.beats <= max_beats),
            Assume(landing.hazard.key == _key(fabric, landing, 6)),
            Assume(
                landing.hazard.beats == hazard.touched_beats(fabric, landing.address, landing.beats)
            ),
        ]
        followed = []
        for name, entry in (("one", one), ("other", other)):
            used = Signal(name=f"{name}_used")
            kept = Signal(layout, name=f"{name}_kept")
            enters = table.enter & (landing.entry == entry)
            leaves = table.leave_valid & (table.leave_entry == entry)
            with m.If(enters):
                m.d.sync += [used.eq(1), kept.eq(landing)]
            with m.Elif(leaves):
                m.d.sync += used.eq(0)
            m.d.comb += [
                self.invariant(
                    in_use.bit_select(entry, 1) == used,
                    implies(
                        used,
                        (keys[entry] == _key(fabric, kept, 6))
                        & (rows[entry] == _beats(fabric, kept)),
                    ),
                ),
            ]
            followed.append((used, kept))

        (one_used, one_kept), (other_used, other_kept) = followed
        m.d.comb += [
            Assert(~(one_used & other_used & _clash(fabric, one_kept, other_kept))),
            self.invariant(Cat(outstanding) == in_use),
            Assert(implies(in_use == 0, table.clear)),
        ]

        waited = Signal()
        m.d.sync += waited.eq(one_used & other_used & ~table.clear)
        m.d.comb += Cover(waited & table.clear & table.enter & (in_use == 1) & (landing.entry == 1))
        return m


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
