"""Counters that are latched at once at the end of an epoch."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.primitive.count import COUNT_WIDTH, counted, shown

__all__ = [
    "EpochCounter",
    "EpochCounters",
]


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
        ended = Signal(32)
        # The word is shown after it is latched: before, its overflow would come at the end of an
        # addition.
        m.d.comb += [total.eq(counted(running, self.count)), self.latched.eq(shown(ended))]
        m.d.sync += running.eq(total)
        with m.If(self.latch):
            m.d.sync += [ended.eq(total), running.eq(0)]
        return m


class EpochCounters(wiring.Component):
    """Many counters in one memory, of which one may count in a clock.

    The memory has two banks, one for even and one for odd epochs. Every row carries the number of
    the epoch in which it was last written: a row of an older epoch counts as zero, so an epoch is
    latched by switching banks. After reset all rows are cleared in ``2 * depth`` clocks; what
    happens meanwhile is not counted.

    A count takes four clocks: read, choose what to add to, add, write::

        clock        0         1         2         3         4
        event       |read     |base     |sum      |written  |in memory

    What is still on its way to the same row takes the place of what was read.

    Parameters
    ----------
    depth : int
        Counters; a power of two.
    amount_width : int
        Bits of what one event adds; 0 where every event adds 1.

    Members
    -------
    epoch : In(32)
        Number of the running epoch, at least 1.
    count : In(1)
        An event happens in this clock.
    index : In
        Which counter counts.
    amount : In(amount_width)
        What it adds; not there where every event adds 1.
    read_index : In
        Which counter to read.
    read_data : Out(32)
        Its count in the epoch before the running one, overflow in bit 31; one clock later. Complete
        from the fourth clock of the running epoch on. 0 while rows are being cleared.

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
                **({"amount": In(amount_width)} if amount_width else {}),
                "read_index": In(index_width),
                "read_data": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        row = data.StructLayout({"word": COUNT_WIDTH + 1, "epoch": 32})
        m.submodules.rows = rows = memory.Memory(
            shape=row,
            depth=2 * self.depth,
            init=[],
            # However small: rows are wide, and LUTs are scarcer than block memory.
            attrs={"ram_style": "block"},
        )
        write = rows.write_port()
        update = rows.read_port()
        read = rows.read_port()

        amount = {"amount": self.amount_width} if self.amount_width else {}
        event = data.StructLayout({"row": range(2 * self.depth), "epoch": 32, **amount})
        counts = [Signal(name=f"counts_{step}") for step in range(4)]
        events = [data.View(event, Signal(event, name=f"event_{step}")) for step in range(4)]
        sum_ = Signal(COUNT_WIDTH + 1)
        written = Signal(COUNT_WIDTH + 1)
        was_written = Signal(COUNT_WIDTH + 1)
        base = Signal(COUNT_WIDTH + 1)
        cleared = Signal(range(2 * self.depth + 1))
        clears = Signal()
        readable = Signal()

        # 0: its row has been read. 1: it is added. 2: the sum is written. 3: it is in memory, but
        # was not yet when the event in step 0 read.
        m.d.comb += [
            update.addr.eq(Cat(self.index, self.epoch[0])),
            sum_.eq(counted(base, events[1].amount if amount else Const(1))),
        ]
        m.d.sync += [
            events[0].row.eq(update.addr),
            events[0].epoch.eq(self.epoch),
            events[1].eq(events[0]),
            events[2].eq(events[1]),
            events[3].eq(events[2]),
            Cat(counts).eq(Cat(self.count & ~clears, counts[:3])),
            written.eq(sum_),
            was_written.eq(written),
        ]

        if amount:
            m.d.sync += events[0].amount.eq(self.amount)

        def same(older):
            return (
                counts[older]
                & (events[older].row == events[0].row)
                & (events[older].epoch == events[0].epoch)
            )

        with m.If(same(1)):
            m.d.sync += base.eq(sum_)
        with m.Elif(same(2)):
            m.d.sync += base.eq(written)
        with m.Elif(same(3)):
            m.d.sync += base.eq(was_written)
        with m.Elif(update.data.epoch == events[0].epoch):
            m.d.sync += base.eq(update.data.word)
        with m.Else():
            m.d.sync += base.eq(0)

        m.d.comb += [
            clears.eq(~cleared[-1]),
            write.en.eq(clears | counts[2]),
            write.addr.eq(Mux(clears, cleared, events[2].row)),
            write.data.word.eq(Mux(clears, 0, written)),
            write.data.epoch.eq(Mux(clears, 0, events[2].epoch)),
        ]
        m.d.sync += cleared.eq(cleared + clears)

        latched_epoch = Signal(32)
        m.d.comb += read.addr.eq(Cat(self.read_index, ~self.epoch[0]))
        m.d.sync += [latched_epoch.eq(self.epoch - 1), readable.eq(~clears)]
        with m.If(readable & (read.data.epoch == latched_epoch)):
            m.d.comb += self.read_data.eq(shown(read.data.word))
        return m
