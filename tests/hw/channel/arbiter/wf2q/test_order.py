# amaranth: UnusedElaboratable=no
"""The kept order of pairs against tags that never wrap."""

import random
from collections import Counter

import pytest

from mcos_hw.channel.arbiter.wf2q.order import PairOrder
from mcos_hw.channel.arbiter.wf2q.structs import tags_layout, turn_layout
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import members, simulate

CONFIG = ChannelConfig(tenants=4)
MODULUS = 1 << CONFIG.tag_width
SPREAD = MODULUS // 2 - 1
"""Tags are at most this far apart."""


def test_signature():
    tags = tags_layout(CONFIG).size
    assert members(PairOrder(CONFIG)) == {
        "in": {
            "heads": 4 * tags,
            "turn": turn_layout(CONFIG).size,
            "followings": 2 * tags,
            "entry": 4,
            "enters": 4,
            "entering_start": CONFIG.tag_width,
            "entering_cost": CONFIG.tag_width,
        },
        "out": {
            "order": 3 * 16,
            "following": 3 * 4,
        },
    }


def on_scale(tags):
    return {"start": tags[0] % MODULUS, "finish": tags[1] % MODULUS}


def entering_of(tags):
    start, finish = tags
    return {"entering_start": start % MODULUS, "entering_cost": (finish - start) % MODULUS}


@pytest.mark.parametrize("tenants", [4, 8])
@pytest.mark.parametrize("step", [1, SPREAD // 4])
def test_the_order_of_all_heads_at_all_times(tenants, step):
    """Heads come, go, follow each other and meet; some tags are equal, and all of them wrap."""
    config = ChannelConfig(tenants=tenants)
    rng = random.Random(tenants * step)
    seen = Counter()

    def tags(heads, now, least=0):
        """New tags not before ``least``, within half the scale of all others."""
        oldest = min((head[0] for head in heads if head), default=now)
        start = max(least, oldest, now + rng.randint(0, 3) * (step // 4 + 1) // 4)
        start = min(start, oldest + SPREAD // 2)
        return start, min(start + rng.randint(1, 3) * step, oldest + SPREAD)

    def check(bench, heads):
        order = bench.get("order")
        present = [i for i, head in enumerate(heads) if head]
        for i in present:
            for j in present:
                if i != j:
                    (start, finish), (other_start, other_finish) = heads[i], heads[j]
                    assert order[i]["by_finish"] >> j & 1 == ((finish, i) < (other_finish, j))
                    assert order[i]["by_start"] >> j & 1 == (start < other_start)
                    assert order[i]["same_start"] >> j & 1 == (start == other_start)
                    seen["same start"] += start == other_start
                    seen["same finish"] += finish == other_finish
                    wraps = start // MODULUS != other_start // MODULUS
                    seen["wraps"] += wraps

    async def testbench(bench):
        heads = [None] * tenants
        now = 0
        for _ in range(1500):
            present = [i for i, head in enumerate(heads) if head]

            granted = rng.choice(present) if present and rng.random() < 0.7 else None
            following = entering = enters = None
            if granted is not None and rng.random() < 0.7:
                following = tags(heads, now, heads[granted][1])
            empty = [i for i in range(tenants) if not heads[i]]
            if granted is not None and following is None:
                empty.append(granted)
            if empty and rng.random() < 0.6:
                enters = rng.choice(empty)
                entering = tags(heads, now)
                if following is not None and rng.random() < 0.2:
                    entering = following
            again = rng.getrandbits(1)
            below = 0 if granted is None else -(2 << granted) % (1 << tenants)
            other_below = rng.getrandbits(tenants)
            told = following or (rng.getrandbits(99), 0)
            untold = (rng.getrandbits(99), rng.getrandbits(99))
            bench.set(
                heads=[
                    on_scale(head or (rng.getrandbits(99), rng.getrandbits(99))) for head in heads
                ],
                turn={
                    "granted": 0 if granted is None else 1 << granted,
                    "again_order": again,
                    "belows": [below, other_below][:: -1 if again else 1],
                },
                followings=[on_scale(each) for each in (told, untold)[:: -1 if again else 1]],
                entry=1 << (rng.randrange(tenants) if enters is None else enters),
                enters=0 if enters is None else 1 << enters,
                **entering_of(entering or (rng.getrandbits(99), 0)),
            )
            check(bench, heads)
            if following is not None:
                start, finish = following
                for j in present:
                    if j != granted:
                        other_start, other_finish = heads[j]
                        first = (finish, granted) < (other_finish, j)
                        assert bench.get("following.by_finish") >> j & 1 == first
                        before = start < other_start
                        assert bench.get("following.by_start") >> j & 1 == before
                        same = start == other_start
                        assert bench.get("following.same_start") >> j & 1 == same
            await bench.tick()
            seen["meet"] += following is not None and enters is not None
            seen["at once"] += granted is not None and enters == granted
            if granted is not None:
                now = max(now, heads[granted][0])
                heads[granted] = following
            if enters is not None:
                heads[enters] = entering
            if not any(heads):
                now += rng.randrange(MODULUS)

    simulate(PairOrder(config), testbench)
    for event in ("same start", "same finish", "meet", "at once"):
        assert seen[event], (event, seen)
    assert seen["wraps"] or step == 1, seen


@pytest.mark.parametrize(
    ("distance", "first"), [(-SPREAD, 1), (-1, 1), (0, None), (1, 0), (SPREAD, 0)]
)
@pytest.mark.parametrize("tenants", [(0, 3), (3, 0)])
def test_order_is_right_up_to_half_the_scale(distance, first, tenants):
    """Equal finish tags go to the lower tenant; equal start tags are told as such."""
    entering, other = tenants

    async def testbench(bench):
        for base in (0, 1, MODULUS // 2, MODULUS - 1):
            heads = [{"start": 0, "finish": 0} for _ in range(CONFIG.tenants)]
            heads[other] = on_scale((base, base))
            tags = entering_of((base + distance, base + distance))
            bench.set(heads=heads, entry=1 << entering, enters=1 << entering, **tags)
            await bench.tick()
            by_finish = entering < other if first is None else first
            order = bench.get("order")
            assert order[entering]["by_finish"] >> other & 1 == by_finish
            assert order[other]["by_finish"] >> entering & 1 == (not by_finish)
            assert order[entering]["by_start"] >> other & 1 == bool(first)
            assert order[other]["by_start"] >> entering & 1 == (first == 0)
            assert order[entering]["same_start"] >> other & 1 == (first is None)

    simulate(PairOrder(CONFIG), testbench)
