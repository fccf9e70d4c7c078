# amaranth: UnusedElaboratable=no
"""A queue in a memory against a list."""

import random
import re
from collections import deque

import pytest
from amaranth.lib import data

from mcos_hw.primitive.backlog import Backlog
from tests.hw.channel.bench import boundary, simulate

LAYOUT = data.StructLayout({"number": 8})


@pytest.mark.parametrize(
    ("depth", "error", "message"),
    [
        (4.0, TypeError, "depth must be an integer, not 4.0"),
        (True, TypeError, "depth must be an integer, not True"),
        (1, ValueError, "depth must be a power of two, at least 2, not 1"),
        (6, ValueError, "depth must be a power of two, at least 2, not 6"),
    ],
)
def test_depth(depth, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        Backlog(LAYOUT, depth=depth)


def test_signature():
    assert boundary(Backlog(LAYOUT, depth=2)) == {"in": {"i"}, "out": {"o"}}


@pytest.mark.parametrize("depth", [2, 8])
def test_items_pass_in_order(depth):
    """Filled to its depth, emptied, and anything in between."""
    rng = random.Random(depth)
    fullest = 0

    async def testbench(bench):
        nonlocal fullest
        inside = deque()
        longest = 0
        for clock in range(900):
            crowd = (0.9, 0.1, 0.5)[clock // 40 % 3]
            valid = len(inside) < depth and rng.random() < crowd
            ready = rng.random() < 1 - crowd
            number = rng.getrandbits(8)
            bench.set(i={"valid": valid, "payload": {"number": number}}, o={"ready": ready})
            # An item waits for two clocks at most while nothing is offered.
            longest = 0 if bench.get("o.valid") or not inside else longest + 1
            assert longest <= 2
            if bench.get("o.valid"):
                assert bench.get("o.payload") == {"number": inside[0]}
                if ready:
                    inside.popleft()
            if valid:
                inside.append(number)
            fullest = max(fullest, len(inside))
            await bench.tick()
        await bench.reset()
        for _ in range(4):
            assert not bench.get("o.valid")
            await bench.tick()

    simulate(Backlog(LAYOUT, depth=depth), testbench)
    assert fullest == depth


@pytest.mark.parametrize("ahead", [1, 4])
def test_one_enters_and_one_leaves_in_every_clock(ahead):
    """Also when some wait: after a few clocks the output never pauses."""

    async def testbench(bench):
        taken = []
        for clock in range(60):
            bench.set(i={"valid": 1, "payload": {"number": clock}})
            bench.set(o={"ready": clock >= ahead})
            if clock >= ahead and bench.get("o.valid"):
                taken.append((clock, bench.get("o.payload")["number"]))
            await bench.tick()
        assert [number for _, number in taken] == list(range(len(taken)))
        assert [clock for clock, _ in taken[-50:]] == list(range(10, 60))
        if ahead == 1:
            assert taken[0] == (1, 0)

    simulate(Backlog(LAYOUT, depth=8), testbench)
