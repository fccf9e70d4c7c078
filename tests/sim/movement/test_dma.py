# amaranth: UnusedElaboratable=no
"""The DMA engine beside the models of its parts, before memory with contents and errors."""

import dataclasses
import random

import pytest

from mcos_hw.config import MovementConfig
from mcos_hw.link.interleave import default_interleave
from mcos_hw.link.job import End, Urgency
from mcos_sim.movement.words import Job
from tests.hw.channel.bench import simulation
from tests.hw.movement.memory import InnerMemory
from tests.hw.movement.test_dma import content, crc32c, fabric_of, fill
from tests.sim.movement.watching import WatchedDma
from tests.sim.movement.watching_engines import watch_dma

MOVEMENT = MovementConfig(frame_bytes=256, jobs=4, rows=512)
TENANTS = 4
SPACE = 1 << 14
"""Bytes from which a job reads, and others that it writes: each number has its own."""

LITTLE = {"reads": 8, "writes": 4, "read_units": 32, "write_units": 32}


def job_at_random(rng, number):
    """A copy of a frame, or of rows of some beats, or a fill."""
    whole = rng.random() < 0.4
    beats = 32 if whole else rng.randint(1, 32)
    grain = 256 if whole else 8
    source, target = (
        (2 * number + side) * SPACE + grain * rng.randrange(512 // grain) for side in range(2)
    )
    strides = [8 * rng.randint(beats, beats + 64) for _ in range(2)]
    return Job(
        number=number,
        tenant=rng.randrange(TENANTS),
        urgency=rng.choice(list(Urgency)),
        source=source,
        target=target,
        beats=beats,
        rows=1 if whole else rng.choice((1, 2, 5)),
        source_stride=strides[0],
        target_stride=strides[1],
        fills=int(rng.random() < 0.2),
        checks=int(whole),
    )


class Owner:
    """Gives jobs, and looks into memory when they end."""

    def __init__(self, rng, memory):
        self.rng = rng
        self.memory = memory
        self.jobs = {}
        self.aborted = set()
        self.told = {}

    def begins(self):
        """The next job, if a number is free."""
        free = [number for number in range(MOVEMENT.jobs) if number not in self.jobs]
        if not free:
            return None
        job = job_at_random(self.rng, self.rng.choice(free))
        self.jobs[job.number] = job
        self.aborted.discard(job.number)
        return job

    def rows(self, job):
        for row in range(job.rows):
            yield job.source + row * job.source_stride, job.target + row * job.target_stride

    def places_of_beats(self):
        """Addresses of some beats of the jobs under way."""
        found = set()
        for job in self.jobs.values():
            source, target = self.rng.choice(list(self.rows(job)))
            found |= {source + 8 * self.rng.randrange(job.beats), target}
        return found

    def ended(self, end):
        """A job has ended."""
        job = self.jobs.pop(end["number"])
        how = End(end["end"])
        self.told[how] = self.told.get(how, 0) + 1
        if how == End.ABORTED:
            assert job.number in self.aborted
        if how != End.DONE:
            return
        for source, target in self.rows(job):
            expected = content(self.memory, source, 8 * job.beats)
            if job.fills:
                expected = bytes(8 * job.beats)
            assert content(self.memory, target, 8 * job.beats) == expected, job
        if job.checks and not job.fills:
            assert end["checksum"] == crc32c(content(self.memory, job.source, 256))


def run(seed, clocks, *, channels=1, figures=None):
    rng = random.Random(seed)
    fabric = fabric_of(channels, **LITTLE)

    async def testbench(bench):
        memory = InnerMemory(fabric, rng)
        fill(memory, rng, 0, 2 * MOVEMENT.jobs * SPACE)
        owner = Owner(rng, memory)
        watches = watch_dma(bench, fabric, MOVEMENT, memory.channel)
        if channels > 1:
            bench.context.set(bench.member("inner.interleave"), default_interleave(fabric))
        comes = tells = aborts = 0.0
        begun = places = 0
        for clock in range(clocks + 4000):
            drains = clock >= clocks
            if clock % 64 == 0:
                comes = rng.choice((0.1, 1.0, 1.0))
                tells = rng.choice((0.1, 1.0, 1.0, 1.0))
                aborts = rng.choice((0, 0, 0, 0.01, 0.1))
                places = rng.choice((0b1111, 0b1111, 0b1111, rng.getrandbits(TENANTS)))
                memory.takes = rng.choice((1.0, 1.0, 0.7, 0.2))
                memory.answers = rng.choice((1.0, 1.0, 0.7, 0.3))
                memory.latency = rng.choice((1, 4, 4, 20))
                memory.in_order = rng.random() < 0.5
                fails = rng.random() < 0.25
                memory.wrong = owner.places_of_beats() if fails else set()
                if drains:
                    tells, places = 1.0, 0b1111
                    memory.takes = memory.answers = 1.0
            if drains and not owner.jobs:
                break
            new = owner.begins() if not drains and rng.random() < comes else None
            bench.set(**{"jobs.valid": new is not None})
            if new is not None:
                begun += 1
                bench.set(**{"jobs.payload": dataclasses.asdict(new)})
            victim = rng.randrange(MOVEMENT.jobs)
            aborted = rng.random() < aborts and (new is None or new.number != victim)
            bench.set(**{"abort.stb": aborted, "abort.number": victim})
            if aborted:
                owner.aborted.add(victim)
            bench.set(
                **{
                    "ends.ready": rng.random() < tells,
                    "inner.places": places if rng.random() < 0.95 else rng.getrandbits(TENANTS),
                }
            )
            memory.drive(bench)
            for watch in watches:
                watch.step()
            if bench.get("ends.valid") and bench.get("ends.ready"):
                owner.ended(bench.get("ends.payload"))
            memory.watch(bench)
            await bench.tick()
        assert not owner.jobs, f"no end of {owner.jobs}"
        assert memory.quiet
        if figures is not None:
            figures.append((clock, begun, len(memory.offered), owner.told))

    simulation(WatchedDma, fabric, 0, MOVEMENT).run(testbench)


def test_dma_equals_its_model():
    run(1, 400, channels=2)


@pytest.mark.soak
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("seed", range(100, 110))
def test_dma_equals_its_model_for_long(seed, channels):
    run(seed, 20_000, channels=channels)
