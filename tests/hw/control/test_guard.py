# amaranth: UnusedElaboratable=no
"""The guard: who is let through, and who owns afterwards."""

import numpy as np

from mcos_hw.control.guard import Guard
from mcos_hw.registers.guard import GUARD_KEY
from tests.hw.channel.bench import simulate

CLAIM, RELEASE, TAKEOVER, OTHER = "claim", "release", "takeover", "other"

# Window, what it writes, word; whether it is let through; the owner afterwards.
STEPS = [
    (3, OTHER, 0, True, None),
    (3, RELEASE, 0, True, None),
    (3, CLAIM, 1, True, 3),
    (3, OTHER, 5, True, 3),
    (3, CLAIM, 1, True, 3),
    (4, OTHER, 5, False, 3),
    (4, CLAIM, 1, False, 3),
    (4, RELEASE, 1, False, 3),
    (0, OTHER, 5, False, 3),
    (0, RELEASE, 1, False, 3),
    (4, TAKEOVER, GUARD_KEY, False, 3),
    (3, TAKEOVER, GUARD_KEY, False, 3),
    (0, TAKEOVER, GUARD_KEY ^ 1, False, 3),
    (0, TAKEOVER, GUARD_KEY ^ 1 << 31, False, 3),
    (0, TAKEOVER, GUARD_KEY, True, 0),
    (3, OTHER, 5, False, 0),
    (0, RELEASE, 1, True, None),
    (4, CLAIM, 1, True, 4),
    (4, RELEASE, 1, True, None),
    (5, OTHER, 1, True, None),
    (0, TAKEOVER, GUARD_KEY, True, 0),
    (0, TAKEOVER, 0, False, 0),
]


async def write(bench, window, what, word):
    """Writes, and says whether it was let through; claims and releases as the bank tells them."""
    bench.set(
        write={"stb": 1, "window": window, "takes_over": what == TAKEOVER, "word": word},
        claim=0,
        release=0,
    )
    allowed = bench.get("write.allowed")
    assert bench.get("refused") == (not allowed)
    bench.set(claim=allowed and what == CLAIM, release=allowed and what == RELEASE)
    await bench.tick()
    bench.set(**{"write.stb": 0}, claim=0, release=0)
    return bool(allowed)


def owner(bench):
    return bench.get("owner") if bench.get("owned") else None


def test_each_step():
    async def testbench(bench):
        faults = 0
        for window, what, word, allowed, following in STEPS:
            assert await write(bench, window, what, word) == allowed, (window, what)
            faults += not allowed
            assert owner(bench) == following, (window, what)
            assert bench.get("faults") == faults
        await bench.tick(5)
        assert (owner(bench), bench.get("faults")) == (0, faults)
        await bench.reset()
        assert (owner(bench), bench.get("faults")) == (None, 0)

    simulate(Guard(), testbench)


def test_random_writers():
    rng = np.random.default_rng(9)

    async def testbench(bench):
        owns, faults, refusals, takeovers = None, 0, 0, 0
        for _ in range(600):
            window = int(rng.integers(8))
            what = str(rng.choice((CLAIM, RELEASE, TAKEOVER, OTHER, OTHER)))
            word = GUARD_KEY if rng.random() < 0.6 else int(rng.integers(1 << 32))
            if what == TAKEOVER:
                expected = window == 0 and word == GUARD_KEY
            else:
                expected = owns in (None, window)
            assert await write(bench, window, what, word) == expected
            if expected and what in (CLAIM, TAKEOVER):
                takeovers += owns not in (None, window)
                owns = window
            elif expected and what == RELEASE:
                owns = None
            faults += not expected
            refusals += not expected
            assert (owner(bench), bench.get("faults")) == (owns, faults)
        assert refusals
        assert takeovers

    simulate(Guard(), testbench)
