# amaranth: UnusedElaboratable=no
"""The outlet: every command once, in order, at once where memory takes it."""

import random
from collections import Counter, deque

import pytest

from mcos_hw.channel.outlet import Outlet
from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import command_layout
from tests.hw.channel.bench import boundary, simulate

CONFIG = ChannelConfig(tenants=4)
NAMES = {
    "grant": "grant.valid",
    "valid": "departure.valid",
}
WIDTHS = {**command_layout(CONFIG).members, "id": CONFIG.id_width}
OUTLET_DEPTH = 3
"""A number of the test's own: of the hardware's no test would see that it is wrong."""


def command(rng):
    return {name: rng.getrandbits(width) for name, width in WIDTHS.items()}


def standing(bench):
    """What stands at the port: the command and the requester's number of it."""
    return bench.get("commands.payload") | {"id": bench.get("id")}


def depart(bench, command):
    """Drives the departure that becomes ``command``."""
    request = {name: value for name, value in command.items() if name != "slot"}
    bench.set(**{"slot": command["slot"], "departure.request": request})


def test_signature():
    assert boundary(Outlet(CONFIG)) == {
        "in": {"grant", "departure", "slot"},
        "out": {"open_then", "commands", "id"},
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_command_passes_once_and_in_order(seed):
    """A command comes in the clock after its grant; what stands at the port stays until taken."""
    rng = random.Random(seed)
    seen = Counter()

    async def testbench(bench):
        waiting = deque()
        granted = opened = False
        for clock in range(2500):
            spell = clock // 100 % 4
            comes, granted = granted, opened and rng.random() < (1.0, 0.6, 0.9, 1.0)[spell]
            if comes:
                waiting.append(command(rng))
            ready = rng.random() < (0.0 if clock % 100 < 8 else (0.5, 0.8, 0.3, 1.0)[spell])
            bench.set(grant=granted, valid=comes)
            depart(bench, waiting[-1] if comes else command(rng))
            bench.set(**{"commands.ready": ready})
            assert bench.get("commands.valid") == bool(waiting)
            if waiting:
                assert standing(bench) == waiting[0]
            # Room for what waits, what this clock grants, and a grant of the next clock.
            opened = bench.get("open_then")
            assert not opened or len(waiting) + granted < OUTLET_DEPTH
            seen["waiting", len(waiting)] += 1
            seen["closed"] += not opened
            await bench.tick()
            if ready and waiting:
                waiting.popleft()

    simulate(Outlet(CONFIG), testbench, NAMES)
    assert seen["closed"]
    assert all(seen["waiting", count] for count in range(OUTLET_DEPTH + 1)), seen


def test_one_command_a_clock_passes_while_memory_is_ready():
    rng = random.Random(1)

    async def testbench(bench):
        bench.set(**{"grant": 1, "commands.ready": 1})
        assert bench.get("open_then")
        await bench.tick()
        bench.set(valid=1)
        for _ in range(50):
            now = command(rng)
            depart(bench, now)
            assert bench.get("commands.valid")
            assert standing(bench) == now
            assert bench.get("open_then")
            await bench.tick()

    simulate(Outlet(CONFIG), testbench, NAMES)


def test_grants_go_on_to_the_last_place():
    async def testbench(bench):
        grants = 0
        granted = False
        opened = bench.get("open_then")
        await bench.tick()
        for _ in range(10):
            bench.set(grant=opened, valid=granted)
            granted, opened = opened, bench.get("open_then")
            grants += granted
            await bench.tick()
        assert grants == OUTLET_DEPTH

    simulate(Outlet(CONFIG), testbench, NAMES)


def test_reset_forgets_what_waits():
    async def testbench(bench):
        bench.set(valid=1)
        await bench.tick(OUTLET_DEPTH)
        bench.set(valid=0)
        assert not bench.get("open_then")
        await bench.reset()
        assert not bench.get("commands.valid")
        assert bench.get("open_then")

    simulate(Outlet(CONFIG), testbench, NAMES)
