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
        bus, settings = self.m_axi, self.settings
        now = Signal(_STAMP_WIDTH)
        m.d.sync += now.eq(now + 1)
        noise = Signal(16, init=0xACE1 + self.number)
        beats = Signal(5)
        m.d.comb += beats.eq(1 << settings.beats_log2)

        # Requests fall due.
        timer = Signal(16)
        due = Signal(range(MOST_DUE + 1))
        falls = Signal()
        starts = Signal()
        m.d.comb += falls.eq(settings.on & (timer == 0))
        m.d.sync += timer.eq(
            Mux(timer == 0, Mux(settings.interval == 0, 0, settings.interval - 1), timer - 1)
        )
        with m.If(~settings.on):
            m.d.sync += [due.eq(0), timer.eq(0)]
        with m.Elif(starts & ~falls):
            m.d.sync += due.eq(due - 1)
        with m.Elif(falls & ~starts & (due != MOST_DUE)):
            m.d.sync += due.eq(due + 1)

        # Each is asked for, somewhere in the part of memory.
        word_width, place_width = exact_log2(self.words), exact_log2(self.words) + 4
        place = Signal(word_width)
        here = Signal(word_width)
        m.d.comb += here.eq(
            Mux(settings.random, noise[:word_width], place) & ~(beats - 1)[:word_width]
        )
        word = Signal(place_width)  # of the request that is offered, in all of memory
        under_way = Signal(6)
        ends = Signal(2)
        m.d.sync += under_way.eq(under_way + starts - ends[0] - ends[1])
        layout = data.StructLayout({"stamp": _STAMP_WIDTH, "word": place_width})
        depth = max(self.port.reads, self.port.writes, 16)
        m.submodules.reads = reads = fifo.SyncFIFO(width=layout.size, depth=depth)
        m.submodules.writes = writes = fifo.SyncFIFO(width=_STAMP_WIDTH, depth=depth)
        asked = data.View(layout, Signal(layout, name="asked"))
        write_next = Signal()
        m.d.comb += [
            asked.stamp.eq(now + 1),
            asked.word.eq(Cat(here, Const(self.number, 4))),
            write_next.eq(noise[8:10] < settings.writes),
            reads.w_data.eq(asked),
            writes.w_data.eq(asked.stamp),
            reads.w_en.eq(starts & ~write_next),
            writes.w_en.eq(starts & write_next),
        ]
        beat = Signal(4)
        for prefix in ("ar", "aw"):
            m.d.comb += [
                getattr(bus, f"{prefix}addr").eq(Cat(Const(0, exact_log2(WORD_BYTES)), word)),
                getattr(bus, f"{prefix}len").eq(beats - 1),
                getattr(bus, f"{prefix}size").eq(exact_log2(WORD_BYTES)),
                getattr(bus, f"{prefix}burst").eq(BurstKind.INCR),
            ]
        m.d.comb += [
            bus.wdata.eq(contents_value(word + beat)),
            bus.wstrb.eq(-1),
            bus.wlast.eq(beat == beats - 1),
        ]
        with m.If(starts):
            m.d.sync += [
                word.eq(asked.word),
                place.eq(place + beats),
                noise.eq(Cat(Cat(noise[k] for k in _TAPS).xor(), noise[:-1])),
            ]
        with m.FSM(name="ask"):
            with m.State("idle"):
                m.d.comb += starts.eq(
                    settings.on
                    & (due != 0)
                    & (under_way < settings.window)
                    & reads.w_rdy
                    & writes.w_rdy
                )
                with m.If(starts):
                    m.next = "read"
                    with m.If(write_next):
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

        # Answers are registered, then timed and checked.
        read = data.View(layout, reads.r_data)
        returned = Signal(4)  # beats of the oldest read that are here
        m.d.comb += [
            bus.rready.eq(1),
            bus.bready.eq(1),
            ends[0].eq(bus.rvalid & bus.rlast),
            ends[1].eq(bus.bvalid),
            reads.r_en.eq(ends[0]),
            writes.r_en.eq(ends[1]),
        ]
        with m.If(bus.rvalid):
            m.d.sync += returned.eq(Mux(bus.rlast, 0, returned + 1))
        compared = Signal()
        differs = Signal(2)
        expected = Signal(8 * WORD_BYTES)
        found = Signal(8 * WORD_BYTES)
        m.d.sync += [
            compared.eq(bus.rvalid),
            expected.eq(contents_value(read.word + returned)),
            found.eq(bus.rdata),
            differs[0].eq(bus.rvalid & (bus.rresp != Response.OKAY)),
            differs[1].eq(bus.bvalid & (bus.bresp != Response.OKAY)),
        ]
        wrong = (compared & (found != expected)) | differs[0]
        m.d.sync += self.counts.wrong.eq(self.counts.wrong + wrong + differs[1])
        latencies = []
        for k, stamp in enumerate((read.stamp, writes.r_data)):
            latency = Signal(_STAMP_WIDTH, name=f"latency_{k}")
            m.d.sync += latency.eq(Mux(ends[k], now - stamp, 0))
            latencies.append(latency)
        ended = Signal(2)
        longer = Signal(_STAMP_WIDTH)
        both = Signal(_STAMP_WIDTH + 1)
        counted = Signal(2)
        m.d.comb += ended.eq(ends[0] + ends[1])
        m.d.sync += [
            counted.eq(ended),
            longer.eq(Mux(latencies[0] > latencies[1], *latencies)),
            both.eq(latencies[0] + latencies[1]),
            self.counts.answered.eq(self.counts.answered + counted),
            self.counts.latency_sum.eq(self.counts.latency_sum + both),
        ]
        with m.If(longer > self.counts.latency_most):
            m.d.sync += self.counts.latency_most.eq(longer)
        with m.If(self.clear):
            m.d.sync += self.counts.eq(0)
        return m
