# amaranth: UnusedElaboratable=no
"""The order of responses against a queue of what is under way in each order."""

import itertools
import random
from collections import deque

import pytest

from mcos_hw.port.order import ResponseOrder
from tests.hw.channel.bench import boundary, simulation

NAMES = tuple(
    {
        "append": "append_valid",
        "entry": "append_entry",
        "order": "append_order",
        "is_complete": "append_complete",
        "complete": "complete_valid",
        "completed": "complete_entry",
        "valid": "next.valid",
        "ready": "next.ready",
        "passed": "next.payload",
    }.items()
)


class Model:
    """Entries under way, each checked as it is passed."""

    def __init__(self, entries):
        self.free = list(range(entries))
        self.queues = {}
        self.home = {}
        self.complete = set()
        self.open = []
        self.passed = 0

    def append(self, entry, order, complete):
        self.free.remove(entry)
        self.home[entry] = order
        self.queues.setdefault(order, deque()).append(entry)
        if complete:
            self.complete.add(entry)
        else:
            self.open.append(entry)

    def finish(self, entry):
        self.open.remove(entry)
        self.complete.add(entry)

    def check(self, entry):
        assert entry in self.complete, "it is complete"
        assert self.queues[self.home[entry]][0] == entry, "it is the first of its order"

    def leave(self, entry):
        self.check(entry)
        self.queues[self.home.pop(entry)].popleft()
        self.complete.remove(entry)
        self.passed += 1

    @property
    def passable(self):
        return [queue[0] for queue in self.queues.values() if queue and queue[0] in self.complete]


def run(entries, orders, testbench):
    simulation(ResponseOrder, entries, orders, names=NAMES).run(testbench)


def test_signature():
    assert boundary(ResponseOrder(4, 2)) == {
        "in": {
            *("append_valid", "append_entry", "append_order", "append_complete"),
            *("complete_valid", "complete_entry"),
        },
        "out": {"next"},
    }


@pytest.mark.parametrize("sizes", [(4.0, 2), (4, "2"), (True, 2)])
def test_sizes_must_be_integers(sizes):
    with pytest.raises(TypeError, match=r"^(entries|orders) must be an integer, not "):
        ResponseOrder(*sizes)


@pytest.mark.parametrize(
    ("sizes", "rule"),
    [((1, 2), "entries must be at least 2, not 1"), ((4, 0), "orders must be at least 1, not 0")],
)
def test_sizes_have_a_least_value(sizes, rule):
    with pytest.raises(ValueError, match=f"^{rule}$"):
        ResponseOrder(*sizes)


@pytest.mark.parametrize(
    ("entries", "orders", "clocks"),
    [
        (2, 1, 250),
        (4, 2, 500),
        (16, 4, 600),
        pytest.param(2, 1, 2000, marks=pytest.mark.soak),
        pytest.param(4, 2, 2000, marks=pytest.mark.soak),
        pytest.param(4, 4, 2000, marks=pytest.mark.soak),
        pytest.param(16, 1, 2000, marks=pytest.mark.soak),
        pytest.param(16, 4, 2000, marks=pytest.mark.soak),
        pytest.param(64, 64, 2000, marks=pytest.mark.soak),
    ],
)
def test_each_order_is_kept_whatever_completes_when(entries, orders, clocks):
    """Rates change, so that each side is the slow one for a while, and entries come again."""
    rng = random.Random(entries + orders)

    async def testbench(bench):
        for _ in range(2):
            model = Model(entries)
            held = None
            for clock in range(clocks):
                crowd = clock // (4 * entries)
                rates = [(0.95, 0.5, 0.15)[crowd // 3**k % 3] for k in range(3)]
                last = clock > clocks - 8 * entries
                valid, passed = bench.get("valid"), bench.get("passed")
                assert held is None or (valid, passed) == (1, held), "what is offered stays"
                if valid:
                    model.check(passed)
                ready = last or rng.random() < rates[0]
                completes = bool(model.open) and (last or rng.random() < rates[1])
                appends = bool(model.free) and not last and rng.random() < rates[2]
                bench.set(ready=ready, complete=completes, append=appends)
                if completes:
                    # Now the oldest, now the newest, now any: chains of every kind.
                    index = (0, -1, rng.randrange(len(model.open)))[crowd // 2 % 3]
                    finished = model.open[index]
                    bench.set(completed=finished)
                    model.finish(finished)
                if appends:
                    entry = rng.choice(model.free)
                    order = min(rng.randrange(orders), rng.randrange(orders))
                    is_complete = rng.random() < 0.2
                    bench.set(entry=entry, order=order, is_complete=is_complete)
                    model.append(entry, order, is_complete)
                if valid and ready:
                    model.leave(passed)
                held = passed if valid and not ready else None
                await bench.tick()
                if valid and ready:
                    model.free.append(passed)
            assert len(model.free) == entries, "none is lost"
            assert model.passed > clocks // 8
            bench.set(ready=0, complete=0)
            for _ in range(2):
                if model.free:
                    entry = model.free.pop()
                    bench.set(append=1, entry=entry, order=0, is_complete=1)
                await bench.tick()
            bench.set(append=0)
            await bench.reset()

    run(entries, orders, testbench)


@pytest.mark.parametrize("ready_at", [0, pytest.param(8, marks=pytest.mark.soak)])
def test_two_entries_meet_in_every_clock_of_their_ways(ready_at):
    """The second is appended and completed at any distance from the first, before and after."""

    async def testbench(bench):
        distances = itertools.product(range(1, 6), range(1, 6), range(1, 7))
        for appended, completed, other in distances:
            second = appended + completed
            if second == other:
                continue
            appends, completes = {0: 0, appended: 1}, {other: 0, second: 1}
            passed = []
            for clock in range(17):
                # A clock more, for one that must not come again.
                if passed == [0, 1] and not bench.get("valid"):
                    break
                bench.set(append=0, complete=0, ready=clock >= ready_at)
                if clock in appends:
                    bench.set(append=1, entry=appends[clock], order=1)
                if clock in completes:
                    bench.set(complete=1, completed=completes[clock])
                if bench.get("valid") and clock >= ready_at:
                    passed.append(bench.get("passed"))
                await bench.tick()
            assert passed == [0, 1], (appended, completed, other)

    run(4, 2, testbench)


def test_a_completion_is_offered_two_clocks_later():
    async def testbench(bench):
        bench.set(append=1, entry=3, order=1)
        await bench.tick()
        bench.set(append=0, complete=1, completed=3)
        await bench.tick()
        bench.set(complete=0)
        assert not bench.get("valid")
        await bench.tick()
        assert (bench.get("valid"), bench.get("passed")) == (1, 3)

    run(4, 2, testbench)


async def rate(bench, orders_of, *, delay=2, refused=lambda clock: False):
    """Appends one entry a clock, completes it ``delay`` clocks later; clocks without one passed."""
    await bench.reset()
    idle = []
    under_way = deque()
    entries = deque(range(16))
    for clock in range(50):
        entry = entries.popleft()
        complete = refused(clock)
        bench.set(ready=1, append=1, entry=entry, order=orders_of(clock), is_complete=complete)
        under_way.append(None if complete else entry)
        done = under_way.popleft() if len(under_way) > delay else None
        bench.set(complete=done is not None)
        if done is not None:
            bench.set(completed=done)
        if not bench.get("valid"):
            idle.append(clock)
        else:
            entries.append(bench.get("passed"))
        await bench.tick()
    return idle


ORDERS = (
    lambda clock: 0,
    lambda clock: clock % 2,
    lambda clock: clock // 2 % 2,
    lambda clock: clock % 3,
    lambda clock: clock * clock % 7 % 4,
    lambda clock: clock // 5 % 4,
)


@pytest.mark.parametrize("delay", [1, 2, 5])
def test_one_of_each_a_clock_sustained(delay):
    async def testbench(bench):
        for number, orders_of in enumerate(ORDERS):
            idle = await rate(bench, orders_of, delay=delay)
            assert idle == list(range(delay + 2)), f"orders {number}"

    run(16, 4, testbench)


@pytest.mark.parametrize("orders", [1, 4])
def test_one_that_is_complete_already_a_clock_sustained(orders):
    async def testbench(bench):
        idle = await rate(bench, lambda clock: clock % orders, refused=lambda clock: True)
        assert idle == list(range(len(idle)))
        assert len(idle) <= 5

    run(16, 4, testbench)


def test_an_order_passes_at_full_rate_what_waited_for_its_first_entry():
    async def testbench(bench):
        for entry in range(16):
            bench.set(append=1, entry=entry, order=2)
            await bench.tick()
        bench.set(append=0, complete=1)
        for entry in reversed(range(16)):
            assert not bench.get("valid")
            bench.set(completed=entry)
            await bench.tick()
        bench.set(complete=0, ready=1)
        await bench.tick()
        for entry in range(16):
            assert (bench.get("valid"), bench.get("passed")) == (1, entry)
            await bench.tick()
        assert not bench.get("valid")

    run(16, 4, testbench)


def test_no_order_starves_another():
    """Order 0 never ends, refused entries come all the time, and the one of order 3 gets out."""

    async def testbench(bench):
        rng = random.Random(3)
        model = Model(16)
        waited = longest = 0
        for _ in range(400):
            bench.set(ready=1, append=0, complete=0)
            if bench.get("valid"):
                passed = bench.get("passed")
                waited *= model.home[passed] != 3
                model.leave(passed)
                model.free.append(passed)
            if model.open:
                finished = model.open[0]
                bench.set(complete=1, completed=finished)
                model.finish(finished)
            if model.free:
                entry, order = rng.choice(model.free), rng.choice((0, 0, 0, 1, 3))
                bench.set(append=1, entry=entry, order=order, is_complete=order == 1)
                model.append(entry, order, order == 1)
            waited += any(model.home[each] == 3 for each in model.passable)
            longest = max(longest, waited)
            await bench.tick()
        assert 2 < longest <= 8

    run(16, 4, testbench)


@pytest.mark.parametrize(
    ("entries", "orders"), [(64, 32), pytest.param(512, 256, marks=pytest.mark.soak)]
)
def test_many_entries_and_orders(entries, orders):
    """Appended and completed at random, all of them passed."""

    async def testbench(bench):
        rng = random.Random(5)
        model = Model(entries)
        bench.set(append=1)
        for entry in rng.sample(range(entries), entries):
            order = rng.randrange(orders)
            bench.set(entry=entry, order=order)
            model.append(entry, order, False)
            await bench.tick()
        bench.set(append=0, complete=1, ready=1)
        for entry in rng.sample(range(entries), entries):
            bench.set(completed=entry)
            model.finish(entry)
            if bench.get("valid"):
                model.leave(bench.get("passed"))
            await bench.tick()
        bench.set(complete=0)
        for _ in range(entries):
            if bench.get("valid"):
                model.leave(bench.get("passed"))
            await bench.tick()
        assert model.passed == entries

    run(entries, orders, testbench)
