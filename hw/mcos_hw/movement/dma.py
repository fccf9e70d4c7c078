"""The DMA engine: it moves data between places of the fabric's memories, the most urgent first."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.inner import Inner, inner_member, inner_signature
from mcos_hw.link.job import (
    Abort,
    abort_signature,
    end_signature,
    job_signature,
)
from mcos_hw.link.request import StructuredStream
from mcos_hw.movement.jobs import Jobs
from mcos_hw.movement.line import Line
from mcos_hw.movement.read_engine import ReadEngine
from mcos_hw.movement.write_engine import WriteEngine

__all__ = ["Dma"]


class Dma(wiring.Component):
    """Does jobs at the inner port of a fabric, as a requester under contract.

    A job is cut into pieces of at most ``l_max`` bytes. A piece is read, passes the line, which
    adds up its checksum, and is written; it is not written if its read failed. Between two pieces
    a more urgent job takes the place of another one, which later goes on where it was. A job is
    done when memory has acknowledged all that it wrote, and not before.

    ::

        jobs ──► Jobs ──pieces──► ReadEngine ──arrived, beats──► Line ──moved──► WriteEngine
        ends ◄──  ▲ ▲ dropped                                     │                  │ written
                  │ └──────────────────────────────────────────────┘                  │
                  └───────────────────────────────────────────────────────────────────┘

    A first read fragment stands at the inner port two clocks after its job came, if nothing more
    urgent is there. A beat passes in every clock, sustained.

    Addresses of jobs under way do not overlap where one of them is written. Whoever owns the jobs
    sees to it. So fragments need no order among each other.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    number : int
        Which of its ports is the engine's; it is an inner one.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    jobs : In(stream of job_layout, always ready)
        What to do.
    abort : In(Abort)
        What is not wanted any more.
    ends : Out(stream of end_layout)
        What has ended, and how.
    inner : Out(Inner)
        To the fabric. Jobs of a tenant that has no place there wait, and hold nobody.

    Raises
    ------
    ValueError
        If the port is not an inner one, or a frame is not longer than a request.
    """

    jobs: StructuredStream
    abort: Abort
    ends: StructuredStream
    inner: Inner

    def __init__(self, fabric: FabricConfig, number: int, movement: MovementConfig) -> None:
        if not fabric.ports[number].inner:
            raise ValueError(f"port {number} must be an inner one, for an engine")
        self.fabric = fabric
        self.number = number
        self.movement = movement
        super().__init__(
            {
                "jobs": In(job_signature(fabric, movement)),
                "abort": In(abort_signature(movement)),
                "ends": Out(end_signature(movement)),
                "inner": Out(inner_signature(fabric, fabric.ports[number])),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, movement, inner = self.fabric, self.movement, self.inner
        m.submodules.job_table = jobs = Jobs(fabric, movement)
        m.submodules.reads = reads = ReadEngine(fabric, self.number, movement)
        m.submodules.line = line = Line(fabric, movement)
        m.submodules.writes = writes = WriteEngine(fabric, self.number, movement)
        connect(m, flipped(self.jobs), jobs.jobs)
        connect(m, flipped(self.abort), jobs.abort)
        connect(m, jobs.ends, flipped(self.ends))
        connect(m, jobs.pieces, reads.pieces)
        connect(m, reads.arrived, line.arrived)
        connect(m, line.beats, reads.beats)
        connect(m, line.moved, writes.moved)
        connect(m, line.dropped, jobs.dropped)
        connect(m, writes.written, jobs.written)
        connect(m, reads.reads, flipped(inner.reads))
        connect(m, writes.writes, flipped(inner.writes))
        m.d.comb += [
            jobs.places.eq(inner.places),
            line.stopped.eq(jobs.stopped),
            line.begins.eq(jobs.begins),
            line.ending.eq(jobs.ending),
            jobs.checksum.eq(line.checksum),
        ]
        for c in range(fabric.channels):
            for engine, name in (
                (reads.returned, "returned"),
                (writes.fetch, "fetch"),
                (writes.acknowledged, "acknowledged"),
            ):
                connect(m, engine[c], flipped(getattr(inner, inner_member(fabric, name, c))))
        if fabric.channels > 1:
            m.d.comb += [
                reads.interleave.eq(inner.interleave),
                writes.interleave.eq(inner.interleave),
            ]
        return m
