# amaranth: UnusedElaboratable=no
"""The unpacker against the bytes that each transfer must have."""

import dataclasses
import random

import pytest

from mcos_hw.bus.axi4lite import Response
from mcos_hw.port.unpack import Unpacker
from tests.hw.channel.bench import boundary, simulate
from tests.hw.port.returning import WIDTHS, Fragment, fabric_of, random_fragment

NAMES = {
    "fragment": "fragments.payload",
    "fragment_valid": "fragments.valid",
    "fragment_ready": "fragments.ready",
    "word": "words.payload",
    "word_valid": "words.valid",
    "word_ready": "words.ready",
    "transfer": "beats.payload",
    "valid": "beats.valid",
    "ready": "beats.ready",
}


def offered(fragment, fabric, port):
    """A fragment as the unpacker takes it."""
    widest = max(fabric.beat_bytes, port.data_bytes)
    return {
        "id": fragment.id,
        "first": fragment.address % widest,
        "size": fragment.size,
        "more": fragment.transfers - 1,
        "last": fragment.last,
        "response": fragment.refusal,
    }


async def unpack(bench, fragments, fabric, port, *, gives=lambda: True, takes=lambda: True):
    """Runs fragments through, and returns their transfers and the clocks of those.

    ``gives`` says for each fragment and word whether it comes in this clock, ``takes`` whether the
    requester is ready; what is offered stays. No word is offered before its fragment is taken.
    """
    waiting = list(fragments)
    words, fragment_valid, word_valid = [], False, False
    total = sum(fragment.transfers for fragment in fragments)
    transfers, clocks, stuck = [], [], None
    for clock in range(40 * total + 400):
        if len(transfers) == total:
            break
        fragment_valid = bool(waiting) and (fragment_valid or gives())
        word_valid = bool(words) and (word_valid or gives())
        bench.set(fragment_valid=fragment_valid, word_valid=word_valid, ready=takes())
        if fragment_valid:
            bench.set(fragment=offered(waiting[0], fabric, port))
        if word_valid:
            bench.set(word=words[0])
        taken = fragment_valid and bench.get("fragment_ready")
        if word_valid and bench.get("word_ready"):
            words.pop(0)
            word_valid = False
        if taken:
            fragment = waiting.pop(0)
            fragment_valid = False
            for word, response in zip(fragment.words, fragment.responses, strict=True):
                words.append({"data": word, "response": response})
        valid, transfer = bench.get("valid"), bench.get("transfer")
        assert stuck is None or (valid and transfer == stuck), "a transfer stays until it is taken"
        stuck = None
        if valid and bench.get("ready"):
            transfers.append(transfer)
            clocks.append(clock)
        elif valid:
            stuck = transfer
        await bench.tick()
    assert not waiting
    assert not words
    return transfers, clocks


def check(transfers, fragments, fabric, port):
    """Every fragment has its transfers, in order, and nothing is left."""
    transfers = list(transfers)
    for fragment in fragments:
        own, transfers = transfers[: fragment.transfers], transfers[fragment.transfers :]
        fragment.check(own, port.data_bytes, fabric.beat_bytes)
    assert not transfers


def test_signature():
    assert boundary(Unpacker(*fabric_of(8, 8))) == {"in": {"fragments", "words"}, "out": {"beats"}}


@pytest.mark.parametrize(("data_bytes", "beat_bytes"), WIDTHS)
def test_bytes_of_any_fragments(data_bytes, beat_bytes):
    rng = random.Random(100 * data_bytes + beat_bytes)
    fabric, port = fabric_of(data_bytes, beat_bytes)

    async def testbench(bench):
        for share in (1, 0.4):
            fragments = [random_fragment(rng, fabric, port, longest=16) for _ in range(9)]
            transfers, _ = await unpack(
                bench,
                fragments,
                fabric,
                port,
                gives=lambda share=share: rng.random() < share,
                takes=lambda share=share: rng.random() < 1.2 - share,
            )
            check(transfers, fragments, fabric, port)
            await bench.reset()

    simulate(Unpacker(fabric, port), testbench, NAMES)


@pytest.mark.parametrize(("data_bytes", "beat_bytes"), WIDTHS[::3])
def test_a_step_in_every_clock(data_bytes, beat_bytes):
    """Nothing is lost between fragments, of one beat or of many, refused or not."""
    rng = random.Random(3)
    fabric, port = fabric_of(data_bytes, beat_bytes)
    widest = max(data_bytes, beat_bytes)
    fragments = []
    for length in (1, 1, 3, 1, 2):
        size = port.size_limit
        fragments.append(
            Fragment(
                id=length,
                address=0,
                size=size,
                transfers=length * widest // data_bytes,
                last=True,
                words=tuple(
                    rng.getrandbits(8 * beat_bytes) for _ in range(length * widest // beat_bytes)
                ),
                responses=(Response.OKAY,) * (length * widest // beat_bytes),
            )
        )
        fragments.append(
            Fragment(id=9, address=0, size=0, transfers=length, last=True, refusal=Response.DECERR)
        )

    async def testbench(bench):
        transfers, clocks = await unpack(bench, fragments, fabric, port)
        check(transfers, fragments, fabric, port)
        # A fragment is taken in clock 0, has its first step in clock 1, and ends in clock 2.
        steps = sum(max(fragment.transfers, len(fragment.words)) for fragment in fragments)
        assert clocks[-1] == 1 + steps

    simulate(Unpacker(fabric, port), testbench, NAMES)


@pytest.mark.parametrize(("data_bytes", "beat_bytes"), [(64, 8), (32, 16), (16, 16), (8, 64)])
def test_no_lane_has_bytes_of_another_fragment(data_bytes, beat_bytes):
    """Every byte of a fragment's words is its number, so every lane must be."""
    rng = random.Random(5)
    fabric, port = fabric_of(data_bytes, beat_bytes)
    fragments = []
    for k in range(1, 40):
        fragment = random_fragment(rng, fabric, port, refusals=0, longest=4)
        word = int.from_bytes(bytes([k]) * beat_bytes, "little")
        words = (word,) * len(fragment.words)
        fragments.append(dataclasses.replace(fragment, id=k, words=words))

    async def testbench(bench):
        transfers, _ = await unpack(bench, fragments, fabric, port)
        check(transfers, fragments, fabric, port)
        for transfer in transfers:
            assert set(transfer["data"].to_bytes(data_bytes, "little")) == {transfer["id"]}

    simulate(Unpacker(fabric, port), testbench, NAMES)


def test_the_worst_response_of_a_wide_transfer():
    """Whichever beat has it, and not that of the transfer before."""
    fabric, port = fabric_of(32, 8)
    okay, slverr, decerr = Response.OKAY, Response.SLVERR, Response.DECERR
    rows = [
        (okay, okay, okay, decerr),
        (okay, okay, okay, okay),
        (slverr, decerr, okay, okay),
        (okay, slverr, slverr, okay),
        (slverr, okay, okay, okay),
        (okay, decerr, slverr, okay),
    ]
    fragments = [
        Fragment(id=1, address=0, size=5, transfers=1, last=True, words=(0,) * 4, responses=row)
        for row in rows
    ]

    async def testbench(bench):
        transfers, _ = await unpack(bench, fragments, fabric, port)
        assert [transfer["response"] for transfer in transfers] == [max(row) for row in rows]

    simulate(Unpacker(fabric, port), testbench, NAMES)


def test_a_refused_burst_of_256_transfers():
    fabric, port = fabric_of(16, 32)
    refused = Fragment(id=5, address=3, size=1, transfers=256, last=True, refusal=Response.SLVERR)

    async def testbench(bench):
        transfers, clocks = await unpack(bench, [refused], fabric, port)
        check(transfers, [refused], fabric, port)
        assert clocks == list(range(2, 258))

    simulate(Unpacker(fabric, port), testbench, NAMES)
