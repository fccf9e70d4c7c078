"""Counters of two epochs in one memory, of which one is visited in a clock."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.epoch import epoch_signature
from mcos_hw.link.events import events_signature
from mcos_hw.primitive.count import COUNT_WIDTH, counted

__all__ = [
    "VISIT_CLOCKS",
    "CountRows",
    "counts_signature",
    "visit_layout",
]


VISIT_CLOCKS = 4
"""Clocks from a visit to the first visit of the same row that finds what it wrote."""


def visit_layout(*, rows: int, amount_width: int) -> data.StructLayout:
    """A visit of a row.

    - ``counts``: it adds to the row; without it the row is only read;
    - ``row``: which one;
    - ``epoch``: number of the epoch to which it belongs;
    - ``amount``: what it adds; or, where every visit adds 1 (``amount_width`` 0), ``changed``: its
      epoch is another one than that of the last visit that counted.
    """
    amount = {"amount": amount_width} if amount_width else {"changed": 1}
    return data.StructLayout({"counts": 1, "row": range(rows), "epoch": 32, **amount})


def counts_signature(config: ChannelConfig, *, rows: int) -> wiring.Signature:
    """Who visits ``rows`` rows for events, and for reads of the epoch that ended last."""
    return wiring.Signature(
        {
            "epoch": In(epoch_signature()),
            "ended": In(32),
            "events": In(events_signature(config)),
            "reads": In(1),
            "read_row": In(range(rows)),
            "taken": Out(1),
            "base": Out(32),
            "complete": Out(1),
        }
    )


class CountRows(wiring.Component):
    """Many counters in one memory, one visit a clock.

    The memory has two banks, one for even and one for odd epochs. Every row carries the number of
    the epoch in which it was last written: a row of another epoch than its visit's counts as zero,
    so an epoch begins without any row being cleared. After reset all rows are cleared in
    ``2 * rows`` clocks; visits meanwhile add nothing::

        clock        0         1         2         3         4
        visit       |row      |word     |checked  |base, sum|in memory

    A visit does not see what was added to its row in the three clocks before. Where every visit
    adds 1, the rows make up for that: visits of any rows may follow each other, because a visit
    adds what the others on their way to its row do. With amounts, visits of one row must be at
    least :data:`VISIT_CLOCKS` apart.

    Parameters
    ----------
    rows : int
        Counters.
    amount_width : int
        Bits of what a visit adds; 0 where every visit adds 1.

    Members
    -------
    visit : In(visit_layout)
        The visit of this clock; one that does not count changes nothing.
    base : Out(32)
        What the row of the visit three clocks before had counted in the visit's epoch, overflow in
        bit 31; without what was added in the three clocks before the visit.
    clears : Out(1)
        Rows are being cleared after a reset.
    """

    visit: data.View
    base: Signal
    clears: Signal

    def __init__(self, *, rows: int, amount_width: int) -> None:
        self.rows = rows
        self.amount_width = amount_width
        super().__init__(
            {
                "visit": In(visit_layout(rows=rows, amount_width=amount_width)),
                "base": Out(COUNT_WIDTH + 1),
                "clears": Out(1, init=1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        row_width = (self.rows - 1).bit_length()
        # Words and epochs apart, so that neither is wider than a block of 1,024 rows.
        m.submodules.words = words = self._memory(COUNT_WIDTH + 1, 2 << row_width)
        m.submodules.epochs = epochs = self._memory(32, 2 << row_width)
        write, read = words.write_port(), words.read_port(domain="comb")
        write_epoch, read_epoch = epochs.write_port(), epochs.read_port(domain="comb")
        step = data.StructLayout(
            {"counts": 1, "row": row_width, "epoch": 32, "amount": self.amount_width or 2}
        )
        read_step, check, add = (
            data.View(step, Signal(step, name=name)) for name in ("read_step", "check", "add")
        )

        word, checked_word = Signal(COUNT_WIDTH + 1), Signal(COUNT_WIDTH + 1)
        epoch, checked_epoch = Signal(32), Signal(32)
        collides = Signal()
        collided = Signal()
        spoiled = Signal()
        follows, goes_on = Signal(), Signal()
        was_written = Signal(COUNT_WIDTH + 1)
        matches = Signal()
        written = Signal(COUNT_WIDTH + 1)
        m.d.comb += [
            read.addr.eq(Cat(self.visit.epoch[0], self.visit.row)),
            read_epoch.addr.eq(read.addr),
            collides.eq(write.en & (write.addr == read.addr)),
            matches.eq(((checked_epoch == check.epoch) & ~spoiled | goes_on) & ~self.clears),
            written.eq(counted(self.base, add.amount)),
        ]
        m.d.sync += [
            *(read_step[name].eq(self.visit[name]) for name in ("row", "epoch")),
            read_step.counts.eq(self.visit.counts & ~self.clears),
            word.eq(read.data),
            epoch.eq(read_epoch.data),
            collided.eq(collides),
            checked_word.eq(word if self.amount_width else Mux(follows, was_written, word)),
            checked_epoch.eq(epoch),
            check.eq(read_step),
            spoiled.eq(collided),
            add.eq(check),
            self.base.eq(Mux(matches, checked_word, 0)),
        ]
        if self.amount_width:
            m.d.sync += [read_step.amount.eq(self.visit.amount), check.amount.eq(read_step.amount)]
        else:
            m.d.sync += [goes_on.eq(follows), was_written.eq(written)]
            m.d.sync += follows.eq(collides & self._follow(m, read_step, check, add))

        # While rows are cleared, nothing is added to nothing.
        cleared = Signal(range(2 * self.rows))
        m.d.sync += cleared.eq(cleared + self.clears)
        with m.If(cleared == 2 * self.rows - 1):
            m.d.sync += self.clears.eq(0)
        with m.If(self.clears):
            m.d.sync += [add.epoch.eq(0), add.amount.eq(0)]
        m.d.comb += [
            write.en.eq(self.clears | add.counts),
            write.addr.eq(Mux(self.clears, cleared, Cat(add.epoch[0], add.row))),
            write.data.eq(written),
            write_epoch.addr.eq(write.addr),
            write_epoch.en.eq(write.en),
            write_epoch.data.eq(add.epoch),
        ]
        return m

    @staticmethod
    def _memory(width: int, depth: int) -> memory.Memory:
        """A memory in blocks: LUTs are scarcer.

        What is read while it is written is not used, so nothing is to be done about it.
        """
        return memory.Memory(
            shape=unsigned(width),
            depth=depth,
            init=[],
            attrs={"ram_style": "block", "no_rw_check": 1},
        )

    def _follow(self, m: Module, read_step: data.View, check: data.View, add: data.View) -> Value:
        """Adds what others on their way to the same row add.

        A visit adds what the two before it do. The third before it is written as this one reads:
        what is written takes the place of what is read, if the two are of one epoch. Returns
        whether they are.
        """
        changes = self.visit.changed & self.visit.counts
        changed, was_changed = Signal(), Signal()
        same_1 = check.counts & (check.row == read_step.row) & ~changed
        same_2 = add.counts & (add.row == read_step.row) & ~changed & ~was_changed
        m.d.sync += [
            changed.eq(changes),
            was_changed.eq(changed),
            check.amount.eq(1 + same_1 + same_2),
        ]
        return ~changes & ~changed & ~was_changed
