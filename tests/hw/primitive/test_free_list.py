# amaranth: UnusedElaboratable=no
"""The free list against a set of the numbers in use."""

import random

import pytest

from mcos_hw.primitive.free_list import FreeList
from tests.hw.channel.bench import boundary, simulate


def test_signature():
    assert boundary(FreeList(4)) == {"in": {"give"}, "out": {"take"}}


@pytest.mark.parametrize("depth", [4.0, "8", True])
def test_depth_must_be_an_integer(depth):
    with pytest.raises(TypeError, match=rf"^depth must be an integer, not {depth!r}$"):
        FreeList(depth)


@pytest.mark.parametrize("depth", [0, 2, 3, 12])
def test_depth_must_be_a_power_of_two(depth):
    with pytest.raises(
        ValueError, match=rf"^depth must be a power of two, at least 4, not {depth}$"
    ):
        FreeList(depth)


@pytest.mark.parametrize("order", ["random", "oldest", "newest"])
@pytest.mark.parametrize(
    ("depth", "clocks"),
    [
        (4, 200),
        (16, 300),
        pytest.param(4, 2000, marks=pytest.mark.soak),
        pytest.param(64, 2000, marks=pytest.mark.soak),
    ],
)
def test_a_number_is_handed_out_once_and_none_is_lost(depth, clocks, order):
    rng = random.Random(depth)
    filled = emptied = 0

    async def testbench(bench):
        nonlocal filled, emptied
        # A reset in the middle forgets everything.
        for _ in range(2):
            used, offered = [], 0
            for clock in range(clocks):
                crowd = clock // (3 * depth) % 3
                takes = rng.random() < (0.9, 0.5, 0.2)[crowd]
                gives = bool(used) and rng.random() < (0.2, 0.5, 0.9)[crowd]
                bench.set(**{"take.ready": takes, "give.valid": gives})
                if gives:
                    index = {"random": rng.randrange(len(used)), "oldest": 0, "newest": -1}[order]
                    bench.set(**{"give.number": used.pop(index)})
                valid, number = bench.get("take.valid"), bench.get("take.payload")
                assert valid >= offered, "what is offered stays"
                assert not valid or number not in used
                filled += len(used) == depth
                emptied += not used
                if valid and takes:
                    used.append(number)
                offered = valid and not takes
                await bench.tick()
            bench.set(**{"take.ready": 1, "give.valid": 0})
            # One given back in the last clock is still on its way.
            for _ in range(depth + 3):
                if bench.get("take.valid"):
                    used.append(bench.get("take.payload"))
                await bench.tick()
            assert sorted(used) == list(range(depth))
            bench.set(**{"take.ready": 0})
            await bench.reset()

    simulate(FreeList(depth), testbench)
    assert filled
    assert emptied


def test_a_number_comes_back_three_clocks_after_it_was_given():
    async def testbench(bench):
        bench.set(**{"take.ready": 1})
        for number in range(4):
            assert (bench.get("take.valid"), bench.get("take.payload")) == (1, number)
            await bench.tick()
        for number in (2, 0):
            assert not bench.get("take.valid")
            bench.set(**{"give.valid": 1, "give.number": number})
            await bench.tick()
            bench.set(**{"give.valid": 0})
            await bench.tick(2)
            assert (bench.get("take.valid"), bench.get("take.payload")) == (1, number)
            await bench.tick()

    simulate(FreeList(4), testbench)


@pytest.mark.parametrize("depth", [4, 16])
def test_one_taken_and_one_given_a_clock_sustained(depth):
    """Each number is given back in the clock after it was taken."""

    async def testbench(bench):
        bench.set(**{"take.ready": 1})
        for _ in range(10 * depth):
            assert bench.get("take.valid")
            number = bench.get("take.payload")
            await bench.tick()
            bench.set(**{"give.valid": 1, "give.number": number})

    simulate(FreeList(depth), testbench)


def test_large_list_hands_out_every_number_again():
    async def testbench(bench):
        bench.set(**{"take.ready": 1})
        for number in range(256):
            assert bench.get("take.payload") == number
            await bench.tick()
        assert not bench.get("take.valid")
        again = []
        for number in reversed(range(256)):
            bench.set(**{"give.valid": 1, "give.number": number})
            if bench.get("take.valid"):
                again.append(bench.get("take.payload"))
            await bench.tick()
        bench.set(**{"give.valid": 0})
        for _ in range(3):
            again.append(bench.get("take.payload"))
            await bench.tick()
        assert not bench.get("take.valid")
        assert again == list(reversed(range(256)))

    simulate(FreeList(256), testbench)
