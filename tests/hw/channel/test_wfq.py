# amaranth: UnusedElaboratable=no
"""WF2Q+ against a model with tags that never wrap, and against its own bounds."""

import dataclasses
import random
from collections import Counter
from fractions import Fraction

import pytest

from mcos_hw.channel.probe import NO_CLASS
from mcos_hw.channel.wfq import WfqArbiter
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, GrantClass
from tests.hw.channel.bench import simulate

SMALL = ChannelConfig(tenants=4)
L_MAX = SMALL.l_max
TAG = 1 << SMALL.tag_fraction
IDLE = {"serviceable": 0, "class_code": NO_CLASS, "beats": 0, "offered": 0}


def head(beats, class_code=GrantClass.CONFORMING):
    serviceable = class_code != NO_CLASS
    return {"serviceable": serviceable, "class_code": class_code, "beats": beats, "offered": 0}


def image(config, weights, *, total=None, overcommitted=0, priorities=None):
    """Live configuration of the given weights; ``total`` is W, their sum unless given."""
    tenants = [
        {"inverse_weight": round(2**config.reciprocal_fraction / weight)} for weight in weights
    ]
    for tenant, priority in zip(tenants, priorities or (), strict=False):
        tenant["priority"] = priority
    inverse_total = round(2**config.total_reciprocal_fraction / (total or sum(weights)))
    channel = {"inverse_total_weight": inverse_total, "overcommitted": overcommitted}
    return {"channel": channel, "tenants": tenants}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the arbiter sees in one clock."""

    live: dict
    heads: list
    open: bool = True
    promote: bool = False
    promote_tenant: int = 0
    arrival: bool = False
    arrival_tenant: int = 0
    arrival_beats: int = 0
    arrival_recent: bool = False

    def apply(self, bench):
        bench.set(**{field.name: getattr(self, field.name) for field in dataclasses.fields(self)})


class Model:
    """ARCHITECTURE section 4, "WF2Q+", word by word; S and V in tag units, never wrapping."""

    def __init__(self, config):
        self.config = config
        self.V = 0
        self.S = [0] * config.tenants
        self.seen = Counter()

    def cost(self, beats, inverse, fraction):
        """s / w or s / W, rounded down to a tag unit."""
        return beats * self.config.beat_bytes * inverse * 2**self.config.tag_fraction >> fraction

    def finish(self, inputs, tenant):
        inverse = inputs.live["tenants"][tenant]["inverse_weight"]
        beats = inputs.heads[tenant]["beats"]
        return self.S[tenant] + self.cost(beats, inverse, self.config.reciprocal_fraction)

    def choose(self, inputs):
        """The granted tenant or None, and V as the choice sees it."""
        S, seen = self.S, self.seen
        heads = inputs.heads
        K = []
        for grant_class in GrantClass:
            K = K or [
                i
                for i, head in enumerate(heads)
                if head["serviceable"] and head["class_code"] == grant_class
            ]
        reached = max(self.V, min((S[i] for i in K), default=self.V))
        if not inputs.open:
            return None, reached
        if inputs.promote:
            return inputs.promote_tenant, self.V
        if not K:
            return None, reached
        overcommitted = inputs.live["channel"]["overcommitted"]

        def rank(i):
            priority = inputs.live["tenants"][i].get("priority", 0) if overcommitted else 0
            return priority, self.finish(inputs, i), i

        candidates = sorted((i for i in K if S[i] <= reached), key=rank)
        chosen = candidates[0]
        seen["jump"] += reached > self.V
        seen["ineligible"] += len(candidates) < len(K)
        seen["class", heads[chosen]["class_code"]] += 1
        if len(candidates) > 1:
            seen["tie"] += rank(chosen)[:2] == rank(candidates[1])[:2]
            earliest = min(self.finish(inputs, i) for i in candidates)
            seen["priority"] += self.finish(inputs, chosen) > earliest
        best = min(self.finish(inputs, i) for i, head in enumerate(heads) if head["serviceable"])
        seen["class before tag"] += not overcommitted and self.finish(inputs, chosen) > best
        return chosen, reached

    def clock(self, inputs):
        """Goes on by a clock and returns the granted tenant or None."""
        lag = self.config.tag_lag << self.config.tag_fraction
        lead = self.config.tag_lead << self.config.tag_fraction
        granted, V = self.choose(inputs)
        F = [self.finish(inputs, i) for i in range(self.config.tenants)]
        if granted is None:
            V = self.V
        else:
            inverse = inputs.live["channel"]["inverse_total_weight"]
            beats = inputs.heads[granted]["beats"]
            V += self.cost(beats, inverse, self.config.total_reciprocal_fraction)
            self.S[granted] = F[granted]
        if inputs.arrival:
            tenant = inputs.arrival_tenant
            credit = 0
            if inputs.arrival_recent:
                inverse = inputs.live["tenants"][tenant]["inverse_weight"]
                beats = inputs.arrival_beats
                credit = self.cost(beats, inverse, self.config.reciprocal_fraction)
                self.seen["depth-1"] += self.S[tenant] < V
            self.S[tenant] = max(self.S[tenant], V - credit)
        held = [min(max(S, V - lag), V + lead) for S in self.S]
        self.seen["floor"] += any(new > old for new, old in zip(held, self.S, strict=True))
        self.seen["ceiling"] += any(new < old for new, old in zip(held, self.S, strict=True))
        self.V, self.S = V, held
        return granted


class Traffic:
    """Random queues in front of the arbiter, in spells of quiet and crowds."""

    def __init__(self, config, rng):
        self.config = config
        self.rng = rng
        self.queues = [[] for _ in range(config.tenants)]
        self.classes = [NO_CLASS] * config.tenants
        self.spell()

    def spell(self):
        """New contracts, and new habits of every tenant and of the port."""
        rng, tenants = self.rng, self.config.tenants
        weights = [rng.choice((1, 1, 255, rng.randint(1, 255))) for _ in range(tenants)]
        self.live = image(
            self.config,
            weights,
            # W need not be the sum of the weights; a small one makes the tags wrap often.
            total=rng.choice((None, None, 1, 4)),
            overcommitted=rng.random() < 0.3,
            priorities=[rng.choice((0, 1, 15)) for _ in range(tenants)],
        )
        self.activity = [rng.choice((0, 0.02, 0.5, 5)) for _ in range(tenants)]
        self.sizes = [rng.choice(((1, 1), (16, 16), (1, 16))) for _ in range(tenants)]
        self.openness = rng.choice((0.3, 0.9, 1.0))
        self.promotions = rng.choice((0, 0, 0.1, 0.9))
        self.one_class = rng.random() < 0.5

    def inputs(self):
        rng, tenants = self.rng, range(self.config.tenants)
        for i in tenants:
            if self.one_class:
                self.classes[i] = GrantClass.CONFORMING
            elif rng.random() < 0.2:
                self.classes[i] = rng.choice((*GrantClass, NO_CLASS))
        heads = [
            head(queue[0], self.classes[i]) if queue else IDLE
            for i, queue in enumerate(self.queues)
        ]
        ready = [i for i in tenants if heads[i]["serviceable"]]
        arrival_tenant = rng.choices(tenants, [weight + 1e-6 for weight in self.activity])[0]
        arrival_beats = rng.randint(*self.sizes[arrival_tenant])
        self.pushed = (arrival_tenant, arrival_beats)
        if len(self.queues[arrival_tenant]) >= 4 or rng.random() > sum(self.activity):
            self.pushed = None
        return Inputs(
            live=self.live,
            heads=heads,
            open=rng.random() < self.openness,
            promote=bool(ready) and rng.random() < self.promotions,
            promote_tenant=rng.choice(ready) if ready else 0,
            arrival=self.pushed is not None and not self.queues[arrival_tenant],
            arrival_tenant=arrival_tenant,
            arrival_beats=arrival_beats,
            arrival_recent=rng.random() < 0.5,
        )

    def clock(self, granted):
        if granted is not None:
            self.queues[granted].pop(0)
        if self.pushed:
            tenant, beats = self.pushed
            self.queues[tenant].append(beats)


def test_kind():
    assert WfqArbiter.kind is ArbiterKind.MCOS
    assert WfqArbiter.enforces_contracts


@pytest.mark.parametrize(
    ("config", "clocks", "seed"),
    [
        *((SMALL, 6000, seed) for seed in (1, 2, 3)),
        (ChannelConfig(tenants=8, tag_fraction=12, beat_bytes=64), 1500, 4),
        (ChannelConfig(), 1000, 5),
    ],
)
def test_grants_and_tags_agree_with_the_model(config, clocks, seed):
    rng = random.Random(seed)
    model = Model(config)
    traffic = Traffic(config, rng)
    modulus = 1 << config.tag_width

    async def testbench(bench):
        for clock in range(clocks):
            if clock % 100 == 0:
                traffic.spell()
            inputs = traffic.inputs()
            inputs.apply(bench)
            assert bench.get("virtual_time") == model.V % modulus, clock
            assert bench.get("start") == [S % modulus for S in model.S], clock
            finish = [model.finish(inputs, i) % modulus for i in range(config.tenants)]
            assert bench.get("finish") == finish, clock
            granted = model.clock(inputs)
            assert bench.get("grant") == (granted is not None), clock
            if granted is not None:
                assert bench.get("grant_tenant") == granted, clock
            traffic.clock(granted)
            await bench.tick()

    simulate(WfqArbiter(config), testbench)
    # The tags went round, and every rule had its say.
    assert model.V // modulus > 2
    for event in (
        *(("class", grant_class) for grant_class in GrantClass),
        "jump",
        "ineligible",
        "tie",
        "priority",
        "class before tag",
        "depth-1",
        "floor",
        "ceiling",
    ):
        assert model.seen[event], (event, model.seen)


async def prepare(bench, starts, weights):
    """Brings the start tags to ``starts`` by promotions, in bytes at the tenants' weights."""
    for tenant, beats in enumerate(starts):
        if beats:
            heads = [IDLE] * SMALL.tenants
            heads[tenant] = head(beats)
            live = image(SMALL, weights, total=2**20)
            Inputs(live=live, heads=heads, promote=True, promote_tenant=tenant).apply(bench)
            await bench.tick()
    Inputs(live=image(SMALL, weights, total=2**20), heads=[IDLE] * SMALL.tenants).apply(bench)


@pytest.mark.parametrize(
    ("classes", "granted"),
    [
        ((GrantClass.CONFORMING, GrantClass.CONFORMING), 1),
        ((GrantClass.CONFORMING, GrantClass.BURST), 0),
        ((GrantClass.BURST, GrantClass.SCAVENGED), 0),
        ((GrantClass.SCAVENGED, GrantClass.CONFORMING), 1),
        ((NO_CLASS, GrantClass.SCAVENGED), 1),
    ],
)
def test_a_better_class_goes_before_a_better_tag(classes, granted):
    """Tenant 0 has S > V, tenant 1 has S <= V."""

    async def testbench(bench):
        await prepare(bench, [16, 0], [1] * 4)
        heads = [head(4, code) for code in classes] + [IDLE] * 2
        Inputs(live=image(SMALL, [1] * 4), heads=heads).apply(bench)
        assert bench.get("grant")
        assert bench.get("grant_tenant") == granted

    simulate(WfqArbiter(SMALL), testbench)


@pytest.mark.parametrize(("overcommitted", "granted"), [(0, 1), (1, 0)])
def test_priority_goes_before_tags_only_while_overcommitted(overcommitted, granted):
    async def testbench(bench):
        heads = [head(16), head(1), IDLE, IDLE]
        live = image(SMALL, [1] * 4, overcommitted=overcommitted, priorities=(2, 3, 0, 0))
        Inputs(live=live, heads=heads).apply(bench)
        assert bench.get("grant_tenant") == granted

    simulate(WfqArbiter(SMALL), testbench)


def test_ties_go_to_the_lowest_tag():
    async def testbench(bench):
        Inputs(live=image(SMALL, [3] * 4), heads=[IDLE] + [head(5)] * 3).apply(bench)
        assert bench.get("grant_tenant") == 1

    simulate(WfqArbiter(SMALL), testbench)


@pytest.mark.parametrize("promote", [False, True])
def test_virtual_time_jumps_to_the_least_start_but_not_for_a_promotion(promote):
    async def testbench(bench):
        await prepare(bench, [3, 2], [1] * 4)
        before = bench.get("virtual_time")
        live = image(SMALL, [1] * 4)
        inputs = Inputs(live=live, heads=[head(8), head(8), IDLE, IDLE], promote=promote)
        inputs.apply(bench)
        assert bench.get("grant_tenant") == (0 if promote else 1)
        assert bench.get("candidates") == 0b0010
        await bench.tick()
        step = 8 * SMALL.beat_bytes * TAG // 4
        jump = 2 * SMALL.beat_bytes * TAG
        assert bench.get("virtual_time") == (before if promote else jump) + step

    simulate(WfqArbiter(SMALL), testbench)


def test_nothing_is_granted_while_the_port_is_closed():
    async def testbench(bench):
        live = image(SMALL, [1] * 4)
        inputs = Inputs(live=live, heads=[head(1)] * 4, open=False, promote=True)
        inputs.apply(bench)
        assert not bench.get("grant")
        await bench.tick(3)
        assert bench.get("virtual_time") == 0
        assert bench.get("start") == [0] * 4

    simulate(WfqArbiter(SMALL), testbench)


@pytest.mark.parametrize(("recent", "credit"), [(False, 0), (True, 6 * SMALL.beat_bytes // 2)])
def test_a_request_that_follows_its_tenants_response_starts_one_request_earlier(recent, credit):
    """S = max(F, V - s / w) with w = 2 and F long past, V after the grant of that clock."""

    async def testbench(bench):
        live = image(SMALL, [1, 2, 1, 1], total=1)
        busy = [head(16), IDLE, IDLE, IDLE]
        for _ in range(3):
            Inputs(live=live, heads=busy).apply(bench)
            await bench.tick()
        Inputs(
            live=live,
            heads=busy,
            arrival=True,
            arrival_tenant=1,
            arrival_beats=6,
            arrival_recent=recent,
        ).apply(bench)
        await bench.tick()
        assert bench.get("virtual_time") == 4 * L_MAX * TAG
        assert bench.get("start")[1] == (4 * L_MAX - credit) * TAG

    simulate(WfqArbiter(SMALL), testbench)


def test_a_start_tag_lags_by_at_most_the_tag_lag():
    async def testbench(bench):
        live = image(SMALL, [1] * 4, total=1)
        for grants in range(1, 60):
            Inputs(live=live, heads=[IDLE, head(16), IDLE, IDLE]).apply(bench)
            await bench.tick()
            floor = max(grants * L_MAX - SMALL.tag_lag, 0) * TAG % (1 << SMALL.tag_width)
            assert [bench.get("start")[i] for i in (0, 2, 3)] == [floor] * 3

    simulate(WfqArbiter(SMALL), testbench)


def test_promotions_run_a_start_tag_ahead_by_at_most_the_tag_lead():
    async def testbench(bench):
        live = image(SMALL, [1] * 4, total=64)
        step = L_MAX * TAG // 64
        for grants in range(1, 40):
            heads = [head(16), IDLE, IDLE, IDLE]
            Inputs(live=live, heads=heads, promote=True).apply(bench)
            await bench.tick()
            assert bench.get("virtual_time") == grants * step
            ahead = min(grants * L_MAX * TAG, grants * step + SMALL.tag_lead * TAG)
            assert bench.get("start")[0] == ahead

    simulate(WfqArbiter(SMALL), testbench)


async def serve(bench, live, next_beats, grants):
    """Grants with every queue backlogged; yields (tenant, bytes) of each.

    ``next_beats(tenant)`` is the size of the tenant's next request, 0 while it has none.
    """
    queue = [next_beats(i) for i in range(SMALL.tenants)]
    served = []
    for _ in range(grants):
        heads = [head(beats) if beats else IDLE for beats in queue]
        Inputs(live=live, heads=heads).apply(bench)
        assert bench.get("grant")
        tenant = bench.get("grant_tenant")
        served.append((tenant, queue[tenant] * SMALL.beat_bytes))
        queue[tenant] = next_beats(tenant)
        await bench.tick()
    return served


@pytest.mark.parametrize(
    ("weights", "sizes"),
    [
        ((7, 5, 3, 1), ((1, 1), (16, 16), (1, 16), (3, 9))),
        ((255, 1, 30, 1), ((16, 16), (16, 16), (1, 1), (1, 16))),
    ],
)
def test_backlogged_tenants_get_their_shares(weights, sizes):
    """Longest requests against shortest ones; errors are shares of the channel."""
    rng = random.Random(1)
    served = Counter()

    async def testbench(bench):
        live = image(SMALL, weights)
        for tenant, size in await serve(bench, live, lambda i: rng.randint(*sizes[i]), 5000):
            served[tenant] += size

    simulate(WfqArbiter(SMALL), testbench)
    total = sum(served.values())
    errors = [
        abs(Fraction(served[i], total) - Fraction(weight, sum(weights)))
        for i, weight in enumerate(weights)
    ]
    assert max(errors) < Fraction(1, 1000), [float(error) for error in errors]


@pytest.mark.parametrize("observed", range(4))
@pytest.mark.parametrize("longest", [1, 16])
def test_a_tenant_lags_its_share_by_at_most_the_worst_case_fair_index(observed, longest):
    """Over any span that ends at a departure of tenant i, W_i >= W r_i / r - alpha_i, with

    alpha_i = l_i,max + (l_max - l_i,max) r_i / r (ARCHITECTURE section 4, one class, L = 0). The
    weights are powers of two, so that no tag is rounded. The other tenants come and go.
    """
    rng = random.Random(observed)
    weights = (8, 4, 2, 2)
    share = Fraction(weights[observed], sum(weights))
    longest_bytes = longest * SMALL.beat_bytes
    index = longest_bytes + (L_MAX - longest_bytes) * share
    queues = [0] * SMALL.tenants
    lag = least = worst = Fraction(0)

    async def testbench(bench):
        nonlocal lag, least, worst
        live = image(SMALL, weights)
        for clock in range(2500):
            arrival = rng.randrange(SMALL.tenants)
            arrives = not queues[arrival] and arrival != observed and clock // 200 % 4 != arrival
            if not queues[observed]:
                queues[observed] = longest
            heads = [head(beats) if beats else IDLE for beats in queues]
            beats = rng.choice((1, 16, 16))
            Inputs(
                live=live,
                heads=heads,
                arrival=arrives,
                arrival_tenant=arrival,
                arrival_beats=beats,
            ).apply(bench)
            tenant = bench.get("grant_tenant")
            size = queues[tenant] * SMALL.beat_bytes
            lag += size * share - size * (tenant == observed)
            if tenant == observed:
                worst = max(worst, lag - least)
            least = min(least, lag)
            refilled = rng.random() < 0.8 and clock // 200 % 4 != tenant
            queues[tenant] = rng.choice((1, 16, 16)) if refilled and tenant != observed else 0
            if arrives:
                queues[arrival] = beats
            await bench.tick()

    simulate(WfqArbiter(SMALL), testbench)
    assert 0 < worst <= index, (float(worst), float(index))
