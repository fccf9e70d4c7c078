"""The jobs of the DMA engine: which one gives the next piece, and when one has ended."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.job import (
    CHECKSUM_WIDTH,
    Abort,
    End,
    abort_signature,
    end_layout,
    end_signature,
    job_layout,
    job_signature,
)
from mcos_hw.link.piece import Settled, piece_signature, settled_signature
from mcos_hw.link.request import StructuredStream
from mcos_hw.movement.checksum import first_weight, next_weight
from mcos_hw.movement.precedence import Precedence
from mcos_hw.primitive.select import at_index

__all__ = ["Jobs"]


class Jobs(wiring.Component):
    """Cuts jobs into pieces, the most urgent job first, and tells when each has ended.

    Of several jobs the one of the least :class:`mcos_hw.link.job.Urgency` gives the next piece, of
    equals the one that came first, and of those whose tenant has no place none. A job that is less
    urgent than a new one goes on later where it was: no piece is given twice. The first piece of a
    job that is more urgent than all others is offered in the clock after the job came; when a job
    has given its last piece, the next one's is offered three clocks later.

    The offered piece may change while it waits, if a more urgent job comes or its job stops.

    A job stops when it is aborted or a piece of it fails. It then gives no further pieces. Its end
    is offered once each piece that it gave is settled, also when it stops before it gave one.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    jobs : In(stream of job_layout, always ready)
        Jobs to do. There are never more than ``movement.jobs``, each with a number of its own.
    abort : In(Abort)
        A job is aborted.
    places : In(tenants)
        Bit t: a fragment of tenant t would land.
    pieces : Out(stream of piece_layout)
        The next piece. It is under way from the clock in which it is taken.
    written, dropped : In(Settled)
        A piece was written, or is not written because its read failed or its job has stopped.
    stopped : Out(jobs)
        Bit j: no more pieces of job j are written.
    begins : Out(jobs)
        Bit j: job j comes in this clock.
    ends : Out(stream of end_layout)
        Jobs of which nothing is under way any more. Its ``checksum`` is that of the clock in which
        it is first offered.
    ending : Out(job_width)
        The job whose end is offered next.
    checksum : In(32)
        The checksum of that one.
    """

    jobs: StructuredStream
    abort: Abort
    places: Signal
    pieces: StructuredStream
    written: Settled
    dropped: Settled
    stopped: Signal
    begins: Signal
    ends: StructuredStream
    ending: Signal
    checksum: Signal

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        super().__init__(
            {
                "jobs": In(job_signature(fabric, movement)),
                "abort": In(abort_signature(movement)),
                "places": In(fabric.channel.tenants),
                "pieces": Out(piece_signature(fabric, movement)),
                "written": In(settled_signature(movement)),
                "dropped": In(settled_signature(movement)),
                "stopped": Out(movement.jobs),
                "begins": Out(movement.jobs),
                "ends": Out(end_signature(movement)),
                "ending": Out(movement.job_width),
                "checksum": In(CHECKSUM_WIDTH),
            }
        )

    def _progress_layout(self) -> data.StructLayout:
        """A job and how far it is.

        ``job`` is what is left of it from the current row on; ``source`` and ``target`` are the
        addresses of the next piece, ``left`` the beats of the row from there on.
        """
        job = job_layout(self.fabric, self.movement)
        return data.StructLayout(
            {
                "job": job,
                "source": job["source"].shape,
                "target": job["target"].shape,
                "left": job["beats"].shape,
                "begun": 1,
                "weight": CHECKSUM_WIDTH,
            }
        )

    def elaborate(self, platform):
        m = Module()
        movement = self.movement
        layout = self._progress_layout()
        coming = data.View(layout, Signal(layout, name="coming"))
        current = data.View(layout, Signal(layout, name="current"))
        current_valid = Signal()
        m.d.comb += [
            self.jobs.ready.eq(1),
            coming.job.eq(self.jobs.payload),
            coming.source.eq(coming.job.source),
            coming.target.eq(coming.job.target),
            coming.left.eq(coming.job.beats),
            coming.weight.eq(first_weight(self.fabric, movement)),
            self.begins.eq(Mux(self.jobs.valid, 1 << coming.job.number, 0)),
        ]

        # What each job waits for. The current one does not wait.
        present = Signal(movement.jobs)
        waits = Signal(movement.jobs)
        stops, ended_as = self._elaborate_stops(m, present)
        m.submodules.precedence = precedence = Precedence(movement)
        tenants = []
        for j in range(movement.jobs):
            tenant = Signal(self.fabric.channel.tenant_width, name=f"tenant_{j}")
            with m.If(self.begins[j]):
                m.d.sync += tenant.eq(coming.job.tenant)
            tenants.append(tenant)

        # The choice among those that wait is a clock old when it is used, as are its contents.
        m.submodules.kept = kept = memory.Memory(shape=layout, depth=movement.jobs, init=[])
        write, read = kept.write_port(), kept.read_port()
        may = Signal(movement.jobs)
        best = Signal(movement.job_width)
        best_urgency = Signal(3)
        best_valid = Signal()
        m.d.comb += [
            may.eq(waits & Cat(self.places.bit_select(each, 1) for each in tenants) & ~stops),
            precedence.may.eq(may),
            precedence.begins.eq(self.begins),
            precedence.urgency.eq(coming.job.urgency),
            read.addr.eq(precedence.first),
        ]
        m.d.sync += [
            best.eq(precedence.first),
            best_urgency.eq(precedence.first_urgency),
            best_valid.eq(may.any()),
        ]

        # A job that is more urgent than the current one, or whose tenant has a place while that
        # of the current one has none, takes its place between two pieces.
        stuck = Signal()
        finishes = Signal()
        stays = Signal()
        given = self.pieces.valid & self.pieces.ready
        number, urgency = current.job.number, current.job.urgency
        arrives = Signal()
        loads = Signal()
        leaves = Signal()
        m.d.comb += [
            stuck.eq(~self.places.bit_select(current.job.tenant, 1)),
            stays.eq(current_valid & ~stops.bit_select(number, 1)),
            arrives.eq(
                self.jobs.valid
                & ~precedence.ahead
                & (~current_valid | stuck | (coming.job.urgency < urgency))
            ),
            loads.eq(
                ~self.jobs.valid
                & best_valid
                & (waits & ~stops).bit_select(best, 1)
                & (~current_valid | stuck | (best_urgency < urgency))
            ),
            leaves.eq((arrives | loads) & stays & ~finishes),
        ]
        following = data.View(layout, Signal(layout, name="following"))
        self._elaborate_pieces(m, current, current_valid & ~stuck & stays, following, finishes)
        m.d.comb += [
            # A job enters the memory when another one is more urgent: itself, or the one before.
            write.en.eq(leaves | (self.jobs.valid & ~arrives)),
            write.addr.eq(Mux(leaves, number, coming.job.number)),
            write.data.eq(Mux(leaves, Mux(given, following, current), coming)),
        ]
        for j in range(movement.jobs):
            enters = write.en & (write.addr == j)
            goes = stops[j] | (loads & (best == j))
            m.d.sync += waits[j].eq(enters | (waits[j] & ~goes))
        with m.If(arrives):
            m.d.sync += [current.eq(coming), current_valid.eq(1)]
        with m.Elif(loads):
            m.d.sync += [current.eq(read.data), current_valid.eq(1)]
        with m.Else():
            m.d.sync += current_valid.eq(stays & ~finishes)
            with m.If(given):
                m.d.sync += current.eq(following)

        under_way = self._elaborate_under_way(m, given, number)
        has_left = Signal(movement.jobs)
        m.d.comb += has_left.eq(waits | Mux(current_valid, 1 << number, 0))
        self._elaborate_ends(m, present, present & ~has_left & ~under_way, ended_as)
        return m

    def _elaborate_pieces(
        self,
        m: Module,
        current: data.View,
        valid: Value,
        following: data.View,
        finishes: Signal,
    ) -> None:
        """The piece at the current place, and the place behind it.

        A piece ends where the row does, and where a block of ``l_max`` ends on either side.
        """
        fabric = self.fabric
        most = fabric.channel.max_beats
        beat_width = fabric.beat_bytes.bit_length() - 1
        job, piece = current.job, self.pieces.payload
        beats = Signal(fabric.channel.beats_width)
        rooms = []
        for address in (current.source, current.target):
            place = address[beat_width : fabric.block_width]
            rooms.append(Const(most, fabric.channel.beats_width) - place)
        room = Signal(fabric.channel.beats_width)
        read_room = Mux(job.fills | (rooms[1] < rooms[0]), rooms[1], rooms[0])
        row_ends = Signal()
        m.d.comb += [
            room.eq(read_room),
            row_ends.eq(current.left <= room),
            beats.eq(Mux(row_ends, current.left, room)),
            self.pieces.valid.eq(valid),
            piece.source.eq(current.source),
            piece.target.eq(current.target),
            piece.beats.eq(beats),
            piece.first.eq(~current.begun),
            piece.weight.eq(current.weight),
            *(piece[name].eq(job[name]) for name in ("number", "tenant", "fills", "checks")),
        ]
        step = Cat(Const(0, beat_width), beats)
        next_source, next_target = job.source + job.source_stride, job.target + job.target_stride
        m.d.comb += [
            finishes.eq(self.pieces.valid & self.pieces.ready & row_ends & (job.rows == 1)),
            following.eq(current),
            following.begun.eq(1),
            following.weight.eq(next_weight(fabric, current.weight)),
        ]
        m.d.comb += [
            following.job.source.eq(Mux(row_ends, next_source, job.source)),
            following.job.target.eq(Mux(row_ends, next_target, job.target)),
            following.job.rows.eq(job.rows - row_ends),
            following.source.eq(Mux(row_ends, next_source, current.source + step)),
            following.target.eq(Mux(row_ends, next_target, current.target + step)),
            following.left.eq(Mux(row_ends, job.beats, current.left - beats)),
        ]

    def _elaborate_stops(self, m: Module, present: Value) -> tuple[Value, list[Value]]:
        """Which jobs have stopped, this clock included, and how each ends."""
        jobs = self.movement.jobs
        aborted, read_failed, write_failed = (
            Signal(jobs, name=name) for name in ("aborted", "read_failed", "write_failed")
        )
        stops = Signal(jobs)
        ended_as = []
        for j in range(jobs):
            causes = {
                End.ABORTED: (aborted[j], self.abort.stb & (self.abort.number == j)),
                End.READ_ERROR: (
                    read_failed[j],
                    self.dropped.stb & self.dropped.failed & (self.dropped.number == j),
                ),
                End.WRITE_ERROR: (
                    write_failed[j],
                    self.written.stb & self.written.failed & (self.written.number == j),
                ),
            }
            how: Value = Const(End.DONE, 2)
            for end, (cause, comes) in reversed(causes.items()):
                with m.If(self.begins[j]):
                    m.d.sync += cause.eq(0)
                with m.Elif(comes & present[j]):
                    m.d.sync += cause.eq(1)
                how = Mux(cause, end, how)
            m.d.comb += stops[j].eq(
                present[j] & (self.stopped[j] | Cat(comes for _, comes in causes.values()).any())
            )
            ended_as.append(how)
        m.d.comb += self.stopped.eq(aborted | read_failed | write_failed)
        return stops, ended_as

    def _elaborate_under_way(self, m: Module, given: Value, number: Value) -> Value:
        """Which jobs have pieces that are not settled."""
        port = self._port_entries()
        busy = Signal(self.movement.jobs)
        for j in range(self.movement.jobs):
            count = Signal(range(port + 1), name=f"under_way_{j}")
            more = given & (number == j)
            fewer = [each.stb & (each.number == j) for each in (self.written, self.dropped)]
            m.d.sync += count.eq(count + more - fewer[0] - fewer[1])
            m.d.comb += busy[j].eq(count != 0)
        return busy

    def _port_entries(self) -> int:
        """Pieces that may be under way: read, on their way to the write side, and written."""
        inner = [port for port in self.fabric.ports if port.inner]
        return max(port.reads + port.writes for port in inner) + 4

    def _elaborate_ends(
        self, m: Module, present: Signal, over: Value, ended_as: Sequence[Value]
    ) -> None:
        """Offers the ends, one after the other."""
        jobs = self.movement.jobs
        layout = end_layout(self.movement)
        offered = data.View(layout, Signal(layout, name="end"))
        offered_valid = Signal()
        takes = Signal()
        m.d.comb += [
            self.ends.payload.eq(offered),
            self.ends.valid.eq(offered_valid),
            takes.eq(over.any() & (~offered_valid | self.ends.ready)),
        ]
        for j in reversed(range(jobs)):
            with m.If(over[j]):
                m.d.comb += self.ending.eq(j)
        with m.If(takes):
            m.d.sync += [
                offered.number.eq(self.ending),
                offered.end.eq(at_index(self.ending, ended_as)),
                offered.checksum.eq(self.checksum),
                offered_valid.eq(1),
            ]
        with m.Elif(self.ends.ready):
            m.d.sync += offered_valid.eq(0)
        for j in range(jobs):
            with m.If(self.begins[j]):
                m.d.sync += present[j].eq(1)
            with m.Elif(takes & (self.ending == j)):
                m.d.sync += present[j].eq(0)
