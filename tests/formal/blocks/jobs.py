"""The jobs of the DMA engine: each ends once, and when nothing of it is under way."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.config import ChannelConfig, FabricConfig, MovementConfig, PortConfig
from mcos_hw.link.job import End
from mcos_hw.movement.jobs import Jobs
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


BLOCK = "mcos_hw.movement.jobs.Jobs"
JOBS = "mcos_hw.movement.jobs"
CONFIG = ChannelConfig(tenants=4, bytes_per_clock=8, beat_bytes=8, max_beats=2)
PIECES = 3
"""Of a job, at most: it has so many rows of a beat."""


class JobsHarness(Harness):
    """Gives jobs of a few rows, takes their pieces, settles them, and follows any one number."""

    def elaborate(self, platform):
        m = Module()
        port = PortConfig(
            inner=True, data_bytes=8, reads=4, writes=4, read_units=16, write_units=16
        )
        fabric = FabricConfig(channel=self.config, ports=(port,))
        movement = MovementConfig(frame_bytes=256, jobs=4, rows=PIECES)
        block = Jobs(fabric, movement)
        self.prove(m, block)
        job, piece, end = block.jobs, block.pieces, block.ends
        number = self.any_constant(m, range(movement.jobs), name="any_number")

        begins = job.valid & (job.payload.number == number)
        given = piece.valid & piece.ready & (piece.payload.number == number)
        ends = end.valid & end.ready & (end.payload.number == number)
        written = block.written.stb & (block.written.number == number)
        dropped = block.dropped.stb & (block.dropped.number == number)
        aborted = block.abort.stb & (block.abort.number == number)
        failed = (written & block.written.failed) | (dropped & block.dropped.failed)

        # Numbers in use, and pieces under way, of all jobs: what the surroundings must know.
        in_use = Array(Signal(name=f"in_use_{j}") for j in range(movement.jobs))
        under_way = Array(Signal(3, name=f"under_way_{j}") for j in range(movement.jobs))
        with m.If(job.valid):
            m.d.sync += in_use[job.payload.number].eq(1)
        with m.If(end.valid & end.ready):
            m.d.sync += in_use[end.payload.number].eq(0)
        for j in range(movement.jobs):
            more = piece.valid & piece.ready & (piece.payload.number == j)
            fewer = [each.stb & (each.number == j) for each in (block.written, block.dropped)]
            m.d.sync += under_way[j].eq(under_way[j] + more - fewer[0] - fewer[1])
            m.d.comb += Assume(under_way[j] >= fewer[0] + fewer[1])
        m.d.comb += [
            Assume(implies(job.valid, ~in_use[job.payload.number])),
            Assume(job.payload.urgency < 5),
            Assume(job.payload.beats == 1),
            # Where the pieces lie decides nothing here.
            Assume(Cat(job.payload.source, job.payload.target, job.payload.checks) == 0),
            Assume(Cat(job.payload.source_stride, job.payload.target_stride) == 0),
            Assume((job.payload.rows >= 1) & (job.payload.rows <= PIECES)),
        ]

        # What is left of the one that is followed.
        left = Signal(range(PIECES + 1))
        stopped = Signal()
        alive = Signal()
        was_given = Signal()
        with m.If(begins):
            m.d.sync += [left.eq(job.payload.rows), stopped.eq(0), alive.eq(1), was_given.eq(0)]
        with m.Else():
            m.d.sync += left.eq(left - given)
            with m.If(alive & (aborted | failed)):
                m.d.sync += stopped.eq(1)
            with m.If(given):
                m.d.sync += was_given.eq(1)
        with m.If(ends):
            m.d.sync += alive.eq(0)
        m.d.comb += [
            Assert(implies(given, alive & (left != 0) & ~stopped)),
            Assert(implies(end.valid & (end.payload.number == number), alive)),
            Assert(implies(end.valid & (end.payload.number == number), under_way[number] == 0)),
            Assert(
                implies(
                    end.valid & (end.payload.number == number) & (end.payload.end == End.DONE),
                    left == 0,
                )
            ),
            Cover(ends & (end.payload.end == End.ABORTED) & was_given),
        ]
        return m


PROPERTIES = (
    Property(
        name="jobs.ends_once_when_quiet",
        claim="A job ends once, when every piece that it gave is settled, and as done only if it "
        "gave all; after it stopped it gives none.",
        block=BLOCK,
        config=CONFIG,
        harness=JobsHarness,
        method=Method.BOUNDED,
        depth=9,
        bug=Bug(
            module=JOBS,
            text="present & ~has_left & ~under_way",
            instead="present & ~has_left",
        ),
        reach=12,
        slow=True,
    ),
    Property(
        name="jobs.pieces_once",
        claim="A job gives each of its pieces once, however often others take its place.",
        block=BLOCK,
        config=CONFIG,
        harness=JobsHarness,
        method=Method.BOUNDED,
        depth=9,
        bug=Bug(
            module=JOBS,
            text="write.data.eq(Mux(leaves, Mux(given, following, current), coming))",
            instead="write.data.eq(Mux(leaves, current, coming))",
        ),
        reach=12,
        slow=True,
    ),
)
