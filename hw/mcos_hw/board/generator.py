"""A tenant of a board: asks for memory at a set rate, and times and checks what comes back."""

from amaranth import *
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from mcos_hw.board.contents import WORD_BYTES, contents_value
from mcos_hw.bus.axi4 import AxiInterface, BurstKind
from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import FabricConfig
from mcos_hw.port.axi_port import port_signature

__all__ = [
    "MOST_DUE",
    "Generator",
    "counts_layout",
    "settings_layout",
]


MOST_DUE = 15
"""Requests that a generator owes at most, when it may not ask as often as it should."""

_STAMP_WIDTH = 16

_LEAST_DEPTH = 16
"""Requests that can be under way, if the port itself has fewer."""

_TAPS = (15, 13, 12, 10)
"""Of a shift register that goes through all numbers of 16 bits but 0."""


def settings_layout() -> data.StructLayout:
    """How a generator asks; the registers PACE and GENERATOR of a board say what each means."""
    return data.StructLayout(
        {"on": 1, "random": 1, "beats_log2": 3, "writes": 3, "interval": 16, "window": 6}
    )


def counts_layout() -> data.StructLayout:
    """What a generator counts, see :data:`mcos_hw.registers.board_map.GENERATOR_COUNTS`."""
    return data.StructLayout(
        {"answered": 32, "latency_sum": 32, "latency_most": _STAMP_WIDTH, "wrong": 32}
    )


class Generator(wiring.Component):
    """An AXI4 manager that reads and writes a part of memory of its own.

    A request falls due every ``interval`` clocks. It is asked for when the one before it has been
    taken and fewer than ``window`` are under way. Its latency counts from the clock in which its
    address is first offered to that of its last answer. Reads and writes are told apart by a shift
    register, so that two generators of one number ask for the same in the same order.

    What it writes is what memory holds already, so that every read can be checked at any time.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    number : int
        Its port, and which part of memory is its own.
    words : int
        Words of that part, a power of two; part k begins at word ``k * words``.

    Members
    -------
    settings : In(settings_layout())
        How it asks.
    clear : In(1)
        Its counts become zero.
    counts : Out(counts_layout())
        What it counted.
    m_axi : Out(port_signature)
        Its port.
    """

    settings: data.View
    clear: Signal
    counts: data.View
    m_axi: AxiInterface

    def __init__(self, fabric: FabricConfig, *, number: int, words: int) -> None:
        self.fabric = fabric
        self.number = number
        self.words = words
        self.port = port = fabric.ports[number]
        if port.data_bytes != WORD_BYTES:
            raise ValueError(f"data_bytes must be {WORD_BYTES}, not {port.data_bytes!r}")
        if words < fabric.channel.max_beats or words & (words - 1):
            raise ValueError(
                "words must be a power of two of at least max_beats, "
                f"{fabric.channel.max_beats}, not {words!r}"
            )
        super().__init__(
            {
                "settings": In(settings_layout()),
                "clear": In(1),
                "counts": Out(counts_layout()),
                "m_axi": Out(port_signature(fabric, port)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        now = Signal(_STAMP_WIDTH)
        m.d.sync += now.eq(now + 1)
        starts = Signal()  # a request is offered from the next clock on
        ends = Signal(2)  # a read, and a write, is answered in this clock
        under_way = Signal(6)
        m.d.sync += under_way.eq(under_way + starts - ends[0] - ends[1])

        # What is under way, in its order.
        depth = max(self.port.reads, self.port.writes, _LEAST_DEPTH)
        layout = self._asked_layout()
        m.submodules.reads = reads = fifo.SyncFIFO(width=layout.size, depth=depth)
        m.submodules.writes = writes = fifo.SyncFIFO(width=_STAMP_WIDTH, depth=depth)
        asked = data.View(layout, Signal(layout, name="asked"))
        writes_next = Signal()
        m.d.comb += [
            asked.stamp.eq(now + 1),
            reads.w_data.eq(asked),
            writes.w_data.eq(asked.stamp),
            reads.w_en.eq(starts & ~writes_next),
            writes.w_en.eq(starts & writes_next),
            reads.r_en.eq(ends[0]),
            writes.r_en.eq(ends[1]),
        ]

        settings = self.settings
        owes = self._elaborate_due(m, starts)
        room = (under_way < settings.window) & reads.w_rdy & writes.w_rdy
        beats = self._elaborate_place(m, asked, starts, writes_next)
        self._elaborate_requests(m, asked, beats, starts, owes & room, writes_next)
        read = data.View(layout, reads.r_data)
        self._elaborate_check(m, read, ends)
        self._elaborate_latency(m, now, (read.stamp, writes.r_data), ends)
        with m.If(self.clear):
            m.d.sync += self.counts.eq(0)
        return m

    def _asked_layout(self) -> data.StructLayout:
        """A request that is under way: when it was offered, and its first word in all of memory."""
        return data.StructLayout({"stamp": _STAMP_WIDTH, "word": exact_log2(self.words) + 4})

    def _elaborate_due(self, m: Module, starts: Value) -> Value:
        """Whether a request is due."""
        settings = self.settings
        timer = Signal(16)
        due = Signal(range(MOST_DUE + 1))
        falls = Signal()
        again = Mux(settings.interval == 0, 0, settings.interval - 1)
        m.d.comb += falls.eq(settings.on & (timer == 0))
        m.d.sync += timer.eq(Mux(timer == 0, again, timer - 1))
        with m.If(~settings.on):
            m.d.sync += [due.eq(0), timer.eq(0)]
        with m.Elif(starts & ~falls):
            m.d.sync += due.eq(due - 1)
        with m.Elif(falls & ~starts & (due != MOST_DUE)):
            m.d.sync += due.eq(due + 1)
        return settings.on & (due != 0)

    def _elaborate_place(
        self, m: Module, asked: data.View, starts: Value, writes_next: Signal
    ) -> Value:
        """Where the next request goes, and whether it writes; its beats."""
        settings = self.settings
        width = exact_log2(self.words)
        noise = Signal(16, init=0xACE1 + self.number)
        place = Signal(width)
        here = Signal(width)
        beats = Signal(5)
        most = self.fabric.channel.max_beats
        m.d.comb += [
            beats.eq(Mux(settings.beats_log2 > exact_log2(most), most, 1 << settings.beats_log2)),
            here.eq(Mux(settings.random, noise[:width], place) & ~(beats - 1)[:width]),
            asked.word.eq(Cat(here, Const(self.number, 4))),
            writes_next.eq(noise[8:10] < settings.writes),
        ]
        with m.If(starts):
            m.d.sync += [
                place.eq(place + beats),
                noise.eq(Cat(Cat(noise[k] for k in _TAPS).xor(), noise[:-1])),
            ]
        return beats

    def _elaborate_requests(
        self,
        m: Module,
        asked: data.View,
        beats: Value,
        starts: Signal,
        may: Value,
        writes_next: Value,
    ) -> None:
        """Offers one request after another, with the data of those that write."""
        bus = self.m_axi
        word = Signal.like(asked.word)
        last = Signal(4)  # beats less one: settings may change while a request is offered
        beat = Signal(4)
        for prefix in ("ar", "aw"):
            m.d.comb += [
                getattr(bus, f"{prefix}addr").eq(Cat(Const(0, exact_log2(WORD_BYTES)), word)),
                getattr(bus, f"{prefix}len").eq(last),
                getattr(bus, f"{prefix}size").eq(exact_log2(WORD_BYTES)),
                getattr(bus, f"{prefix}burst").eq(BurstKind.INCR),
            ]
        m.d.comb += [
            bus.wdata.eq(contents_value(word + beat)),
            bus.wstrb.eq(-1),
            bus.wlast.eq(beat == last),
        ]
        with m.If(starts):
            m.d.sync += [word.eq(asked.word), last.eq(beats - 1)]
        with m.FSM(name="ask"):
            with m.State("idle"):
                m.d.comb += starts.eq(may)
                with m.If(starts):
                    m.next = "read"
                    with m.If(writes_next):
                        m.next = "write"
            with m.State("read"):
                m.d.comb += bus.arvalid.eq(1)
                with m.If(bus.arready):
                    m.next = "idle"
            with m.State("write"):
                m.d.comb += bus.awvalid.eq(1)
                with m.If(bus.awready):
                    m.next = "data"
            with m.State("data"):
                m.d.comb += bus.wvalid.eq(1)
                with m.If(bus.wready):
                    m.d.sync += beat.eq(beat + 1)
                    with m.If(bus.wlast):
                        m.d.sync += beat.eq(0)
                        m.next = "idle"

    def _elaborate_check(self, m: Module, read: data.View, ends: Signal) -> None:
        """Takes answers, and compares what was read a clock later."""
        bus = self.m_axi
        returned = Signal(4)  # beats of the oldest read that are here
        m.d.comb += [
            bus.rready.eq(1),
            bus.bready.eq(1),
            ends[0].eq(bus.rvalid & bus.rlast),
            ends[1].eq(bus.bvalid),
        ]
        with m.If(bus.rvalid):
            m.d.sync += returned.eq(Mux(bus.rlast, 0, returned + 1))
        compared = Signal()
        expected = Signal(8 * WORD_BYTES)
        found = Signal(8 * WORD_BYTES)
        fails = Signal(2)
        m.d.sync += [
            compared.eq(bus.rvalid),
            expected.eq(contents_value(read.word + returned)),
            found.eq(bus.rdata),
            fails[0].eq(bus.rvalid & (bus.rresp != Response.OKAY)),
            fails[1].eq(bus.bvalid & (bus.bresp != Response.OKAY)),
        ]
        wrong = (compared & (found != expected)) | fails[0]
        m.d.sync += self.counts.wrong.eq(self.counts.wrong + wrong + fails[1])

    def _elaborate_latency(
        self, m: Module, now: Value, stamps: tuple[Value, Value], ends: Value
    ) -> None:
        """Counts the latency of a read and of a write that end in one clock."""
        latencies = [Signal(_STAMP_WIDTH, name=f"latency_{k}") for k in range(2)]
        for k, stamp in enumerate(stamps):
            m.d.sync += latencies[k].eq(Mux(ends[k], now - stamp, 0))
        longer = Signal(_STAMP_WIDTH)
        both = Signal(_STAMP_WIDTH + 1)
        ended = Signal(2)
        m.d.sync += [
            ended.eq(ends[0] + ends[1]),
            longer.eq(Mux(latencies[0] > latencies[1], *latencies)),
            both.eq(latencies[0] + latencies[1]),
            self.counts.answered.eq(self.counts.answered + ended),
            self.counts.latency_sum.eq(self.counts.latency_sum + both),
        ]
        with m.If(longer > self.counts.latency_most):
            m.d.sync += self.counts.latency_most.eq(longer)
