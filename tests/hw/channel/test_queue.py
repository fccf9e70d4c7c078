# amaranth: UnusedElaboratable=no
"""The request queues against one deque a tenant."""

import random
from collections import Counter, deque

import pytest

from mcos_hw.channel.queue import RequestQueues
from mcos_hw.channel.request import request_layout
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import members, simulate

SMALL = ChannelConfig(tenants=4, queue_depth=4)
FIELDS = request_layout(SMALL).members


def request(tenant, address):
    return dict.fromkeys(FIELDS, 0) | {"tenant": tenant, "address": address}


async def push(bench, tenant, address):
    bench.set(push=1, request=request(tenant, address))
    await bench.tick()
    bench.set(push=0)


async def pop(bench, tenant):
    """Gives the head of ``tenant`` away and returns its address."""
    bench.set(pop=1, pop_tenant=tenant)
    address = bench.get("heads")[tenant]["address"]
    await bench.tick()
    bench.set(pop=0)
    return address


def test_signature():
    size = request_layout(SMALL).size
    assert members(RequestQueues(SMALL)) == {
        "in": {"push": 1, "request": size, "pop": 1, "pop_tenant": 2},
        "out": {"heads": 4 * size, "present": 4, "full": 4, "counts": 4 * 3},
    }


@pytest.mark.parametrize(
    ("config", "clocks", "seed"),
    [
        (SMALL, 3000, 1),
        (ChannelConfig(tenants=8, queue_depth=2), 1500, 2),
        (ChannelConfig(), 700, 3),
    ],
)
def test_nothing_is_lost_doubled_or_reordered(config, clocks, seed):
    rng = random.Random(seed)
    seen = Counter()

    def random_request(tenant):
        widths = request_layout(config).members
        values = {name: rng.getrandbits(width) for name, width in widths.items()}
        return values | {"tenant": tenant}

    async def testbench(bench):
        queues = [deque() for _ in range(config.tenants)]
        for clock in range(clocks):
            # Crowds fill the queues of half the tenants at a time, then drain them.
            crowd = clock // 150 % 3
            lengths = [len(queue) for queue in queues]
            heads = bench.get("heads")
            assert bench.get("counts") == lengths
            assert bench.get("present") == sum((n > 0) << i for i, n in enumerate(lengths))
            assert bench.get("full") == sum(
                (n == config.queue_depth) << i for i, n in enumerate(lengths)
            )
            for i, queue in enumerate(queues):
                assert not queue or heads[i] == queue[0]

            pusher = rng.randrange(config.tenants if crowd else config.tenants // 2)
            popper = pusher if rng.random() < 0.3 else rng.randrange(config.tenants)
            pushed = rng.random() < (0.95, 0.3, 0.7)[crowd] and lengths[pusher] < config.queue_depth
            popped = rng.random() < (0.3, 0.95, 0.9)[crowd] and lengths[popper] > 0
            offered = random_request(pusher)
            bench.set(push=pushed, request=offered, pop=popped, pop_tenant=popper)
            await bench.tick()

            if pushed and popped and pusher == popper:
                seen["both", min(lengths[pusher], 2)] += 1
            seen["full"] += config.queue_depth in lengths
            seen["empty"] += not any(lengths)
            if popped:
                queues[popper].popleft()
            if pushed:
                queues[pusher].append(offered)

    simulate(RequestQueues(config), testbench)
    assert all(seen[event] for event in (("both", 1), ("full"), ("empty"))), seen
    # A push beside a pop with more than one waiting needs more than two places.
    assert seen["both", 2] or config.queue_depth == 2, seen


def test_a_request_to_an_empty_queue_is_its_head_in_the_next_clock():
    async def testbench(bench):
        bench.set(push=1, request=request(2, 0x123))
        assert bench.get("present") == 0
        await bench.tick()
        assert bench.get("present") == 0b0100
        assert bench.get("heads")[2]["address"] == 0x123

    simulate(RequestQueues(SMALL), testbench)


def test_a_request_beside_the_last_head_leaving_is_the_head_in_the_next_clock():
    async def testbench(bench):
        for address in range(1, 12):
            bench.set(push=1, request=request(1, address), pop=address > 1, pop_tenant=1)
            await bench.tick()
            assert bench.get("counts")[1] == 1
            assert bench.get("heads")[1]["address"] == address

    simulate(RequestQueues(SMALL), testbench)


def test_a_queue_is_full_at_its_depth_and_holds_up_nobody_else():
    async def testbench(bench):
        for count in range(SMALL.queue_depth):
            assert bench.get("full") == 0
            await push(bench, 3, count)
        assert bench.get("full") == 0b1000
        await push(bench, 0, 0x99)
        assert bench.get("heads")[0]["address"] == 0x99
        assert await pop(bench, 3) == 0
        assert bench.get("full") == 0
        assert [await pop(bench, 3) for _ in range(1, SMALL.queue_depth)] == [1, 2, 3]
        assert bench.get("present") == 0b0001

    simulate(RequestQueues(SMALL), testbench)


def test_one_in_and_one_out_a_clock_sustained():
    async def testbench(bench):
        await push(bench, 1, 0)
        await push(bench, 1, 1)
        for address in range(2, 60):
            bench.set(push=1, request=request(1, address), pop=1, pop_tenant=1)
            assert bench.get("heads")[1]["address"] == address - 2
            await bench.tick()

    simulate(RequestQueues(SMALL), testbench)


def test_reset_empties_the_queues():
    async def testbench(bench):
        for address in range(3):
            await push(bench, 1, address)
        await bench.reset()
        assert bench.get("present") == 0
        assert bench.get("counts") == [0, 0, 0, 0]
        await push(bench, 1, 7)
        await push(bench, 1, 8)
        assert [await pop(bench, 1), await pop(bench, 1)] == [7, 8]

    simulate(RequestQueues(SMALL), testbench)
