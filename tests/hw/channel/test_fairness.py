# amaranth: UnusedElaboratable=no
"""WF2Q+ with its queues against its own bounds, docs/fairness.md, one class."""

import random
from collections import Counter, deque
from fractions import Fraction

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import request_layout
from mcos_hw.registers import GrantClass
from tests.hw.channel.arbiter.wf2q.queued_arbiter import QueuedArbiter, image
from tests.hw.channel.bench import simulate
from tests.hw.channel.every_lateness import EVERY_LATENESS

WEIGHTS = (8, 4, 2, 2)
"""Powers of two, so that no tag is rounded."""


def configuration(lateness):
    return ChannelConfig(tenants=4, queue_depth=8, lateness=lateness)


CONFIG = configuration(0)
NOTHING = dict.fromkeys(request_layout(CONFIG).members, 0)


class Port:
    """Offers one request a clock and tells what is granted; all heads are conforming."""

    def __init__(self, bench, config):
        self.bench = bench
        # Sizes in beats: on their way, and of those that stand in their queue.
        self.way = deque([None] * (2 if config.lateness else 0))
        self.waiting = [deque() for _ in range(config.tenants)]
        self.counts = [0] * config.tenants
        self.depth = config.queue_depth

    def start(self, weights):
        codes = [GrantClass.CONFORMING] * len(self.waiting)
        self.bench.set(live=image(CONFIG, weights), classes={"codes": codes})

    def room(self, tenant):
        return self.counts[tenant] < self.depth

    async def clock(self, request, *, opened):
        """Takes ``request``, (tenant, beats) or None; returns the grant, (tenant, bytes) or None.

        A grant of the next clock may be made if ``opened``.
        """
        tenants = self.bench.get("grant.tenants")
        grant = None
        if tenants:
            granted = tenants.bit_length() - 1
            grant = granted, self.waiting[granted].popleft() * CONFIG.beat_bytes
            self.counts[granted] -= 1
        tenant, beats = request or (0, 0)
        payload = NOTHING | {"tenant": tenant, "beats": beats}
        self.bench.set(request={"payload": payload, "valid": request is not None}, open_then=opened)
        self.way.append(request)
        entered = self.way.popleft()
        if entered:
            self.waiting[entered[0]].append(entered[1])
        if request:
            self.counts[tenant] += 1
        await self.bench.tick()
        return grant


def fair_index(config, share, longest_bytes):
    """alpha_i = l_i,max + (l_max - l_i,max) r_i / r + L l_max r_i / r + n l_i,max (1 - r_i / r)."""
    late = config.lateness * config.l_max * share
    missed = config.intake_clocks * longest_bytes * (1 - share)
    return longest_bytes + (config.l_max - longest_bytes) * share + late + missed


class Lag:
    """How far a tenant is behind its share, over any span that ends at one of its departures."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.share = Fraction(WEIGHTS[tenant], sum(WEIGHTS))
        self.lag = self.least = self.worst = Fraction(0)

    def grant(self, tenant, size):
        self.lag += size * self.share - size * (tenant == self.tenant)
        if tenant == self.tenant:
            self.worst = max(self.worst, self.lag - self.least)
        self.least = min(self.least, self.lag)


MIXED = ((7, 5, 3, 1), ((1, 1), (16, 16), (1, 16), (3, 9)))
STEEP = ((255, 1, 30, 1), ((16, 16), (16, 16), (1, 1), (1, 16)))


@pytest.mark.parametrize(("lateness", "weights", "sizes"), [(0, *MIXED), (1, *STEEP), (2, *MIXED)])
def test_backlogged_tenants_get_their_shares(lateness, weights, sizes):
    """Longest requests against shortest ones; errors are shares of the channel."""
    config = configuration(lateness)
    rng = random.Random(1)
    served = Counter()

    async def testbench(bench):
        port = Port(bench, config)
        port.start(weights)
        for clock in range(2500):
            # The queues are filled first, and stay filled.
            opened = clock > 40 and rng.random() < 0.7
            tenant = min(range(4), key=lambda i: port.counts[i])
            request = (tenant, rng.randint(*sizes[tenant])) if port.room(tenant) else None
            assert clock < 40 or all(port.waiting)
            grant = await port.clock(request, opened=opened)
            if grant:
                served[grant[0]] += grant[1]

    simulate(QueuedArbiter(config), testbench)
    total = sum(served.values())
    errors = [
        abs(Fraction(served[i], total) - Fraction(weight, sum(weights)))
        for i, weight in enumerate(weights)
    ]
    assert max(errors) < Fraction(1, 200), [float(error) for error in errors]


@EVERY_LATENESS
@pytest.mark.parametrize("observed", [0, 3])
@pytest.mark.parametrize("longest", [1, 16])
def test_a_tenant_lags_its_share_by_at_most_the_worst_case_fair_index(lateness, observed, longest):
    """Over any span that ends at a departure of tenant i, W_i >= W r_i / r - alpha_i.

    The other tenants come and go.
    """
    config = configuration(lateness)
    rng = random.Random(observed)
    lag = Lag(observed)
    index = fair_index(config, lag.share, longest * config.beat_bytes)
    others = [i for i in range(4) if i != observed]

    async def testbench(bench):
        port = Port(bench, config)
        port.start(WEIGHTS)
        for clock in range(900):
            if clock % 50 == 0:
                present = rng.sample(others, rng.randint(1, 3))
                eagerness = rng.choice((0.05, 0.3, 1.0))
                openness = rng.choice((0.5, 0.8))
                sizes = {i: rng.choice(((1,), (16,), (1, 16, 16))) for i in others}
            request = None
            # Tenant i stays backlogged.
            if port.counts[observed] < 6:
                request = (observed, longest)
            elif rng.random() < eagerness:
                other = rng.choice(present)
                request = (other, rng.choice(sizes[other])) if port.room(other) else None
            assert clock < 10 or port.waiting[observed]
            grant = await port.clock(request, opened=clock >= 10 and rng.random() < openness)
            if grant:
                lag.grant(*grant)

    simulate(QueuedArbiter(config), testbench)
    assert 0 < lag.worst <= index, (float(lag.worst), float(index))


@EVERY_LATENESS
def test_a_tenant_that_was_alone_lags_no_more_when_another_one_comes(lateness):
    """Alone, tenant 3 of a small weight moves virtual time by a whole l / w with every grant."""
    config = ChannelConfig(tenants=4, queue_depth=16, lateness=lateness)
    observed = 3
    lag = Lag(observed)

    async def testbench(bench):
        port = Port(bench, config)
        port.start(WEIGHTS)
        for clock in range(19):
            request = (observed, config.max_beats) if clock < config.queue_depth else None
            await port.clock(request, opened=False)
        clock = 0
        while port.waiting[observed]:
            comes = clock >= 4 and port.room(0)
            grant = await port.clock((0, config.max_beats) if comes else None, opened=True)
            if grant:
                lag.grant(*grant)
            clock += 1

    simulate(QueuedArbiter(config), testbench)
    index = fair_index(config, lag.share, config.l_max)
    assert 0 < lag.worst <= index, (float(lag.worst), float(index))


@pytest.mark.parametrize(("lateness", "burst", "beats"), [(0, 4, 3), (1, 1, 16), (2, 4, 3)])
def test_the_delay_of_a_burst_is_bounded(lateness, burst, beats):
    """Of a (sigma_i, r_i) tenant sigma_i / r_i + (1 + L) l_max / r, the others backlogged.

    Time is counted in bytes that the channel served, as if it were always busy: multiplied by r,
    sigma_i r / r_i + (1 + L) l_max. It counts from the clock in which a request is in its queue.
    """
    config = configuration(lateness)
    rng = random.Random(burst)
    observed = 2
    size = beats * config.beat_bytes
    sigma = burst * size
    share = Fraction(WEIGHTS[observed], sum(WEIGHTS))
    bound = sigma / share + (1 + lateness) * config.l_max
    delays = []

    async def testbench(bench):
        port = Port(bench, config)
        port.start(WEIGHTS)
        work = 0
        # Work at which each request stood in its queue, and at which the next burst may come.
        entries = deque()
        left, due = 0, 0
        for clock in range(1800):
            if left == 0 and work >= due and not port.counts[observed]:
                left = burst
            request = None
            if left and clock > 60:
                request = (observed, beats)
                left -= 1
            else:
                other = min((0, 1, 3), key=lambda i: port.counts[i])
                sizes = {0: (16,), 1: (1, 16), 3: (16,)}[other]
                request = (other, rng.choice(sizes)) if port.room(other) else None
            standing = len(port.waiting[observed])
            grant = await port.clock(request, opened=clock > 60 and rng.random() < 0.6)
            if grant:
                work += grant[1]
                if grant[0] == observed:
                    standing -= 1
                    delays.append(work - entries.popleft())
            if len(port.waiting[observed]) > standing:
                entries.append(work)
                due = work + sigma / share

    simulate(QueuedArbiter(config), testbench)
    assert len(delays) > 20
    assert sigma < max(delays) <= bound, (max(delays), float(bound))
