# amaranth: UnusedElaboratable=no
"""Residency in gates beside its model, before jobs that end at random."""

import random

import pytest

from mcos_hw.config import MovementConfig
from mcos_hw.link.job import End
from mcos_hw.movement.residency import Residency
from mcos_sim.movement.residency import Residency as Model
from tests.hw.channel.bench import simulation
from tests.hw.movement.test_dma import fabric_of
from tests.sim.movement.clients import Clients
from tests.sim.movement.watching import ResidencyWatch

MOVEMENT = MovementConfig(
    frame_bytes=256, jobs=4, rows=4, table_rows=4, parked=4, frames=(4, 8, 16)
)
BASES = (0, 0x10000, 0x40000)
TENANTS = 4

MOST = 31
"""The largest quota there can be."""

NAMES = [*range(9), *(0x100000000 * k + 3 for k in range(1, 8))]


class Weather:
    """What changes around the engines from time to time."""

    def __init__(self, rng, bench):
        self.rng = rng
        self.bench = bench
        self.gives = self.completes = self.ends = 1.0
        self.set_fair()

    def set_fair(self):
        """Everybody may have all, and gets it at once."""
        self.quota = [[MOST] * TENANTS for _ in MOVEMENT.frames]
        self.completes, self.ends = 1.0, 0.4
        self.bench.set(up=0b111, quota=self.quota)

    def change(self):
        rng = self.rng
        self.set_fair()
        self.gives = rng.choice((0.2, 1.0, 1.0))
        self.completes = rng.choice((0.3, 0.8, 1.0, 1.0))
        self.ends = rng.choice((0.05, 0.3, 0.9))
        if rng.random() < 0.4:
            self.quota = [
                [rng.choice((0, 2, 4, MOST)) for _ in range(TENANTS)] for _ in MOVEMENT.frames
            ]
            self.bench.set(up=rng.choice((0b111, 0b110, 0b101, 0b011)), quota=self.quota)


def pins(bench, lease):
    for tier, base in enumerate(BASES):
        bench.set(**{f"bases.{tier}": base})
    for tenant in range(TENANTS):
        bench.set(**{f"movement_tags.{tenant}": tenant ^ 2})
    bench.set(lease=lease)


def model():
    return Model(fabric_of(), MOVEMENT, bases=BASES, movement_tags=[t ^ 2 for t in range(TENANTS)])


class JobsAtRandom:
    """Jobs that end whenever and however they like."""

    def __init__(self, rng, bench):
        self.rng = rng
        self.bench = bench
        self.under_way = {}
        self.offered = None

    def drive(self, ends):
        if self.offered is None and self.under_way and self.rng.random() < ends:
            number = self.rng.choice(list(self.under_way))
            end = self.under_way.pop(number)
            checksum = self.rng.choice((0, 0, 0, 1)) if end == End.DONE else 0
            self.offered = {"number": number, "end": end, "checksum": checksum}
        self.bench.set(**{"ends.valid": self.offered is not None})
        if self.offered is not None:
            self.bench.set(**{"ends.payload": self.offered})

    def watch(self, outputs):
        if outputs.end_ready:
            self.offered = None
        if outputs.abort in self.under_way and self.rng.random() < 0.8:
            self.under_way[outputs.abort] = End.ABORTED
        if outputs.job is not None:
            assert outputs.job.number not in self.under_way
            self.under_way[outputs.job.number] = self.rng.choice(
                (End.DONE, End.DONE, End.DONE, End.READ_ERROR, End.WRITE_ERROR)
            )


def run(seed, clocks, figures=None):
    """Runs gates and model, with a reset on the way."""
    rng = random.Random(seed)
    reset = rng.randrange(clocks // 2)

    async def testbench(bench):
        pins(bench, lease=rng.choice((20, 200)))
        weather = Weather(rng, bench)

        def fresh():
            clients = Clients(rng, tenants=TENANTS, names=NAMES, frame_bytes=MOVEMENT.frame_bytes)
            return clients, ResidencyWatch(bench, model()), JobsAtRandom(rng, bench)

        clients, watch, jobs = fresh()
        command = shown = None
        for clock in range(clocks + 2000):
            drains = clock >= clocks
            if drains and not clients.outstanding and command is None:
                break
            if clock == reset:
                await bench.reset()
                clients, watch, jobs = fresh()
                command = shown = None
            if clock % 64 == 0:
                weather.set_fair() if drains else weather.change()
            if command is None and not drains and rng.random() < weather.gives:
                command = clients.command()
            bench.set(
                **{
                    "commands.valid": command is not None,
                    "completions.ready": rng.random() < weather.completes,
                    "lease_clock": clock,
                }
            )
            if command is not None:
                bench.set(**{"commands.payload": command})
            jobs.drive(weather.ends)
            outputs = watch.step(weather.quota)
            jobs.watch(outputs)
            if outputs.command_ready:
                clients.took(command)
                command = None
            completion = bench.get("completions.payload")
            if bench.get("completions.valid"):
                if shown != completion:
                    clients.seen(completion)
                shown = completion
                if bench.get("completions.ready"):
                    clients.ended(completion)
                    shown = None
            await bench.tick()
            watch.conserved()
        assert not clients.outstanding, f"no outcome of {clients.outstanding}"
        assert watch.model.quiet
        if figures is not None:
            figures.append((watch.clock, clients.given, watch.jobs, clients.told))

    simulation(Residency, fabric_of(), MOVEMENT).run(testbench)


def test_residency_equals_its_model():
    run(1, 1000)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 120))
def test_residency_equals_its_model_for_long(seed):
    run(seed, 20_000)
