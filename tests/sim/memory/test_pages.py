"""Pages by colour: who gets which, and that a stream stays in its own."""

import numpy as np
import pytest

from mcos_sim.errors import UserError
from mcos_sim.memory.pages import PageColours, placed
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

COLOURS = PageColours(bits=(12, 14), memory_bytes=1 << 20)
"""256 pages of four colours."""


def stream(tag, addresses):
    requests = np.zeros(len(addresses), REQUEST)
    requests["address"] = addresses
    requests["beats"] = 1
    steps = np.array([(0, len(addresses), 0, 0)], STEP)
    return Stream(name=f"s{tag}", tag=tag, window=4, closed=False, requests=requests, steps=steps)


def test_a_colour_is_made_of_its_bits():
    addresses = np.array([0, 1 << 12, 1 << 13, 1 << 14, (1 << 12) + (1 << 14) + 5])
    assert COLOURS.of(addresses).tolist() == [0, 1, 0, 2, 3]
    assert (COLOURS.count, COLOURS.all) == (4, 0xF)
    assert PageColours(bits=(), memory_bytes=1 << 20).all == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bits": (11,)}, "bits of a colour must be above a page of 4096 B"),
        ({"bits": (20,)}, "within 1048576 B, not 20"),
        ({"page_bytes": 3000}, "page_bytes must be a power of two"),
        ({"memory_bytes": 0}, "memory_bytes must be a power of two"),
    ],
)
def test_parameters(changes, message):
    with pytest.raises(ValueError, match=message):
        PageColours(**{"bits": (12,), "memory_bytes": 1 << 20} | changes)


def test_each_stream_stays_in_its_colours_and_moves_by_pages():
    addresses = np.arange(0, 30 * 4096, 512)
    masks = {1: 0b0011, 2: 0b1100, 3: 0b0010}
    before = [stream(tag, addresses + (tag << 30)) for tag in masks]
    after = placed(before, COLOURS, masks, seed=3)
    pages = {}
    for old, new in zip(before, after, strict=True):
        moved = new.requests["address"].astype(np.int64)
        assert (moved < COLOURS.memory_bytes).all()
        assert set(COLOURS.of(moved).tolist()) == {k for k in range(4) if masks[old.tag] >> k & 1}
        # Inside a page nothing moves, and one page goes to one page.
        assert (moved % 4096 == old.requests["address"] % 4096).all()
        pairs = set(zip((addresses // 4096).tolist(), (moved // 4096).tolist(), strict=True))
        assert len(pairs) == 30
        pages[old.tag] = {page for _, page in pairs}
        assert len(pages[old.tag]) == 30
    # No page is given to two, in the colour that two of them have either.
    assert not pages[1] & pages[2]
    assert not pages[1] & pages[3]


def test_places_are_those_of_the_seed():
    one = [stream(1, np.arange(0, 1 << 17, 4096))]
    first, again, other = (
        placed(one, COLOURS, {1: 0xF}, seed=seed)[0].requests["address"] for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_more_pages_than_there_are_go_around():
    (moved,) = placed([stream(1, np.arange(0, 100 * 4096, 4096))], COLOURS, {1: 0b1}, seed=1)
    pages = moved.requests["address"] // 4096
    assert len(set(pages.tolist())) == 64
    assert (pages[:36] == pages[64:]).all()


def test_a_stream_without_a_page_is_refused():
    with pytest.raises(UserError, match="'s2' must have a free page of its colours 0x10"):
        placed([stream(2, np.arange(4) * 4096)], COLOURS, {2: 0x10}, seed=1)
