"""Bursts cut into the pieces that a channel takes."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4 import BurstKind
from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.burst import tagged_burst_signature
from mcos_hw.link.fragment import fragment_signature
from mcos_hw.link.request import StructuredStream
from mcos_hw.port.axi_in import PAGE_WIDTH, byte_mask

__all__ = ["Fragmenter"]


class Fragmenter(wiring.Component):
    """Cuts bursts into fragments, each of consecutive bytes in one block of ``l_max`` bytes.

    The fragments of a burst leave in the order of its transfers, and the last one is marked. One
    leaves in every clock in which ``fragments`` takes one, also when the next one is of another
    burst: the first a clock after its burst was taken, the next burst is taken as the last one
    leaves. After a reset nothing is under way.

    A burst is cut where it reaches the end of a block, because a channel takes no longer requests,
    and where a WRAP burst goes back to its lower boundary. Each transfer of a FIXED burst is a
    fragment of its own: a memory must see each of them. A refused burst is one fragment with all
    its transfers, because it needs nothing but an answer.

    Bursts that go to memory have to be such as AXI allows (:class:`.axi_in.AddressIn`), so none
    leaves its page of 4 KB, and the upper bits of an address are never added to.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    port : PortConfig
        Sizes of the port.

    Members
    -------
    bursts : In(stream of tagged_burst_layout)
        Bursts with their tenant and their answer.
    fragments : Out(stream of fragment_layout)
        Their fragments.
    """

    bursts: StructuredStream
    fragments: StructuredStream

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "bursts": In(tagged_burst_signature(fabric, port)),
                "fragments": Out(fragment_signature(fabric, port)),
            }
        )

    def elaborate(self, platform):
        # The last byte of a burst is known when it is taken: its place in the page is `end`. What
        # follows compares places of blocks, and never counts transfers down. `window` has the bits
        # in which addresses of a burst may differ: those of its size for WRAP, else all.
        #
        #   place in a page  11 ........ block_width ........ beat ........ 0
        #                    `-- block -'`----- place in its block ----------'
        m = Module()
        burst, fragment = self.bursts.payload, self.fragments.payload
        block, beat = self.fabric.block_width, self.fabric.beat_bytes.bit_length() - 1
        full = Const((1 << block) - 1, block)

        ends = Signal(PAGE_WIDTH)
        window = Signal(PAGE_WIDTH)
        # A WRAP burst that goes back: first to its upper boundary, then from the lower one.
        goes_back = Signal()
        turns = Signal()
        ends_back = Signal(PAGE_WIDTH)
        # FIXED: fragments after the one that is shown.
        fixed = Signal()
        left = Signal(4)

        free = Signal()
        continues = Signal()
        m.d.comb += [
            free.eq(~self.fragments.valid | self.fragments.ready),
            continues.eq(self.fragments.valid & ~fragment.last),
            self.bursts.ready.eq(free & ~continues),
        ]
        with m.If(self.bursts.ready):
            m.d.sync += self.fragments.valid.eq(self.bursts.valid)

        # The first fragment of a burst.
        start = burst.address[:PAGE_WIDTH]
        lanes = byte_mask(self.port, burst.size)
        refused = burst.response != Response.OKAY
        is_fixed = ~refused & (burst.kind == BurstKind.FIXED)
        is_wrap = ~refused & (burst.kind == BurstKind.WRAP)
        span = Signal(PAGE_WIDTH)
        end = Signal(PAGE_WIDTH)
        whole = Signal()
        below = Signal()
        m.d.comb += [
            span.eq(Mux(is_fixed, 0, burst.length << burst.size)),
            end.eq(Mux(is_wrap, start | lanes | span, (start | lanes) + span)),
            whole.eq(refused | (end[block:] == start[block:])),
            below.eq(is_wrap & (start & span).any()),
        ]
        # Transfers after the first: to the end of the block, and of the burst or its upper part.
        in_block = ~start[:block] >> burst.size
        in_burst = Mux(is_fixed, 0, burst.length & Mux(is_wrap, in_block, Const(0xFF, 8)))
        with m.If(self.bursts.ready):
            m.d.sync += [
                fragment[name].eq(burst[name])
                for name in burst.shape().members
                if name in fragment.shape().members
            ]
            m.d.sync += [
                fragment.transfers.eq(Mux(whole, in_burst + 1, in_block + 1)),
                fragment.beats.eq(
                    Mux(whole, end[beat:block], full[beat:]) + (1 - start[beat:block])
                ),
                fragment.last.eq(refused | Mux(is_fixed, burst.length == 0, whole & ~below)),
                ends.eq(end),
                window.eq(Mux(is_wrap, lanes | span, Const(-1, PAGE_WIDTH))),
                goes_back.eq(below),
                turns.eq(below & whole),
                ends_back.eq(start - 1),
                fixed.eq(is_fixed),
                left.eq(burst.length),
            ]

        # The fragment after the one that is shown. It begins a block, or at the lower boundary of a
        # window: the bytes from its beginning are those of its end within the window.
        shown = fragment.address[:PAGE_WIDTH]
        next_start = Signal(PAGE_WIDTH)
        next_end = Signal(PAGE_WIDTH)
        next_whole = Signal()
        inside = Signal(block)
        m.d.comb += [
            next_start.eq(Mux(turns, shown & ~window, Cat(Const(0, block), shown[block:] + 1))),
            next_end.eq(Mux(turns, ends_back, ends)),
            next_whole.eq(next_end[block:] == next_start[block:]),
            inside.eq(Mux(next_whole, next_end & window, full)),
        ]
        with m.If(free & continues):
            with m.If(fixed):
                m.d.sync += [left.eq(left - 1), fragment.last.eq(left == 1)]
            with m.Else():
                returns = goes_back & ~turns
                m.d.sync += [
                    shown.eq(next_start),
                    fragment.transfers.eq((inside >> fragment.size) + 1),
                    fragment.beats.eq(inside[beat:] + 1),
                    fragment.last.eq(next_whole & ~returns),
                    ends.eq(next_end),
                    goes_back.eq(returns),
                    turns.eq(next_whole & returns),
                ]
        return m
