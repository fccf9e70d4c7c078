# amaranth: UnusedElaboratable=no
"""Who goes first among any heads, so many clocks later."""

import random

import pytest

from mcos_hw.channel.arbiter.wf2q.compact.structs import NO_RANK
from mcos_hw.channel.arbiter.wf2q.compact.tournament import Tournament, kept_steps
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import simulate


@pytest.mark.parametrize(
    ("tenants", "interval", "kept"),
    [
        (16, 4, "____r"),
        (16, 5, "__r_r"),
        (16, 6, "r_r_r"),
        (16, 7, "r_rrr"),
        (16, 8, "rrrrr"),
        (8, 8, "rrrr"),
        (8, 5, "__rr"),
        (4, 5, "r_r"),
    ],
)
def test_where_clocks_are_few_some_steps_have_no_registers(tenants, interval, kept):
    config = ChannelConfig(tenants=tenants, lateness=0, grant_interval=interval)
    assert kept_steps(config) == [step == "r" for step in kept]


def goes_before(head, tags, time, modulus):
    """What orders heads, from the text of docs/channel.md; the least goes first."""
    half = modulus // 2
    rank, fresh, priority = head["place"]["rank"], head["place"]["fresh"], head["priority"]
    start, finish = ((tags[name] - time + half) % modulus for name in ("start", "finish"))
    if not fresh:
        return (rank, 0)
    return (rank, 1, 0 if rank & 1 else start, priority, finish)


@pytest.mark.parametrize(("tenants", "interval"), [(16, 8), (16, 6), (8, 5), (4, 4)])
def test_the_head_that_goes_first_is_told_and_of_equals_the_lowest_tenant(tenants, interval):
    config = ChannelConfig(tenants=tenants, lateness=0, grant_interval=interval)
    rng = random.Random(interval)
    modulus = 1 << config.tag_width
    longest = config.l_max << config.tag_fraction

    def some_tags(time, alike):
        """Few values, so that many are equal, anywhere from 12 longest requests behind V on."""
        if rng.random() < 0.5:
            return alike
        lead = rng.choice((1 - 12 * longest, -8 * longest, -1, 0, 1, longest, 3 * longest))
        cost = rng.choice((0, 1, longest - 1, longest))
        return {"start": (time + lead) % modulus, "finish": (time + lead + cost) % modulus}

    def some_head(tags, time):
        """V has reached a stale head, and no other one than its tags say."""
        ahead = 0 < (tags["start"] - time) % modulus < modulus // 2
        code = rng.choice((0, 0, 1, 2, 3))
        fresh = ahead or rng.random() < 0.8
        rank = NO_RANK if code == 3 else 2 * code + (2 if ahead else 1)
        place = {"rank": rank, "fresh": fresh}
        return {"place": place, "priority": rng.choice((0, 0, 1, 15)), "class_code": code}

    async def testbench(bench):
        expected = {}
        clock = 0

        async def next_clock(heads, tags, time):
            nonlocal clock
            orders = [goes_before(h, t, time, modulus) for h, t in zip(heads, tags, strict=True)]
            tenant = min(range(tenants), key=lambda i: (orders[i], i))
            rank = heads[tenant]["place"]["rank"]
            expected[clock + config.look_clocks] = {
                "present": int(rank != NO_RANK),
                "promoted": int(rank == 0),
                "tenants": 1 << tenant,
                "tenant": tenant,
                "class_code": heads[tenant]["class_code"],
            }
            bench.set(entrants=heads, turned=(time - 12 * longest) % modulus >= modulus // 2)
            due, best = expected.get(clock), bench.get("best")
            assert due is None or best == due or best["present"] == due["present"] == 0, clock
            clock += 1
            await bench.tick()

        nobody = {"place": {"rank": NO_RANK, "fresh": 1}, "priority": 0, "class_code": 3}
        for phase in range(14):
            time = rng.choice((0, rng.randrange(modulus), phase * modulus // 8 % modulus))
            alike = {"start": (time + longest) % modulus, "finish": (time + 2 * longest) % modulus}
            tags = [some_tags(time, alike) for _ in range(tenants)]
            for tenant in rng.sample(range(tenants), tenants):
                written = {"tenants": 1 << tenant, "tenant": tenant, "tags": tags[tenant]}
                bench.set(written=written)
                await next_clock([nobody] * tenants, tags, time)
            bench.set(written={"tenants": 0, "tenant": 0, "tags": tags[0]})
            for _ in range(16):
                heads = [some_head(each, time) for each in tags]
                if rng.random() < 0.2:
                    promoted = rng.choice(heads)
                    promoted["place"]["rank"] = 0
                await next_clock(heads, tags, time)
            for _ in range(config.look_clocks):
                await next_clock([nobody] * tenants, tags, time)

    simulate(Tournament(config), testbench)
