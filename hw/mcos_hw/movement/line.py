"""The line between the two sides of the DMA engine: beats that came back become words to write."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.fragment import channel_number
from mcos_hw.link.job import CHECKSUM_WIDTH
from mcos_hw.link.piece import (
    Beats,
    Settled,
    arrived_layout,
    arrived_signature,
    beats_signature,
    moved_signature,
    settled_signature,
)
from mcos_hw.link.request import StructuredStream
from mcos_hw.movement.checksum import Checksum

__all__ = ["Line"]


class Line(wiring.Component):
    """Takes the beats of one piece after the other, and adds up checksums on the way.

    One beat passes in every clock, sustained, two clocks after it was found::

        clock      0        1        2
        arrived   |taken   |        |
        beats     |        |find    |read    |
        moved     |        |        |        |offered

    The beats of a piece that failed, or whose job has stopped before it was taken, are read and go
    nowhere; the piece is then dropped. After reset the line is empty.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    arrived : In(stream of arrived_layout)
        Pieces whose beats are there.
    stopped : In(jobs)
        Bit j: no more pieces of job j are written.
    beats : Out(Beats)
        Those beats.
    moved : Out(stream of moved_layout)
        Beats of pieces that are written.
    dropped : Out(Settled)
        A piece is not written.
    begins : In(jobs)
        Bit j: job j comes.
    ending : In(job_width)
        The job whose checksum is wanted.
    checksum : Out(32)
        That checksum.
    """

    arrived: StructuredStream
    stopped: Signal
    beats: Beats
    moved: StructuredStream
    dropped: Settled
    begins: Signal
    ending: Signal
    checksum: Signal

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        super().__init__(
            {
                "arrived": In(arrived_signature(fabric, movement)),
                "stopped": In(movement.jobs),
                "beats": Out(beats_signature(fabric)),
                "moved": Out(moved_signature(fabric, movement)),
                "dropped": Out(settled_signature(movement)),
                "begins": In(movement.jobs),
                "ending": In(movement.job_width),
                "checksum": Out(CHECKSUM_WIDTH),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric = self.fabric
        layout = data.StructLayout(
            {"arrived": arrived_layout(fabric, self.movement), "drops": 1, "last": 1}
        )
        # A piece whose beats are looked for, the beat that was found, and the one that is shown.
        looking, found, shown = (
            data.View(layout, Signal(layout, name=name)) for name in ("looking", "found", "shown")
        )
        looking_valid, found_valid, shown_valid = (
            Signal(name=f"{name}_valid") for name in ("looking", "found", "shown")
        )
        place = Signal(range(fabric.channel.max_beats))
        last = Signal()
        finds, reads, goes = Signal(), Signal(), Signal()
        beats = self.beats
        m.d.comb += [
            last.eq(place == looking.arrived.piece.beats - 1),
            goes.eq(~shown_valid | shown.drops | self.moved.ready),
            reads.eq(found_valid & goes),
            finds.eq(looking_valid & (~found_valid | reads)),
            self.arrived.ready.eq(~looking_valid | (finds & last)),
            beats.find.eq(finds & ~looking.arrived.piece.fills),
            beats.entry.eq(looking.arrived.entry),
            beats.channel.eq(channel_number(fabric, looking.arrived)),
            beats.beat.eq(place),
            beats.read.eq(reads & ~found.arrived.piece.fills),
            beats.last.eq(found.last),
        ]
        with m.If(self.arrived.ready):
            number = self.arrived.payload.piece.number
            m.d.sync += [
                looking_valid.eq(self.arrived.valid),
                looking.arrived.eq(self.arrived.payload),
                looking.drops.eq(self.arrived.payload.failed | self.stopped.bit_select(number, 1)),
                place.eq(0),
            ]
        with m.Elif(finds):
            m.d.sync += place.eq(place + 1)
        with m.If(finds):
            m.d.sync += [found_valid.eq(1), found.eq(looking), found.last.eq(last)]
        with m.Elif(reads):
            m.d.sync += found_valid.eq(0)
        with m.If(goes):
            m.d.sync += [shown_valid.eq(reads), shown.eq(found)]

        piece = shown.arrived.piece
        moved = self.moved.payload
        m.submodules.sums = sums = Checksum(fabric, self.movement)
        passes = self.moved.valid & self.moved.ready
        m.d.comb += [
            self.moved.valid.eq(shown_valid & ~shown.drops),
            *(moved[name].eq(piece[name]) for name in ("number", "tenant", "target", "beats")),
            moved.last.eq(shown.last),
            moved.data.eq(Mux(piece.fills, 0, beats.data)),
            self.dropped.stb.eq(shown_valid & shown.drops & shown.last),
            self.dropped.number.eq(piece.number),
            self.dropped.failed.eq(shown.arrived.failed),
            sums.clear.eq(self.begins),
            sums.stb.eq(passes & piece.checks),
            sums.last.eq(shown.last),
            sums.first.eq(piece.first),
            sums.number.eq(piece.number),
            sums.weight.eq(piece.weight),
            sums.data.eq(moved.data),
            sums.which.eq(self.ending),
            self.checksum.eq(sums.checksum),
        ]
        return m
