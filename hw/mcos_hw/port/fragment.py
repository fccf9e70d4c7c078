"""Bursts cut into the pieces that a channel takes."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4 import BurstKind
from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.burst import tagged_burst_signature
from mcos_hw.link.fragment import fragment_signature
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.link.request import StructuredStream
from mcos_hw.port.axi_in import PAGE_WIDTH, byte_mask
from mcos_hw.port.hazard import hazard_key
from mcos_hw.port.interleave import channel_of

__all__ = ["Fragmenter"]


class Fragmenter(wiring.Component):
    """Cuts bursts into fragments, each of consecutive bytes in one block of ``l_max`` bytes.

    The fragments of a burst leave in the order of its transfers, and the last one is marked. One
    leaves in every clock in which ``fragments`` takes one, also when the next one is of another
    burst: the first a clock after its burst was taken, the next burst is taken as the last one
    leaves. After a reset nothing is under way.

    A burst is cut where it reaches the end of a block, because a channel takes no longer requests,
    and where a WRAP burst goes back to its lower boundary. Each transfer of a FIXED burst is a
    fragment of its own: a memory must see each of them. A burst that is refused with SLVERR is one
    fragment with all its transfers. All others, those refused with DECERR too, have to be such as
    AXI allows (:class:`.axi_in.AddressIn`), so none leaves its page of 4 KB, and the upper bits of
    an address are never added to.

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
    interleave : In(interleave_layout)
        How addresses are spread over several channels; may change while nothing is under way.
    fragments : Out(stream of fragment_layout)
        Their fragments.
    """

    bursts: StructuredStream
    interleave: data.View
    fragments: StructuredStream

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "bursts": In(tagged_burst_signature(fabric, port)),
                **({"interleave": In(interleave_layout(fabric))} if fabric.channels > 1 else {}),
                "fragments": Out(fragment_signature(fabric, port)),
            }
        )

    def elaborate(self, platform):
        # Nothing counts transfers down. The last byte of a burst is known when it is taken; what
        # follows compares places of blocks. What is left of a block or a window from a place on is
        # the complement of that place, so one carry chain stands between a burst and its fragment.
        #
        #   place in a page  11 ........ block_width ........ beat ........ 0
        #                    `-- block -'`----- place in its block ----------'
        m = Module()
        burst, fragment = self.bursts.payload, self.fragments.payload
        block, beat = self.fabric.block_width, self.fabric.beat_bytes.bit_length() - 1

        # Of the fragment after the one that is shown: the block that it is in, and the last byte of
        # the burst, or of its part from one boundary of a WRAP to the other.
        next_block = Signal(PAGE_WIDTH - block)
        ends = Signal(PAGE_WIDTH)
        # Bits in which addresses of a burst differ: those of its size for WRAP, else all.
        window = Signal(PAGE_WIDTH)
        # A WRAP burst goes back to its lower boundary after the next fragment or later, and ends.
        goes_back = Signal()
        ends_back = Signal(PAGE_WIDTH)
        # FIXED: fragments after the one that is shown.
        fixed = Signal()
        left = Signal(4)

        def hazard(begins: Value, number: Value, id_: Value, end: Value, ends: Value) -> list:
            """Of a fragment from a place in a block to another, or to the end of the block."""
            first, last = begins[beat:block], end[beat:block]
            most = self.fabric.channel.max_beats
            # Every fragment begins at its block's last beat or before, and ends at the first or
            # later: lint takes a comparison that is always true for a mistake.
            touched = (
                (Const(1) if i == most - 1 else first <= i)
                & (Const(1) if i == 0 else ~ends | (last >= i))
                for i in range(most)
            )
            key = fragment.hazard.key
            order = id_[: self.port.order_bits]
            return [
                key.eq(hazard_key(number, order, len(key))),
                fragment.hazard.beats.eq(Cat(touched)),
            ]

        def routed(address: Value) -> list:
            if self.fabric.channels == 1:
                return []
            return [fragment.channel.eq(channel_of(self.fabric, self.interleave, address))]

        free = Signal()
        continues = Signal()
        m.d.comb += [
            free.eq(~self.fragments.valid | self.fragments.ready),
            continues.eq(self.fragments.valid & ~fragment.last),
            self.bursts.ready.eq(free & ~continues),
        ]
        with m.If(self.bursts.ready):
            m.d.sync += self.fragments.valid.eq(self.bursts.valid)

        # The first fragment of a burst. `extent` is its last byte, counted from its first beat.
        start = burst.address[:PAGE_WIDTH]
        # A burst that AXI forbids; the tenant table alone knows it early in a clock.
        refused = burst.response == Response.SLVERR
        is_fixed = burst.kind == BurstKind.FIXED
        is_wrap = burst.kind == BurstKind.WRAP
        lanes = Signal(PAGE_WIDTH)
        span = Signal(PAGE_WIDTH)
        upwards = Signal(PAGE_WIDTH)
        end = Signal(PAGE_WIDTH)
        extent = Signal(PAGE_WIDTH)
        whole = Signal()
        below = Signal()
        m.d.comb += [
            lanes.eq(byte_mask(self.port, burst.size)),
            span.eq(Mux(is_fixed, 0, burst.length << burst.size)),
            end.eq((start | lanes) + span),
            extent.eq(Cat((start | lanes)[:beat], (~start & lanes)[beat:]) + span),
            # Not beyond the block: no carry into its number, and nothing to add to it.
            whole.eq(~(end ^ start ^ span)[block] & ~span[block:].any()),
        ]
        with m.If(is_wrap):
            m.d.comb += [
                upwards.eq(~start & (span | lanes)),
                end.eq(start | span | lanes),
                extent.eq(upwards),
                whole.eq(~upwards[block:].any()),
                below.eq((start & span).any()),
            ]
        # Transfers after the first: to the end of the block, and to that of the burst or window.
        in_block = ~start[:block] >> burst.size
        in_burst = Mux(is_fixed, 0, burst.length & Mux(is_wrap, in_block, 0xFF))
        # The fragment after it begins a block, or at the lower boundary of a window: the bytes that
        # it may have are those of its end within the window.
        shown = fragment.address[:PAGE_WIDTH]
        begins = (shown & ~window)[:block]
        inside = ends[:block] & window[:block]
        ends_there = Signal()
        goes_back_then = Signal()
        m.d.comb += [
            ends_there.eq(ends[block:] == next_block),
            goes_back_then.eq(goes_back & ends_there),
        ]
        # Which of the two it is, is known early; whether there is room for it, late.
        with m.If(free):
            with m.If(continues):
                with m.If(fixed):
                    m.d.sync += [left.eq(left - 1), fragment.last.eq(left == 1)]
                with m.Else():
                    m.d.sync += [
                        shown.eq(Cat(begins, next_block)),
                        *routed(Cat(begins, next_block, fragment.address[PAGE_WIDTH:])),
                        *hazard(
                            begins,
                            Cat(next_block, fragment.address[PAGE_WIDTH:]),
                            fragment.id,
                            begins | inside,
                            ends_there,
                        ),
                        fragment.transfers.eq(
                            Mux(
                                ends_there,
                                (inside >> fragment.size) + 1,
                                Const(1 << block) >> fragment.size,
                            )
                        ),
                        fragment.beats.eq(
                            Mux(ends_there, inside[beat:] + 1, self.fabric.channel.max_beats)
                        ),
                        fragment.last.eq(ends_there & ~goes_back),
                        next_block.eq(
                            Mux(goes_back_then, next_block & ~window[block:], next_block + 1)
                        ),
                        goes_back.eq(goes_back & ~ends_there),
                    ]
                    with m.If(goes_back_then):
                        m.d.sync += ends.eq(ends_back)
            with m.Else():
                m.d.sync += [
                    fragment[name].eq(burst[name])
                    for name in burst.shape().members
                    if name in fragment.shape().members
                ]
                m.d.sync += [
                    fragment.transfers.eq(
                        Mux(refused, burst.length + 1, Mux(whole, in_burst + 1, in_block + 1))
                    ),
                    fragment.beats.eq(Mux(whole, extent[beat:block] + 1, ~start[beat:block] + 1)),
                    fragment.last.eq(refused | Mux(is_fixed, burst.length == 0, whole & ~below)),
                    *hazard(start, burst.address[block:], burst.id, end, whole),
                    *routed(burst.address),
                    next_block.eq(Mux(below & whole, (start & ~span)[block:], start[block:] + 1)),
                    ends.eq(Mux(below & whole, start - 1, end)),
                    window.eq(Mux(is_wrap, lanes | span, Const(-1, PAGE_WIDTH))),
                    goes_back.eq(below & ~whole),
                    ends_back.eq(start - 1),
                    fixed.eq(is_fixed),
                    left.eq(burst.length),
                ]
        return m
