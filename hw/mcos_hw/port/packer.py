"""Transfers of write data made into memory beats."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.axi_beat import write_beat_layout, write_beat_signature
from mcos_hw.link.fragment import channel_field
from mcos_hw.link.packing import (
    Packed,
    packed_signature,
    piece_layout,
    piece_signature,
    word_layout,
    word_signature,
)
from mcos_hw.link.request import StructuredStream
from mcos_hw.primitive.skid import Skid

__all__ = ["Packer"]


class Packer(wiring.Component):
    """Makes memory beats of the transfers of W, along the pieces of their bursts.

    W names no burst, so its transfers belong to the pieces in the order of both; either may come
    first. The packer makes one step a clock. A step is a transfer, or the part of one that lies
    within one memory beat if the data bus is wider. A memory beat appears in ``words`` one clock
    after its last step, so W runs at a transfer or a memory beat a clock, whichever is slower, also
    if every piece has one transfer. Bytes of W outside the lanes of their transfer have no strobe
    in ``words``. The transfers of a refused piece are taken and dropped, one a clock.

    A piece counts its transfers; WLAST is compared with the count, not trusted. A burst with a
    WLAST that is early or missing is written as its count says, and answered with SLVERR: the
    pieces from the wrong transfer on say so in ``packed``.

    ``pieces.ready`` and ``data.ready`` come from flip-flops, as AXI asks of WREADY: two transfers
    and two pieces are taken before they stop. ``words`` waits while its ``ready`` is low, and
    everything before it then waits too. Reset forgets all that is under way.

    ::

        clock      0    1    2    3
        pieces    |a  |    |    |          taken
        data      |a0 |a1  |    |          taken
        step      |   |a0  |a1  |
        words     |   |    |    |a  |      if both go into one memory beat
        packed    |   |    |    |a  |

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the memory port.
    port : PortConfig
        Sizes of this port.

    Members
    -------
    pieces : In(stream of piece_layout)
        The fragments whose data come next, in order.
    data : In(stream of write_beat_layout)
        W.
    words : Out(stream of word_layout)
        Memory beats, those of a piece in order and without others in between.
    packed : Out(Packed)
        The piece whose last step was made in the clock before. Its last word is offered in the
        same clock, or waits in ``words`` behind nothing but its own ``ready``.
    faulty : Out(1)
        The last piece in ``packed`` ends a burst whose WLAST was early or missing. High for one
        clock, once a burst.
    """

    pieces: StructuredStream
    data: StructuredStream
    words: StructuredStream
    packed: Packed
    faulty: Signal

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "pieces": In(piece_signature(fabric, port)),
                "data": In(write_beat_signature(port)),
                "words": Out(word_signature(fabric)),
                "packed": Out(packed_signature(fabric, port)),
                "faulty": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, port, words = self.fabric, self.port, self.words
        lanes = max(port.data_bytes, fabric.beat_bytes)

        m.submodules.arrived = arrived = Skid(write_beat_layout(port))
        wiring.connect(m, wiring.flipped(self.data), arrived.i)
        transfer = arrived.o.payload

        # The piece whose step comes next, and the one behind it.
        layout = piece_layout(fabric, port)
        piece = data.View(layout, Signal(layout, name="piece"))
        piece_valid = Signal()
        following = Signal(layout)
        following_valid = Signal()
        loaded = data.View(layout, Signal(layout, name="loaded"))
        m.d.comb += [
            self.pieces.ready.eq(~following_valid),
            loaded.eq(Mux(following_valid, following, self.pieces.payload)),
        ]
        with m.If(~following_valid):
            m.d.sync += following.eq(self.pieces.payload)

        # A step covers ``offset`` to ``covered``. A transfer has ``reach`` bytes more than one, a
        # step ``step`` more; both are ones below a power of two, so that sums become ORs.
        reach = Signal(range(lanes))
        covered = Signal(range(lanes))
        step = reach & (fabric.beat_bytes - 1)
        refused = piece.response != Response.OKAY
        on_last = Signal()
        goes = Signal()
        ends_transfer = Signal()
        ends = Signal()
        m.d.comb += [
            covered.eq(piece.offset | step),
            goes.eq(piece_valid & arrived.o.valid & (~words.valid | words.ready)),
            ends_transfer.eq(((covered & reach) == reach) | refused),
            ends.eq(on_last & ends_transfer),
            arrived.o.ready.eq(goes & ends_transfer),
        ]
        with m.If(~piece_valid | (goes & ends)):
            m.d.sync += [
                piece.eq(loaded),
                reach.eq(Cat(loaded.size > bit for bit in range(len(reach)))),
                on_last.eq(loaded.transfers == 1),
                piece_valid.eq(following_valid | self.pieces.valid),
                following_valid.eq(0),
            ]
        with m.Else():
            with m.If(self.pieces.valid):
                m.d.sync += following_valid.eq(1)
            with m.If(goes):
                m.d.sync += piece.offset.eq(covered + 1)
            with m.If(goes & ends_transfer):
                m.d.sync += [
                    piece.transfers.eq(piece.transfers - 1),
                    on_last.eq(piece.transfers == 2),
                ]
        self._fill(m, piece, transfer, step=step, makes=goes & ~refused, ends=ends)

        # Whether WLAST of this burst was wrong so far, and whether the next piece begins a burst.
        wronged = Signal()
        begins = Signal(init=1)
        wrong = wronged | (transfer.last != (piece.last & on_last))
        with m.If(goes & ends_transfer):
            m.d.sync += wronged.eq(wrong & ~(ends & piece.last))
        with m.If(goes & ends):
            m.d.sync += begins.eq(piece.last)
        m.d.sync += [
            self.packed.valid.eq(goes & ends),
            self.packed.entry.eq(piece.entry),
            self.packed.id.eq(piece.id),
            self.packed.first.eq(begins),
            self.packed.last.eq(piece.last),
            self.packed.refused.eq(refused),
            self.packed.response.eq(piece.response | Mux(wrong, Response.SLVERR, 0)),
            self.faulty.eq(goes & ends & piece.last & wrong),
        ]
        return m

    def _fill(
        self,
        m: Module,
        piece: data.View,
        transfer: data.View,
        *,
        step: Value,
        makes: Value,
        ends: Value,
    ) -> None:
        """Puts the bytes of a step into the word that is offered when it is full.

        Whenever the word may change, it takes the bytes of the next step, also before their
        transfer has come; then it takes them again. So what is known last, whether the step is
        made, reaches strobes only and not every bit of data. A word that is offered keeps its
        strobes until it is taken, and the next one begins with none.
        """
        data_bytes, beat_bytes = self.port.data_bytes, self.fabric.beat_bytes
        layout = word_layout(self.fabric)
        word = data.View(layout, Signal(layout, name="word"))
        word_valid = Signal()
        m.d.comb += [self.words.payload.eq(word), self.words.valid.eq(word_valid)]

        width = (beat_bytes - 1).bit_length()
        place, within = piece.offset[:width], step[:width]
        if data_bytes < beat_bytes:
            values = transfer.data.replicate(beat_bytes // data_bytes)
            strobes = transfer.strobe.replicate(beat_bytes // data_bytes)
        else:
            values = transfer.data.word_select(piece.offset[width:], 8 * beat_bytes)
            strobes = transfer.strobe.word_select(piece.offset[width:], beat_bytes)

        with m.If(~word_valid | self.words.ready):
            for byte in range(beat_bytes):
                # Every place is at or before the last byte; Verilator refuses to compare that.
                reached = Const(1) if byte == beat_bytes - 1 else byte >= place
                covered = reached & (((place ^ byte) & ~within) == 0)
                with m.If(covered):
                    m.d.sync += word.data[byte].eq(values.word_select(byte, 8))
                m.d.sync += word.strobe[byte].eq(
                    (word.strobe[byte] & ~word_valid) | (strobes[byte] & covered & makes)
                )
            m.d.sync += [
                word_valid.eq(makes & (ends | (place | within).all())),
                word.entry.eq(piece.entry),
                *(word[name].eq(piece[name]) for name in channel_field(self.fabric)),
                word.last.eq(ends),
            ]
