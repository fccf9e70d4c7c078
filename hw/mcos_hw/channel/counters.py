"""Counters that are latched at once at the end of an epoch."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

__all__ = [
    "COUNT_WIDTH",
    "EpochCounter",
    "EpochCounters",
    "saturating_sum",
]


COUNT_WIDTH = 31
"""Bits of a count; bit 31 of its register says that it saturated."""


def saturating_sum(count: Value, amount: Value) -> Value:
    """The counter word {overflow, count} after adding ``amount`` to the word ``count``."""
    total = count[:COUNT_WIDTH] + amount
    overflow = count[COUNT_WIDTH] | total[COUNT_WIDTH:].any()
    return Cat(Mux(overflow, (1 << COUNT_WIDTH) - 1, total[:COUNT_WIDTH]), overflow)


class EpochCounter(wiring.Component):
    """One counter in flip-flops, for events that many tenants may have in one clock.

    Members
    -------
    latch : In(1)
        The epoch ends with this clock, which still belongs to it.
    count : In(1)
        The event happens in this clock.
    latched : Out(32)
        Count of the epoch that ended last, overflow in bit 31.
    """

    latch: Signal
    count: Signal
    latched: Signal

    def __init__(self) -> None:
        super().__init__({"latch": In(1), "count": In(1), "latched": Out(32)})

    def elaborate(self, platform):
        m = Module()
        running = Signal(32)
        total = Signal(32)
        m.d.comb += total.eq(saturating_sum(running, self.count))
        m.d.sync += running.eq(total)
        with m.If(self.latch):
            m.d.sync += [self.latched.eq(total), running.eq(0)]
        return m


class EpochCounters(wiring.Component):
    """Many counters in one memory, of which one may count in a clock.

    The memory has two banks, one for even and one for odd epochs. Every row carries the number of
    the epoch in which it was last written: a row of an older epoch counts as zero, so nothing has
    to be cleared and an epoch is latched by switching banks.

    Parameters
    ----------
    depth : int
        Counters; a power of two.
    amount_width : int
        Bits of what one event adds.

    Members
    -------
    epoch : In(32)
        Number of the running epoch.
    count : In(1)
        An event happens in this clock.
    index : In
        Which counter counts.
    amount : In(amount_width)
        What it adds.
    read_index : In
        Which counter to read.
    read_data : Out(32)
        Its count in the epoch before the running one, overflow in bit 31; one clock later.

    Raises
    ------
    ValueError
        If ``depth`` is not a power of two.
    """

    epoch: Signal
    count: Signal
    index: Signal
    amount: Signal
    read_index: Signal
    read_data: Signal

    def __init__(self, *, depth: int, amount_width: int) -> None:
        if depth < 1 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two, not {depth!r}")
        self.depth = depth
        self.amount_width = amount_width
        index_width = (depth - 1).bit_length()
        super().__init__(
            {
                "epoch": In(32),
                "count": In(1),
                "index": In(index_width),
                "amount": In(amount_width),
                "read_index": In(index_width),
                "read_data": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        row = data.StructLayout({"word": COUNT_WIDTH + 1, "epoch": 32})
        m.submodules.rows = rows = memory.Memory(shape=row, depth=2 * self.depth, init=[])
        write = rows.write_port()
        update = rows.read_port(domain="comb")
        read = rows.read_port()

        running = Signal(COUNT_WIDTH + 1)
        with m.If(update.data.epoch == self.epoch):
            m.d.comb += running.eq(update.data.word)
        m.d.comb += [
            update.addr.eq(Cat(self.index, self.epoch[0])),
            write.addr.eq(update.addr),
            write.en.eq(self.count),
            write.data.word.eq(saturating_sum(running, self.amount)),
            write.data.epoch.eq(self.epoch),
        ]

        latched_epoch = Signal(32)
        m.d.comb += read.addr.eq(Cat(self.read_index, ~self.epoch[0]))
        m.d.sync += latched_epoch.eq(self.epoch - 1)
        with m.If(read.data.epoch == latched_epoch):
            m.d.comb += self.read_data.eq(read.data.word)
        return m
