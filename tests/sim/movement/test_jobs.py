# amaranth: UnusedElaboratable=no
"""Jobs in gates beside their model, before engines that settle pieces at random."""

import random

import pytest

from mcos_hw.config import MovementConfig
from mcos_hw.link.job import Urgency
from mcos_hw.movement.jobs import Jobs
from mcos_sim.movement.jobs import Jobs as Model
from mcos_sim.movement.words import Job
from tests.hw.channel.bench import simulation
from tests.hw.movement.test_dma import fabric_of
from tests.sim.movement.watching import JobsWatch

MOVEMENT = MovementConfig(frame_bytes=256, jobs=4, rows=512)
MOST_UNDER_WAY = 16
TENANTS = 4


def job_at_random(rng, number):
    """A copy of a frame, or of rows of some beats, or a fill."""
    whole = rng.random() < 0.4
    return Job(
        number=number,
        tenant=rng.randrange(TENANTS),
        urgency=rng.choice(list(Urgency)),
        source=256 * rng.getrandbits(16) if whole else 8 * rng.getrandbits(20),
        target=256 * rng.getrandbits(16) if whole else 8 * rng.getrandbits(20),
        beats=32 if whole else rng.randint(1, 32),
        rows=1 if whole else rng.choice((1, 2, 5)),
        source_stride=8 * rng.getrandbits(10),
        target_stride=8 * rng.getrandbits(10),
        fills=int(rng.random() < 0.2),
        checks=int(whole),
    )


class EnginesAtRandom:
    """What happens to pieces: each is written or dropped, some time, and some fail."""

    def __init__(self, rng, bench):
        self.rng = rng
        self.bench = bench
        self.under_way = []
        self.settles = self.fails = 0.0

    def drive(self):
        for name in ("written", "dropped"):
            values = {"stb": 0}
            if self.under_way and self.rng.random() < self.settles:
                number = self.under_way.pop(self.rng.randrange(len(self.under_way)))
                failed = self.rng.random() < self.fails
                values = {"stb": 1, "number": number, "failed": int(failed)}
            self.bench.set(**{name: values})
        self.bench.set(checksum=self.rng.getrandbits(32))

    def watch(self, outputs, taken):
        if taken and outputs.piece is not None:
            self.under_way.append(outputs.piece.number)


def run(seed, clocks, figures=None):
    rng = random.Random(seed)

    async def testbench(bench):
        watch = JobsWatch(bench, Model(fabric_of(), MOVEMENT))
        engines = EnginesAtRandom(rng, bench)
        free = set(range(MOVEMENT.jobs))
        begun = pieces = 0
        comes = takes = tells = aborts = 0.0
        places = 0
        for clock in range(clocks + 2000):
            drains = clock >= clocks
            if clock % 64 == 0:
                comes = rng.choice((0.05, 0.5, 1.0))
                takes = rng.choice((0.2, 0.8, 1.0))
                tells = rng.choice((0.1, 1.0))
                aborts = rng.choice((0, 0, 0.02, 0.2))
                engines.settles = rng.choice((0.1, 0.5, 0.9))
                engines.fails = rng.choice((0, 0, 0.1))
                places = rng.choice((0b1111, 0b1111, rng.getrandbits(TENANTS)))
                if drains:
                    takes, tells, places, engines.settles = 1.0, 1.0, 0b1111, 0.9
            if drains and watch.model.quiet:
                break
            new = None
            if free and not drains and rng.random() < comes:
                new = job_at_random(rng, rng.choice(list(free)))
            bench.set(**{"jobs.valid": new is not None})
            if new is not None:
                fields = {name: getattr(new, name) for name in new.__dataclass_fields__}
                bench.set(**{"jobs.payload": fields})
            # Of those that came before, also of those whose end is offered or taken.
            victim = rng.randrange(MOVEMENT.jobs)
            aborted = rng.random() < aborts and (new is None or new.number != victim)
            bench.set(**{"abort.stb": aborted, "abort.number": victim})
            takes_piece = rng.random() < takes and len(engines.under_way) < MOST_UNDER_WAY
            bench.set(**{"pieces.ready": takes_piece, "ends.ready": rng.random() < tells})
            bench.set(places=places if rng.random() < 0.9 else rng.getrandbits(TENANTS))
            engines.drive()
            outputs = watch.step()
            engines.watch(outputs, takes_piece)
            pieces += takes_piece and outputs.piece is not None
            if new is not None:
                free.remove(new.number)
                begun += 1
            if outputs.end is not None and bench.get("ends.ready"):
                assert outputs.end.number not in free
                assert outputs.end.number not in engines.under_way
                free.add(outputs.end.number)
            await bench.tick()
        assert watch.model.quiet
        assert len(free) == MOVEMENT.jobs
        if figures is not None:
            figures.append((watch.clock, begun, pieces, {}))

    simulation(Jobs, fabric_of(), MOVEMENT).run(testbench)


def test_jobs_equal_their_model():
    run(1, 1000)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 120))
def test_jobs_equal_their_model_for_long(seed):
    run(seed, 20_000)
