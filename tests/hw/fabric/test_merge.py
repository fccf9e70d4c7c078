# amaranth: UnusedElaboratable=no
"""What has landed at all ports, one request per clock and in turn."""

import random

import pytest

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.fabric.merge import LandingMerge
from tests.hw.channel.bench import boundary, simulate

TENANTS = 4
ALL = (1 << TENANTS) - 1


def merge(ports):
    channel = ChannelConfig(tenants=TENANTS, stamp_width=16)
    return LandingMerge(FabricConfig.around(channel, ports=(PortConfig(),) * ports))


class Play:
    """Queues of the ports, and what the channel took of them."""

    def __init__(self, bench, component, queues):
        self.bench = bench
        self.component = component
        self.queues = [list(queue) for queue in queues]
        self.clock = 0
        self.left = [[] for _ in queues]
        self.taken = []

    async def step(self, *, ready=ALL, offers=None):
        """A clock in which the queues of ``ready`` tenants have room, and some ports offer."""
        set_, get = self.bench.context.set, self.bench.context.get
        for k, queue in enumerate(self.queues):
            landed = self.component.landed[k]
            set_(landed.valid, bool(queue) and (offers is None or offers[k]))
            if queue:
                tenant, number = queue[0]
                set_(landed.payload.tenant, tenant)
                set_(landed.payload.address, number)
        self.bench.set(request={"ready": ready})
        request = self.bench.get("request.payload")
        if self.bench.get("request.valid") and ready >> request["tenant"] & 1:
            self.taken.append((self.clock, request["tenant"], request["address"]))
        for k, queue in enumerate(self.queues):
            landed = self.component.landed[k]
            if get(landed.valid) and get(landed.ready):
                self.left[k].append(self.clock)
                queue.pop(0)
        await self.bench.tick()
        self.clock += 1


def run(ports, queues, script):
    component = merge(ports)

    async def testbench(bench):
        await script(Play(bench, component, queues))

    simulate(component, testbench)


def test_signature():
    assert boundary(merge(2)) == {"in": {"landed"}, "out": {"request"}}


@pytest.mark.parametrize(("ports", "latency"), [(1, 0), (2, 1), (5, 1)])
def test_ports_take_turns_at_one_request_per_clock(ports, latency):
    async def script(play):
        for _ in range(4 * ports + latency):
            await play.step()
        assert [clock for clock, _, _ in play.taken] == [latency + i for i in range(4 * ports)]
        order = [address // 100 for _, _, address in play.taken]
        assert sorted(order[:ports]) == list(range(ports))
        assert order == order[:ports] * 4

    queues = [[(k % TENANTS, 100 * k + i) for i in range(4)] for k in range(ports)]
    run(ports, queues, script)


@pytest.mark.parametrize("ports", [1, 3])
def test_a_request_waits_for_its_own_tenant(ports):
    """It is not passed by others; who has room is of the tenant of the request alone."""

    async def script(play):
        for _ in range(5):
            await play.step(ready=ALL & ~(1 << 2))
        assert not play.taken
        await play.step(ready=1 << 2)
        assert [tenant for _, tenant, _ in play.taken] == [2]
        await play.step()
        await play.step()
        assert [address for _, _, address in play.taken] == [0, 1]

    run(ports, [[(2, 0), (1, 1)], *([] for _ in range(ports - 1))], script)


def test_a_port_that_offers_nothing_costs_no_clock():
    async def script(play):
        for _ in range(7):
            await play.step()
        assert play.left == [[], [0, 1, 2, 3, 4, 5], []]

    run(3, [[], [(0, i) for i in range(6)], []], script)


def test_nothing_is_lost_doubled_or_passed_by_another_of_its_port():
    rng = random.Random(1)
    queues = [[(rng.randrange(TENANTS), 1000 * k + i) for i in range(60)] for k in range(3)]

    async def script(play):
        while len(play.taken) < 180:
            assert play.clock < 2_000
            offers = [rng.random() < 0.6 for _ in range(3)]
            await play.step(
                ready=rng.getrandbits(TENANTS) | rng.getrandbits(TENANTS), offers=offers
            )
        for k, queue in enumerate(queues):
            of_port = [(tenant, n) for _, tenant, n in play.taken if n // 1000 == k]
            assert of_port == queue
        for _ in range(4):
            await play.step()
        assert len(play.taken) == 180

    run(3, queues, script)
