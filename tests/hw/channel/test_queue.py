# amaranth: UnusedElaboratable=no
"""The request queues against one deque a tenant."""

import random
from collections import Counter, deque

import pytest

from mcos_hw.channel.queue import RequestQueues
from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import entry_layout
from mcos_hw.link.request import request_layout
from tests.hw.channel.bench import simulate

SMALL = ChannelConfig(tenants=4, queue_depth=4)
MARK = "offered"
MARK_WIDTH = entry_layout(SMALL)[MARK].width


def queues(config=SMALL, *, ahead=2):
    return RequestQueues(config, mark=MARK, ahead=ahead)


class Ingress:
    """Takes requests, stores them and lets them enter some clocks later."""

    def __init__(self, config, *, steps):
        self.config = config
        self.steps = steps
        self.rows = [0] * config.tenants
        # Requests on their way, the newest first: (row, request, mark) or None.
        self.way = [None] * (steps + 1)

    def clock(self, bench, taken):
        """Drives a clock in which the request of ``taken`` is taken; returns what enters."""
        if taken is not None:
            request, mark = taken
            tenant = request["tenant"]
            assert bench.get("tails")[tenant] == self.rows[tenant]
            taken = (self.rows[tenant], request, mark)
            self.rows[tenant] = (self.rows[tenant] + 1) % self.config.queue_depth
        self.way = [taken, *self.way[: self.steps]]
        # A request is stored one step before it enters, if there is a step.
        storing, entering = self.way[max(self.steps - 1, 0)], self.way[self.steps]
        nothing = dict.fromkeys(request_layout(self.config).members, 0)
        row, request, _ = storing or (0, nothing, 0)
        stored = {"valid": storing is not None, "row": row, "request": request}
        row, request, mark = entering or (0, nothing, 0)
        entry = {
            "tenants": 0 if entering is None else 1 << request["tenant"],
            "row": row,
            "beats": request["beats"],
            MARK: mark,
        }
        bench.set(
            taken=0 if taken is None else 1 << taken[1]["tenant"],
            **{"arrival.stored": stored, "arrival.entry": entry},
        )
        return entering


def request(tenant, address, *, beats=1):
    fields = dict.fromkeys(request_layout(SMALL).members, 0)
    return fields | {"tenant": tenant, "address": address, "beats": beats}


async def push(bench, ingress, tenant, address):
    ingress.clock(bench, (request(tenant, address, beats=address % 16 + 1), address))
    await bench.tick()
    ingress.clock(bench, None)


def grant(bench, tenants):
    """Drives which head leaves, or none."""
    bench.set(**{"grant.tenants": tenants, "grant.valid": tenants != 0})


def departed(bench):
    """The request that left in the clock before."""
    assert bench.get("departure.valid")
    return bench.get("departure.request")


async def pop(bench, tenant):
    """Gives the head of ``tenant`` away and returns its address."""
    grant(bench, 1 << tenant)
    await bench.tick()
    grant(bench, 0)
    return departed(bench)["address"]


def present(bench):
    return [bench.get("view.heads")[i]["present"] for i in range(SMALL.tenants)]


def test_signature():
    assert queues().mark_width == MARK_WIDTH
    assert {name: member.flow.name for name, member in queues().signature.members.items()} == {
        **dict.fromkeys(("taken", "arrival", "grant"), "In"),
        **dict.fromkeys(("tails", "view", "marks", "full", "counts", "departure"), "Out"),
    }


@pytest.mark.parametrize(
    ("config", "ahead", "steps", "clocks"),
    [
        (SMALL, 0, 0, 2000),
        (SMALL, 1, 2, 2000),
        (SMALL, 2, 0, 2000),
        (SMALL, 2, 2, 2000),
        (ChannelConfig(tenants=8, queue_depth=2), 2, 2, 900),
        (ChannelConfig(), 2, 2, 1200),
    ],
)
def test_nothing_is_lost_doubled_or_reordered(config, ahead, steps, clocks):
    """``steps`` clocks from ``taken`` to ``entry``, as the intake makes them."""
    rng = random.Random(clocks + ahead + steps)
    widths = request_layout(config).members
    seen = Counter()

    def random_request(tenant):
        values = {name: rng.getrandbits(width) for name, width in widths.items()}
        return values | {"tenant": tenant, "beats": rng.randint(1, config.max_beats)}

    async def testbench(bench):
        ingress = Ingress(config, steps=steps)
        counts = [0] * config.tenants
        waiting = [deque() for _ in range(config.tenants)]
        left = None
        for clock in range(clocks):
            # Crowds fill the queues of half the tenants at a time, then drain them.
            crowd = clock // 150 % 3
            places, third, marks = (
                bench.get(name) for name in ("view.nexts", "view.thirds", "marks")
            )
            heads = bench.get("view.heads")
            assert bench.get("counts") == counts
            full = [count == config.queue_depth for count in counts]
            assert bench.get("full") == sum(bit << i for i, bit in enumerate(full))
            assert third == sum((len(queue) > 2) << i for i, queue in enumerate(waiting))
            assert bench.get("departure.valid") == (left is not None)
            assert left is None or bench.get("departure.request") == left
            for i, queue in enumerate(waiting):
                for place, shown in enumerate((heads[i], places[i])):
                    assert shown["present"] == (len(queue) > place)
                    if len(queue) > place:
                        assert shown["beats"] == queue[place][0]["beats"]
                if len(queue) > ahead:
                    assert marks[i] == queue[ahead][1]

            taker = rng.randrange(config.tenants if crowd else config.tenants // 2)
            popper = taker if rng.random() < 0.3 else rng.randrange(config.tenants)
            takes = rng.random() < (0.95, 0.3, 0.7)[crowd] and not full[taker]
            pops = rng.random() < (0.3, 0.95, 0.9)[crowd] and len(waiting[popper]) > 0
            taken = (random_request(taker), rng.getrandbits(MARK_WIDTH)) if takes else None
            entering = ingress.clock(bench, taken)
            grant(bench, pops << popper)
            await bench.tick()

            seen["full"] += any(full)
            seen["empty"] += not any(counts)
            counts[taker] += takes
            counts[popper] -= pops
            enterer = entering[1]["tenant"] if entering else None
            if pops and popper == enterer:
                seen["both", min(len(waiting[popper]), 3)] += 1
            left = waiting[popper].popleft()[0] if pops else None
            if entering:
                waiting[enterer].append(entering[1:])

    simulate(queues(config, ahead=ahead), testbench)
    # An entry beside a pop with n waiting needs more than n places.
    assert all(seen[event] for event in (("both", 1), "full", "empty")), seen
    assert config.queue_depth == 2 or (seen["both", 2] and seen["both", 3]), seen


def test_a_request_to_an_empty_queue_is_its_head_in_the_next_clock():
    async def testbench(bench):
        ingress = Ingress(SMALL, steps=0)
        assert present(bench) == [0, 0, 0, 0]
        await push(bench, ingress, 2, 5)
        assert present(bench) == [0, 0, 1, 0]
        assert bench.get("view.heads")[2]["beats"] == 6

    simulate(queues(), testbench)


def test_what_left_is_shown_in_the_clock_after_its_pop():
    """Also right after its request was stored, and while the next one takes its place."""

    async def testbench(bench):
        ingress = Ingress(SMALL, steps=0)
        await push(bench, ingress, 1, 1)
        for address in range(2, 12):
            ingress.clock(bench, (request(1, address), 0))
            grant(bench, 0b0010)
            await bench.tick()
            assert departed(bench)["address"] == address - 1
            assert bench.get("counts")[1] == 1

    simulate(queues(), testbench)


def test_a_queue_is_full_at_its_depth_and_holds_up_nobody_else():
    async def testbench(bench):
        ingress = Ingress(SMALL, steps=0)
        for address in range(SMALL.queue_depth):
            assert bench.get("full") == 0
            await push(bench, ingress, 3, address)
        assert bench.get("full") == 0b1000
        await push(bench, ingress, 0, 0x99)
        assert present(bench) == [1, 0, 0, 1]
        assert await pop(bench, 3) == 0
        assert bench.get("full") == 0
        assert [await pop(bench, 3) for _ in range(1, SMALL.queue_depth)] == [1, 2, 3]
        assert await pop(bench, 0) == 0x99
        assert present(bench) == [0, 0, 0, 0]

    simulate(queues(), testbench)


def test_a_request_that_has_not_entered_takes_a_place_already():
    async def testbench(bench):
        bench.set(taken=0b0100)
        await bench.tick(SMALL.queue_depth)
        assert bench.get("full") == 0b0100
        assert bench.get("counts") == [0, 0, SMALL.queue_depth, 0]
        assert present(bench) == [0, 0, 0, 0]

    simulate(queues(), testbench)


@pytest.mark.parametrize("steps", [0, 2])
def test_one_in_and_one_out_a_clock_sustained(steps):
    async def testbench(bench):
        ingress = Ingress(SMALL, steps=steps)
        for address in range(60):
            ingress.clock(bench, (request(1, address), 0))
            pops = address > steps
            grant(bench, pops << 1)
            assert bench.get("full") == 0
            assert present(bench)[1] == pops
            await bench.tick()
            if pops:
                assert departed(bench)["address"] == address - steps - 1

    simulate(queues(), testbench)


def test_reset_empties_the_queues():
    async def testbench(bench):
        ingress = Ingress(SMALL, steps=0)
        for address in range(3):
            await push(bench, ingress, 1, address)
        await bench.reset()
        assert present(bench) == [0, 0, 0, 0]
        assert bench.get("counts") == [0, 0, 0, 0]
        ingress = Ingress(SMALL, steps=0)
        await push(bench, ingress, 1, 7)
        await push(bench, ingress, 1, 8)
        assert [await pop(bench, 1), await pop(bench, 1)] == [7, 8]

    simulate(queues(), testbench)
