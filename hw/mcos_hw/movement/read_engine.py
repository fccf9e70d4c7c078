"""The read side of the DMA engine: pieces of jobs become fragments, and their beats come back."""

from collections.abc import Sequence
from typing import Any

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.fragment import channel_field, landing_layout, landing_signature
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.link.piece import (
    Beats,
    arrived_signature,
    beats_signature,
    piece_layout,
    piece_signature,
)
from mcos_hw.link.request import StructuredStream
from mcos_hw.link.transfer import Returned, returned_signature
from mcos_hw.port.gather import Gather
from mcos_hw.port.interleave import channel_of
from mcos_hw.port.return_bank import ReturnBank
from mcos_hw.primitive.backlog import Backlog
from mcos_hw.primitive.free_list import FreeList
from mcos_hw.primitive.select import at_index

__all__ = ["ReadEngine"]


class ReadEngine(wiring.Component):
    """Reads pieces into its banks, as many at once as it has entries and room.

    A piece is taken when an entry and room for its beats are free. Its fragment is offered to the
    inner port in the next clock. Memory may answer in any order; a piece has arrived when all its
    beats have. A piece that fills arrives in the next clock. One piece is taken and one arrives in
    a clock, sustained.

    After reset nothing is under way.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    number : int
        Which of its ports is the engine's.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    pieces : In(stream of piece_layout)
        What to read, or fill. What is offered may change.
    interleave : In(interleave_layout)
        How addresses are spread over several channels.
    reads : Out(stream of landing_layout)
        Read fragments, to the inner port.
    returned : In(Returned), an array with one for each channel
        From memory.
    arrived : Out(stream of arrived_layout)
        Pieces whose beats are there.
    beats : In(Beats)
        Those beats.
    """

    pieces: StructuredStream
    interleave: data.View
    reads: StructuredStream
    returned: Sequence[Returned]
    arrived: StructuredStream
    beats: Beats

    def __init__(self, fabric: FabricConfig, number: int, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        self.port = port = fabric.ports[number]
        super().__init__(
            {
                "pieces": In(piece_signature(fabric, movement)),
                **({"interleave": In(interleave_layout(fabric))} if fabric.channels > 1 else {}),
                "reads": Out(landing_signature(fabric, port)),
                "returned": In(returned_signature(fabric)).array(fabric.channels),
                "arrived": Out(arrived_signature(fabric, movement)),
                "beats": In(beats_signature(fabric)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, port = self.fabric, self.port
        banks = [ReturnBank(fabric, port) for _ in self.returned]
        m.submodules.entries = entries = FreeList(port.reads)
        piece = self.pieces.payload
        entry = entries.take.payload

        # A piece is taken: as a fragment that is offered next, or as it is if it fills.
        fragment_layout = landing_layout(fabric, port)
        fragment = data.View(fragment_layout, Signal(fragment_layout, name="fragment"))
        fragment_valid = Signal()
        filling = data.View(
            piece_layout(fabric, self.movement),
            Signal(piece_layout(fabric, self.movement), name="filling"),
        )
        filling_valid = Signal()
        filled = Signal()
        channel: Value = Const(0, 1)
        if fabric.channels > 1:
            channel = channel_of(fabric, self.interleave, piece.source)
        has_room = Signal()
        reads_it = Signal()
        fills_it = Signal()
        m.d.comb += [
            has_room.eq(Cat(bank.room for bank in banks).bit_select(channel, 1)),
            self.pieces.ready.eq(
                Mux(
                    piece.fills,
                    ~filling_valid | filled,
                    entries.take.valid & has_room & (~fragment_valid | self.reads.ready),
                )
            ),
            reads_it.eq(self.pieces.valid & self.pieces.ready & ~piece.fills),
            fills_it.eq(self.pieces.valid & self.pieces.ready & piece.fills),
            entries.take.ready.eq(reads_it),
            self.reads.valid.eq(fragment_valid),
            self.reads.payload.eq(fragment),
        ]
        with m.If(reads_it):
            m.d.sync += [
                fragment_valid.eq(1),
                fragment.tenant.eq(piece.tenant),
                fragment.address.eq(piece.source),
                fragment.beats.eq(piece.beats),
                fragment.entry.eq(entry),
            ]
        with m.Elif(self.reads.ready):
            m.d.sync += fragment_valid.eq(0)
        with m.If(fills_it):
            m.d.sync += [filling_valid.eq(1), filling.eq(piece)]
        with m.Elif(filled):
            m.d.sync += filling_valid.eq(0)

        # What belongs to a piece waits for its beats.
        kept_layout = data.StructLayout(
            {"piece": piece_layout(fabric, self.movement), **channel_field(fabric)}
        )
        m.submodules.kept = kept = memory.Memory(shape=kept_layout, depth=port.reads, init=[])
        keep, known = kept.write_port(), kept.read_port()
        m.d.comb += [
            keep.en.eq(reads_it),
            keep.addr.eq(entry),
            keep.data.piece.eq(piece),
            *(keep.data[name].eq(channel) for name in channel_field(fabric)),
        ]
        beat = self.beats
        for c, (bank, returned) in enumerate(zip(banks, self.returned, strict=True)):
            m.submodules[f"bank_{c}"] = bank
            connect(m, bank.returned, flipped(returned))
            m.d.comb += [
                bank.beats.eq(piece.beats),
                # The piece may be another one in the next clock: what it lacks is not waited for.
                bank.waits.eq(0),
                bank.reserve.eq(reads_it & (channel == c)),
                bank.find.eq(beat.find & (beat.channel == c)),
                bank.entry.eq(beat.entry),
                bank.beat.eq(beat.beat),
            ]
        self._elaborate_beats(m, banks, entries)
        self._elaborate_arrived(m, known, filling, filling_valid, filled, reads_it, entry)
        return m

    def _elaborate_beats(self, m: Module, banks: Sequence[ReturnBank], entries: FreeList) -> None:
        """Reads beats that were found; the entry of a last one is free again."""
        beat = self.beats
        found_channel = Signal.like(beat.channel)
        shown_channel = Signal.like(beat.channel)
        found_entry = Signal.like(beat.entry)
        with m.If(beat.find):
            m.d.sync += [found_channel.eq(beat.channel), found_entry.eq(beat.entry)]
        with m.If(beat.read):
            m.d.sync += shown_channel.eq(found_channel)
        m.d.comb += [
            *(bank.read.eq(beat.read & (found_channel == c)) for c, bank in enumerate(banks)),
            beat.data.eq(at_index(shown_channel, [bank.data for bank in banks])),
        ]
        m.d.sync += [
            entries.give.valid.eq(beat.read & beat.last),
            entries.give.number.eq(found_entry),
        ]

    def _elaborate_arrived(
        self,
        m: Module,
        known: Any,
        filling: data.View,
        filling_valid: Value,
        filled: Signal,
        taken: Value,
        taken_entry: Value,
    ) -> None:
        """Pieces whose last beat has come, and between them those that fill."""
        fabric, reads = self.fabric, self.port.reads
        errors = Signal(reads)
        ended = data.StructLayout({"entry": fabric.entry_width, "failed": 1})
        m.submodules.gather = gather = Gather(ended, depth=reads, channels=fabric.channels)
        m.submodules.ended = waiting = Backlog(ended, depth=reads)
        m.d.comb += [waiting.i.valid.eq(gather.o.valid), waiting.i.payload.eq(gather.o.payload)]
        fails = Signal(reads)
        failing: Value = Const(0, reads)
        for each, returned in zip(gather.i, self.returned, strict=True):
            wrong = returned.valid & returned.response[1]
            failing = failing | Mux(wrong, 1 << returned.entry[: (reads - 1).bit_length()], 0)
            m.d.comb += [
                each.valid.eq(returned.valid & returned.last),
                each.payload.entry.eq(returned.entry),
                each.payload.failed.eq(wrong | errors.bit_select(returned.entry, 1)),
            ]
        m.d.comb += fails.eq(failing)
        m.d.sync += errors.eq((errors | fails) & ~Mux(taken, 1 << taken_entry, 0))

        # What is known of a piece is looked up while the one before it is offered.
        looked = data.View(ended, Signal(ended, name="looked"))
        looked_valid = Signal()
        fills = Signal()
        arrived = self.arrived.payload
        moves = Signal()
        m.d.comb += [
            # A piece that fills waits at most for one that is looked up already.
            fills.eq(~looked_valid),
            self.arrived.valid.eq(looked_valid | filling_valid),
            arrived.piece.eq(Mux(fills, filling, known.data.piece)),
            arrived.entry.eq(looked.entry),
            *(arrived[name].eq(known.data[name]) for name in channel_field(fabric)),
            arrived.failed.eq(~fills & looked.failed),
            filled.eq(fills & filling_valid & self.arrived.ready),
            moves.eq(~looked_valid | self.arrived.ready),
            waiting.o.ready.eq(moves & ~(filling_valid & looked_valid)),
            known.en.eq(moves),
            known.addr.eq(waiting.o.payload.entry),
        ]
        with m.If(moves):
            m.d.sync += [
                looked_valid.eq(waiting.o.valid & waiting.o.ready),
                looked.eq(waiting.o.payload),
            ]
