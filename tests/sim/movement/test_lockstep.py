# amaranth: UnusedElaboratable=no
"""Whole engines beside their model, before memory with contents and errors."""

import random

import pytest

from mcos_hw.link.interleave import default_interleave
from mcos_sim.movement.movement import Movement
from tests.hw.channel.bench import simulation
from tests.hw.movement.memory import InnerMemory
from tests.hw.movement.test_dma import fabric_of
from tests.sim.movement.clients import FOREIGN, Clients
from tests.sim.movement.test_residency import BASES, MOVEMENT, NAMES, TENANTS, Weather, model, pins
from tests.sim.movement.watching import ResidencyWatch, WatchedMovement
from tests.sim.movement.watching_engines import watch_dma
from tests.sim.movement.watching_movement import MovementWatch

FRAME = MOVEMENT.frame_bytes
EVERYBODY = (1 << TENANTS) - 1


class Storms(Weather):
    """Also what memory and its ports do."""

    def __init__(self, rng, bench, memory):
        self.memory = memory
        super().__init__(rng, bench)

    def set_fair(self):
        super().set_fair()
        self.memory.takes = self.memory.answers = 1.0
        self.memory.wrong = set()
        self.bench.set(**{"inner.places": EVERYBODY})

    def change(self):
        super().change()
        rng, memory = self.rng, self.memory
        memory.takes, memory.answers = rng.choice(((1, 1), (1, 1), (0.3, 0.8), (0.9, 0.3)))
        memory.latency = rng.choice((1, 4, 30))
        memory.in_order = rng.random() < 0.5
        if rng.random() < 0.4:
            frames = [
                base + FRAME * frame
                for base, count in zip(BASES, MOVEMENT.frames, strict=True)
                for frame in range(count)
            ]
            memory.wrong = {
                rng.choice(frames) + 8 * rng.choice((0, 8, 16, 24, 3, 31)) for _ in range(4)
            }
        if rng.random() < 0.2:
            self.bench.set(**{"inner.places": rng.randrange(EVERYBODY)})


def poison():
    """What was in memory before."""
    return {
        address: FOREIGN << 60 | address
        for base, count in zip(BASES, MOVEMENT.frames, strict=True)
        for address in range(base, base + FRAME * count, 8)
    }


def model_of(fabric, channel_of):
    return Movement(
        fabric,
        fabric.ports[0],
        MOVEMENT,
        bases=BASES,
        movement_tags=[t ^ 2 for t in range(TENANTS)],
        channel_of=channel_of,
    )


def run(seed, clocks, *, channels=1, inside=True, figures=None):
    """Runs engines and models; ``inside`` also compares what passes between their parts. There is a
    reset on the way."""
    rng = random.Random(seed)
    fabric = fabric_of(channels)

    reset = rng.randrange(clocks // 2)

    async def testbench(bench):
        pins(bench, lease=rng.choice((50, 1000)))
        if channels > 1:
            bench.context.set(bench.member("inner.interleave"), default_interleave(fabric))
        contents = poison()

        def fresh():
            """After reset nothing is under way; memory keeps what it had."""
            memory = InnerMemory(fabric, rng)
            memory.bytes = contents
            clients = Clients(rng, tenants=TENANTS, names=NAMES, frame_bytes=FRAME, memory=memory)
            residency = ResidencyWatch(bench, model(), prefix="residency.")
            whole = MovementWatch(bench, model_of(fabric, memory.channel))
            parts = ()
            if inside:
                parts = watch_dma(bench, fabric, MOVEMENT, memory.channel, prefix="dma.")
            return memory, clients, residency, (whole, *parts)

        memory, clients, watch, watches = fresh()
        weather = Storms(rng, bench, memory)
        command = shown = None
        for clock in range(clocks + 6000):
            drains = clock >= clocks
            if drains and not clients.outstanding and command is None:
                break
            if clock == reset:
                await bench.reset()
                memory, clients, watch, watches = fresh()
                weather.memory = memory
                command = shown = None
            if clock % 128 == 0:
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
            memory.drive(bench)
            outputs = watch.step(weather.quota)
            watches[0].step(weather.quota)
            for part in watches[1:]:
                part.step()
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
            memory.watch(bench)
            await bench.tick()
            watch.conserved()
        assert not clients.outstanding, f"no outcome of {clients.outstanding}"
        assert watch.model.quiet
        assert watches[0].model.dma.jobs.quiet
        assert memory.quiet
        if figures is not None:
            figures.append((watch.clock, clients.given, watch.jobs, clients.told))

    simulation(WatchedMovement, fabric, 0, MOVEMENT).run(testbench)


def test_engines_equal_their_models():
    run(1, 300)


@pytest.mark.soak
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("seed", range(100, 110))
def test_engines_equal_their_models_for_long(seed, channels):
    run(seed, 20_000, channels=channels, inside=False)
