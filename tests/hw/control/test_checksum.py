# amaranth: UnusedElaboratable=no
"""The checksum against zlib's."""

import random
import zlib

import pytest

from mcos_hw.control.checksum import Checksum
from tests.hw.channel.bench import boundary, simulate

STEPS = pytest.mark.parametrize("steps", [1, 2])


def crc_of(words):
    return zlib.crc32(b"".join(word.to_bytes(4, "little") for word in words))


async def send(bench, steps, word, pause=0):
    bench.set(valid=1, word=word)
    await bench.tick()
    bench.set(valid=0, word=0xFFFF_FFFF)
    await bench.tick(steps - 1 + pause)


async def start(bench):
    bench.set(start=1)
    await bench.tick()
    bench.set(start=0)


def test_signature():
    assert boundary(Checksum(steps=2)) == {"in": {"start", "valid", "word"}, "out": {"crc"}}


@STEPS
def test_words_as_close_as_they_may_be_and_further_apart(steps):
    async def testbench(bench):
        rng = random.Random(steps)
        single = [[1 << bit] for bit in range(32)]
        others = [[rng.getrandbits(32) for _ in range(rng.randint(1, 9))] for _ in range(40)]
        for words in (*single, *others):
            await start(bench)
            for k, word in enumerate(words):
                assert bench.get("crc") == crc_of(words[:k])
                await send(bench, steps, word, rng.choice((0, 0, 1, 3)))
            assert bench.get("crc") == crc_of(words)

    simulate(Checksum(steps=steps), testbench)


def test_a_start_forgets_half_a_word():
    async def testbench(bench):
        await start(bench)
        await send(bench, 1, 0x1234_5678)
        await start(bench)
        assert bench.get("crc") == crc_of([])
        await send(bench, 2, 5)
        assert bench.get("crc") == crc_of([5])

    simulate(Checksum(steps=2), testbench)
