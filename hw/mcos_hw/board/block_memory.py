"""An AXI4 memory in block RAM."""

from amaranth import *
from amaranth.lib import fifo, memory, wiring
from amaranth.lib.wiring import In
from amaranth.utils import exact_log2

from mcos_hw.board.contents import WORD_BYTES, contents
from mcos_hw.bus.axi4 import AxiInterface
from mcos_hw.config import FabricConfig
from mcos_hw.port.axi_out import memory_signature

__all__ = ["BlockMemory"]


class BlockMemory(wiring.Component):
    """Stands behind a memory port: a beat a clock for reads, and one for writes.

    Bursts are served one after another, each direction for itself. The first beat of a read comes
    three clocks after its address. Every word begins as :func:`mcos_hw.board.contents.contents`
    says. Addresses go round at its size.

    It takes what the memory port of a fabric sends, INCR bursts of whole beats, and no more than
    ``channel.slots`` of them at once. It does not wait for RREADY, which that port holds high.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    words : int
        Words of memory, a power of two up to 2**16.

    Members
    -------
    s_axi : In(memory_signature(fabric))
        The memory port.
    """

    s_axi: AxiInterface

    def __init__(self, fabric: FabricConfig, *, words: int) -> None:
        if fabric.beat_bytes != WORD_BYTES:
            raise ValueError(f"beat_bytes must be {WORD_BYTES}, not {fabric.beat_bytes!r}")
        if not 2 <= words <= 1 << 16 or words & (words - 1):
            raise ValueError(f"words must be a power of two in 2..65536, not {words!r}")
        self.fabric = fabric
        self.words = words
        super().__init__({"s_axi": In(memory_signature(fabric))})

    def elaborate(self, platform):
        m = Module()
        bus = self.s_axi
        width, low = exact_log2(self.words), exact_log2(WORD_BYTES)
        m.submodules.words = words = memory.Memory(
            shape=8 * WORD_BYTES, depth=self.words, init=[contents(k) for k in range(self.words)]
        )
        read, write = words.read_port(), words.write_port(granularity=8)

        # Reads: address, the memory's own clock, and a register behind it.
        reads = Signal()
        last = Signal()
        left = Signal(8)
        slot = Signal.like(bus.arid)
        m.d.comb += [last.eq(left == 0), bus.arready.eq(~reads | last)]
        with m.If(reads):
            m.d.sync += [read.addr.eq(read.addr + 1), left.eq(left - 1)]
        with m.If(bus.arready):
            m.d.sync += reads.eq(bus.arvalid)
            with m.If(bus.arvalid):
                m.d.sync += [
                    read.addr.eq(bus.araddr[low:][:width]),
                    left.eq(bus.arlen),
                    slot.eq(bus.arid),
                ]
        fetched = Signal()
        fetched_last = Signal()
        fetched_slot = Signal.like(slot)
        m.d.sync += [
            fetched.eq(reads),
            fetched_last.eq(last),
            fetched_slot.eq(slot),
            bus.rvalid.eq(fetched),
            bus.rlast.eq(fetched_last),
            bus.rid.eq(fetched_slot),
            bus.rdata.eq(read.data),
        ]

        # Writes: data follow their address.
        writes = Signal()
        written_slot = Signal.like(bus.awid)
        ends = Signal()
        m.submodules.answers = answers = fifo.SyncFIFO(
            width=len(bus.bid), depth=self.fabric.channel.slots
        )
        m.d.comb += [
            bus.wready.eq(writes),
            ends.eq(writes & bus.wvalid & bus.wlast),
            bus.awready.eq(~writes | ends),
            write.data.eq(bus.wdata),
            write.en.eq(Mux(writes & bus.wvalid, bus.wstrb, 0)),
            answers.w_data.eq(written_slot),
            answers.w_en.eq(ends),
            bus.bvalid.eq(answers.r_rdy),
            bus.bid.eq(answers.r_data),
            answers.r_en.eq(bus.bready),
        ]
        with m.If(bus.wvalid & bus.wready):
            m.d.sync += write.addr.eq(write.addr + 1)
        with m.If(bus.awready):
            m.d.sync += writes.eq(bus.awvalid)
            with m.If(bus.awvalid):
                m.d.sync += [
                    write.addr.eq(bus.awaddr[low:][:width]),
                    written_slot.eq(bus.awid),
                ]
        return m
