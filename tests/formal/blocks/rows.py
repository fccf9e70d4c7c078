"""The counters of a compact channel: every visit counts once, in its epoch, and reads right."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.compact.rows import CountRows
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(tenants=4)
COUNT_WIDTH = 31
"""A number of the proof's own: of the hardware's no proof would see that it is wrong."""
VISIT_CLOCKS = 4
"""Likewise."""
ROWS = "mcos_hw.channel.compact.rows"


class RowsHarness(Harness):
    """Adds up the visits of any one row beside the block, in two epochs.

    No visit of a row is of an earlier epoch than the last one of its bank that counted. What a
    visit added is in memory from the fourth clock after it on, and so are the totals.
    """

    amount_width = 11

    def environment(self, m: Module, rows: CountRows, visits: list[Value]) -> Value:
        """What the block takes of its surroundings; returns what the visit of this clock adds."""
        # Visits of one row are far enough apart.
        m.d.comb += Assume(implies(visits[0], ~Cat(visits[1:]).any()))
        return rows.visit.amount

    def elaborate(self, platform):
        m = Module()
        rows = CountRows(rows=self.config.tenants, amount_width=self.amount_width)
        inside = self.prove(m, rows)
        visit = rows.visit
        row = self.any_constant(m, len(visit.row), name="any_row")
        cleared = self.look("cleared", range(2 * rows.rows))

        # Visits of the row on their way.
        visits = [Signal(name=f"visits_{step}") for step in range(VISIT_CLOCKS)]
        amounts = [Signal(12, name=f"amount_{step}") for step in range(VISIT_CLOCKS)]
        epochs = [Signal(32, name=f"epoch_{step}") for step in range(VISIT_CLOCKS)]
        m.d.comb += [
            visits[0].eq(visit.counts & (visit.row == row) & ~rows.clears),
            epochs[0].eq(visit.epoch),
            amounts[0].eq(self.environment(m, rows, visits)),
        ]
        for step in range(VISIT_CLOCKS - 1):
            m.d.sync += [
                visits[step + 1].eq(visits[step]),
                amounts[step + 1].eq(amounts[step]),
                epochs[step + 1].eq(epochs[step]),
            ]
        latest = [Signal(32, name=f"latest_{parity}") for parity in range(2)]
        totals = [Signal(40, name=f"total_{parity}") for parity in range(2)]
        owners = [Signal(32, name=f"owner_{parity}") for parity in range(2)]
        for parity, (last, total, owner) in enumerate(zip(latest, totals, owners, strict=True)):
            of_bank = visits[0] & (visit.epoch[0] == parity)
            with m.If(of_bank):
                m.d.sync += last.eq(visit.epoch)
            with m.If(visits[-1] & (epochs[-1][0] == parity)):
                m.d.sync += [
                    owner.eq(epochs[-1]),
                    total.eq(Mux(owner == epochs[-1], total, 0) + amounts[-1]),
                ]
            m.d.comb += [
                Assume(implies(of_bank, (visit.epoch >= last) & visit.epoch.any())),
                Assume(~total[-1]),
            ]

            # The block keeps them in the same way, once cleared.
            words = inside.submodules.words.read_port(domain="comb")
            tags = inside.submodules.epochs.read_port(domain="comb")
            address = Cat(Const(parity, 1), row)
            on_way = [
                implies(visits[step] & (epochs[step][0] == parity), epochs[step] <= last)
                for step in range(1, VISIT_CLOCKS)
            ]
            m.d.comb += [words.addr.eq(address), tags.addr.eq(address)]
            m.d.comb += self.invariant(
                owner <= last,
                *on_way,
                implies(
                    ~rows.clears | (cleared > address),
                    (tags.data == owner)
                    & (words.data == Cat(total[:COUNT_WIDTH], total[COUNT_WIDTH:].any())),
                ),
                implies(rows.clears, (owner == 0) & (total == 0) & (last == 0)),
            )
        m.d.comb += self.invariant(implies(rows.clears, ~Cat(visits).any()))

        # What a visit of the row finds that nothing on its way precedes.
        reads = Signal(3)
        expected = [Signal(40, name=f"expected_{step}") for step in range(3)]
        parity = visit.epoch[0]
        owner, total = Mux(parity, owners[1], owners[0]), Mux(parity, totals[1], totals[0])
        alone = (visit.row == row) & ~Cat(visits[1:]).any() & ~rows.clears & visit.epoch.any()
        m.d.sync += [
            reads.eq(Cat(alone, reads[:-1])),
            expected[0].eq(Mux(owner == visit.epoch, total, 0)),
            expected[1].eq(expected[0]),
            expected[2].eq(expected[1]),
        ]
        word = Cat(expected[2][:COUNT_WIDTH], expected[2][COUNT_WIDTH:].any())
        m.d.comb += [
            Assert(implies(reads[2], rows.base == word)),
            Cover(reads[2] & (rows.base == 3)),
        ]
        return m


class FollowingHarness(RowsHarness):
    """Visits of any rows in any clocks, each adding 1; they say where an epoch changes."""

    amount_width = 0

    def environment(self, m: Module, rows: CountRows, visits: list[Value]) -> Value:
        visit = rows.visit
        counts = visit.counts & ~rows.clears
        last = Signal(32, name="last_epoch")
        with m.If(counts):
            m.d.sync += last.eq(visit.epoch)
        m.d.comb += Assume(
            implies(counts, (visit.epoch >= last) & (visit.changed == (visit.epoch != last)))
        )
        return Const(1, 12)


PROPERTIES = (
    Property(
        name="rows.total",
        claim=(
            "Visits of a row, four clocks apart or more, add up in their epoch, and any of them "
            "finds the total before it, or 0 in an epoch without one. Nothing counts until all "
            "rows are cleared."
        ),
        block=f"{ROWS}.CountRows",
        config=CONFIG,
        harness=RowsHarness,
        method=Method.INDUCTION,
        depth=7,
        bug=Bug(
            module=ROWS,
            text="(checked_epoch == check.epoch) & ~spoiled",
            instead="~spoiled",
        ),
        reach=24,
        skip=8,
    ),
    Property(
        name="rows.following",
        claim=(
            "Visits that add 1 each, of any rows in any clocks, add up in their epoch, and one "
            "that follows no other of its row within three clocks finds the total before it."
        ),
        block=f"{ROWS}.CountRows",
        config=CONFIG,
        harness=FollowingHarness,
        method=Method.INDUCTION,
        depth=7,
        bug=Bug(
            module=ROWS,
            text="follows.eq(collides &",
            instead="follows.eq(0 &",
        ),
        reach=24,
        skip=8,
        slow=True,
    ),
)
