# amaranth: UnusedElaboratable=no
"""The age guard against a list of visits."""

import dataclasses
import random
from collections import Counter

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.channel.age import AgeGuard
from mcos_hw.channel.compact.age import CompactAgeGuard
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import boundary, simulate
from tests.hw.channel.contracts import Contracted

CONFIG = ChannelConfig(tenants=4, clocks_width=12)
NAMES = {
    "serviceable": "classes.serviceable",
    "contracts": "live.tenants",
    "interval": "live.channel.promotion_interval",
    "granted": "grant.tenants",
    "promoted": "grant.promoted",
}
ROUND = CONFIG.tenants
MOST_ROUNDS = (1 << CONFIG.clocks_width) // ROUND - 1
OLDEST = MOST_ROUNDS * ROUND
VISIT = 3
"""Clocks from the beginning of a visit until what it found is seen."""


@dataclasses.dataclass
class Visit:
    """One tenant's turn: rounds that its head is old, whether that may be granted and is over."""

    tenant: int
    rounds: int
    ready: bool
    over_age: bool
    granted: bool = False


class Model:
    """Ages and promotions, one call of :meth:`clock` a clock."""

    def __init__(self):
        self.rounds = [0] * ROUND
        # Visits that have not ended, and those of the round that found somebody over age.
        self.visits = []
        self.over_age = []
        self.promote = None
        self.clocks = 0
        self.rested = 255
        self.due = False
        self.seen = Counter()

    @property
    def ages(self):
        return [rounds * ROUND for rounds in self.rounds]

    def clock(self, *, serviceable, limits, interval, granted, promoted):
        """Goes on by a clock and returns who may be to be promoted after it."""
        tenant = self.clocks % ROUND
        self.clocks += 1
        rounds, limit = self.rounds[tenant], limits[tenant]
        over_age = serviceable[tenant] and limit > 0 and rounds >= limit // ROUND
        self.visits.append(Visit(tenant, rounds, serviceable[tenant], over_age))
        for visit in (*self.visits, *self.over_age):
            visit.granted |= visit.tenant == granted
        allowed = {None if self.promote == granted else self.promote}
        if granted is not None:
            self.rounds[granted] = 0
        if len(self.visits) == VISIT:
            visit = self.visits.pop(0)
            if not visit.granted:
                self.rounds[visit.tenant] = min(visit.rounds + visit.ready, MOST_ROUNDS)
                if self.promote == visit.tenant and not visit.ready:
                    allowed = {None}
                    self.seen["waits"] += 1
            if visit.over_age:
                self.over_age.append(visit)
            if visit.tenant == ROUND - 1:
                if self.promote is None and self.over_age:
                    self.seen["due", self.due] += 1
                    allowed = self.choice() if self.due and not promoted else {None}
                self.over_age = []
        self.due = self.rested >= interval and not promoted
        if granted is not None:
            self.rested = 1 if promoted else min(self.rested + 1, 255)
        return allowed

    def choice(self):
        """The oldest over-age head of the round; any or none of them where some were granted."""
        waiting = [visit for visit in self.over_age if not visit.granted]
        if len(waiting) < len(self.over_age):
            self.seen["granted"] += 1
            return {None, *(visit.tenant for visit in waiting)}
        oldest = max(waiting, key=lambda visit: (visit.rounds, -visit.tenant))
        rounds = [visit.rounds for visit in waiting]
        self.seen["tie"] += rounds.count(oldest.rounds) > 1
        self.seen["choice"] += min(rounds) < oldest.rounds
        return {oldest.tenant}


def limited(limits):
    """Contracts of enabled tenants with these age limits."""
    return [{"enable": 1, "age_limit": limit} for limit in limits]


def test_signature():
    assert boundary(AgeGuard(CONFIG)) == {
        "in": {"live", "classes", "grant"},
        "out": {"promote", "ages"},
    }


@pytest.mark.parametrize(("interval", "seed"), [(1, 1), (2, 2), (5, 3), (5, 4), (255, 5)])
def test_random_heads(interval, seed):
    rng = random.Random(seed)
    model = Model()
    between = []

    async def testbench(bench):
        bench.set(interval=interval)
        chosen, promoted = None, False
        allowed = {None}
        # The grants since the last promotion, that one included.
        since = None
        for clock in range(4000):
            if clock % 250 == 0:
                limits = [rng.choice((0, 1, 5, 30, 31)) for _ in range(ROUND)]
                bench.set(contracts=limited(limits))
                present = rng.choice((0.3, 0.9, 1.0))
                eagerness = rng.choice((0.1, 0.4, 1.0))
            assert bench.get("ages") == model.ages, clock
            promote = bench.get("promote").bit_length() - 1 if bench.get("promote") else None
            assert bench.get("promote") == (0 if promote is None else 1 << promote)
            assert promote in allowed, clock
            model.promote = promote

            granted, was_promoted = chosen, promoted
            serviceable = [rng.random() < present for _ in range(ROUND)]
            # The grant of the next clock: a promoted head goes first, else any one may.
            heads = [i for i, bit in enumerate(serviceable) if bit and i != granted]
            promoted = promote in heads
            chosen = promote if promoted else rng.choice(heads) if heads else None
            if rng.random() >= eagerness:
                chosen, promoted = None, False

            if granted is not None:
                if was_promoted:
                    between.append(since)
                    since = 0
                since = None if since is None else since + 1
            inputs = {"limits": limits, "interval": interval, "promoted": was_promoted}
            allowed = model.clock(serviceable=serviceable, granted=granted, **inputs)
            bench.set(
                serviceable=sum(bit << i for i, bit in enumerate(serviceable)),
                granted=0 if granted is None else 1 << granted,
                promoted=was_promoted,
            )
            await bench.tick()

    simulate(AgeGuard(CONFIG), testbench, NAMES)
    assert len(between) > 3
    assert min(between[1:]) >= interval
    assert all(model.seen[event] for event in (("due", True), "granted", "choice")), model.seen
    assert interval == 1 or model.seen["due", False]
    assert interval == 255 or (model.seen["tie"] and model.seen["waits"]), model.seen


@pytest.mark.parametrize("limit", [1, 4, 7, 8, 100, OLDEST])
def test_a_head_is_over_age_from_its_limit_on(limit):
    """The promotion comes with the round in which its visit finds it as old as its limit."""

    async def testbench(bench):
        bench.set(serviceable=0b0100, contracts=limited([1, 1, limit, 1]), interval=1)
        promoted = limit // ROUND * ROUND + ROUND - 1 + VISIT
        for clock in range(promoted):
            assert not bench.get("promote"), clock
            await bench.tick()
        assert bench.get("promote") == 0b0100

    simulate(AgeGuard(CONFIG), testbench, NAMES)


def test_an_age_saturates_and_a_limit_of_0_is_off():
    async def testbench(bench):
        bench.set(serviceable=0b0010, interval=1, contracts=limited([0] * ROUND))
        for _ in range(OLDEST + 3 * ROUND):
            assert not bench.get("promote")
            await bench.tick()
        assert bench.get("ages") == [0, OLDEST, 0, 0]

    simulate(AgeGuard(CONFIG), testbench, NAMES)


def test_a_head_of_a_disabled_tenant_is_over_age_at_the_drain_age():
    async def testbench(bench):
        bench.set(serviceable=0b0001, interval=1, contracts=[{"age_limit": 4}] * ROUND)
        await bench.tick(1024 + ROUND - 1 + VISIT - 1)
        assert not bench.get("promote")
        await bench.tick()
        assert bench.get("promote") == 0b0001

    simulate(AgeGuard(CONFIG), testbench, NAMES)


def test_the_oldest_goes_first_and_ties_to_the_lowest():
    async def testbench(bench):
        # Tenant 2 is one round older than the others, which are equally old.
        bench.set(serviceable=0b0100, interval=1)
        await bench.tick(ROUND)
        bench.set(serviceable=0b1111, contracts=limited([9, 9, 9, 9]))
        order = []
        while len(order) < ROUND:
            promote = bench.get("promote")
            bench.set(granted=promote, promoted=promote != 0)
            if promote:
                order.append(promote.bit_length() - 1)
                bench.set(contracts=limited([0 if i in order else 9 for i in range(ROUND)]))
            await bench.tick()
        assert order == [2, 0, 1, 3]

    simulate(AgeGuard(CONFIG), testbench, NAMES)


def test_an_age_counts_only_while_its_head_is_serviceable():
    """In every other round; the limit is three rounds."""

    async def testbench(bench):
        bench.set(contracts=limited([3 * ROUND] * ROUND), interval=1)
        for serviceable in (1, 0, 1, 0, 1, 0):
            bench.set(serviceable=serviceable)
            await bench.tick(ROUND)
            assert not bench.get("promote")
        bench.set(serviceable=1)
        await bench.tick(2 * ROUND)
        assert bench.get("ages")[0] == 5 * ROUND
        assert bench.get("promote") == 1

    simulate(AgeGuard(CONFIG), testbench, NAMES)


def test_a_grant_ends_an_age_at_any_time_of_a_visit():
    async def testbench(bench):
        for moment in range(ROUND):
            bench.set(serviceable=0b1000)
            await bench.tick(3 * ROUND + moment)
            assert bench.get("ages")[3] > 0
            bench.set(granted=0b1000)
            await bench.tick()
            bench.set(granted=0, serviceable=0)
            assert bench.get("ages")[3] == 0
            await bench.tick(2 * ROUND - 1 - moment)
            assert bench.get("ages")[3] == 0

    simulate(AgeGuard(CONFIG), testbench, NAMES)


@pytest.mark.parametrize("interval", [1, 2, 3, 16, 255])
def test_one_promotion_in_an_interval_of_grants(interval):
    """Two heads stay over age; every other grant goes to somebody else."""

    async def testbench(bench):
        bench.set(serviceable=0b1111, contracts=limited([1, 1, 0, 0]), interval=interval)
        await bench.tick(3 * ROUND)
        promotions = []
        for _ in range(2 * interval + 1):
            promote = bench.get("promote")
            promotions.append(promote != 0)
            bench.set(granted=promote or 0b1000, promoted=promote != 0)
            await bench.tick()
            # Clocks without a grant bring the next promotion no nearer.
            bench.set(granted=0, promoted=0)
            await bench.tick(3 * ROUND)
        assert [grant for grant, promoted in enumerate(promotions) if promoted] == [
            0,
            interval,
            2 * interval,
        ]

    simulate(AgeGuard(CONFIG), testbench, NAMES)


def test_an_offered_promotion_stands_until_a_grant():
    async def testbench(bench):
        bench.set(serviceable=0b1000, contracts=limited([1, 1, 1, 1]), interval=4)
        await bench.tick(ROUND - 1 + VISIT)
        for _ in range(3 * ROUND):
            assert bench.get("promote") == 0b1000
            await bench.tick()
        bench.set(granted=0b1000, promoted=1)
        await bench.tick()
        bench.set(granted=0, promoted=0)
        assert bench.get("promote") == 0
        await bench.tick(5 * ROUND)
        assert bench.get("promote") == 0
        await bench.reset()
        assert bench.get("ages") == [0, 0, 0, 0]
        await bench.tick(ROUND - 1 + VISIT)
        assert bench.get("promote") == 0b1000

    simulate(AgeGuard(CONFIG), testbench, NAMES)


def test_a_promotion_that_waits_for_tokens_makes_room_for_another():
    async def testbench(bench):
        bench.set(serviceable=0b0001, contracts=limited([1, 1, 1, 1]), interval=1)
        await bench.tick(ROUND - 1 + VISIT)
        assert bench.get("promote") == 0b0001
        bench.set(serviceable=0b0010)
        await bench.tick(3 * ROUND)
        assert bench.get("promote") == 0b0010

    simulate(AgeGuard(CONFIG), testbench, NAMES)


class Both(wiring.Component):
    """The two guards under the same inputs."""

    def __init__(self, config):
        compact = dataclasses.replace(config, lateness=0, grant_interval=8)
        self.guards = AgeGuard(config), Contracted(CompactAgeGuard(compact))
        members = self.guards[0].signature.members.items()
        given = {name: each for name, each in members if each.flow is In}
        told = {name: each for name, each in members if each.flow is Out}
        super().__init__(given | told | {f"{name}_compact": each for name, each in told.items()})

    def elaborate(self, platform):
        m = Module()
        m.submodules.guard, m.submodules.compact = self.guards
        for guard, suffix in zip(self.guards, ("", "_compact"), strict=True):
            for name in ("live", "classes", "grant"):
                connect(m, flipped(getattr(self, name)), getattr(guard, name))
            for name in ("promote", "ages"):
                m.d.comb += getattr(self, name + suffix).eq(getattr(guard, name))
        return m


@pytest.mark.parametrize("tenants", [4, 16])
def test_the_guard_of_a_compact_channel_does_the_same_in_every_clock(tenants):
    config = ChannelConfig(tenants=tenants, clocks_width=12)
    rng = random.Random(tenants)
    seen = Counter()

    async def testbench(bench):
        for clock in range(3000):
            if clock % 200 == 0:
                limits = [rng.choice((0, 1, 5, 30, 100)) for _ in range(tenants)]
                contracts = limited(limits)
                contracts[rng.randrange(tenants)]["enable"] = rng.getrandbits(1)
                interval = rng.choice((1, 2, 5))
                bench.set(contracts=contracts, interval=interval)
                present, eagerness = rng.choice((0.3, 0.9, 1.0)), rng.choice((0.02, 0.2, 0.9))
            promote = bench.get("promote")
            granted = 0
            if rng.random() < eagerness:
                granted = promote if rng.getrandbits(1) else 1 << rng.randrange(tenants)
            bench.set(
                serviceable=sum((rng.random() < present) << i for i in range(tenants)),
                granted=granted,
                promoted=int(granted != 0 and granted == promote),
            )
            assert bench.get("promote_compact") == promote, clock
            assert bench.get("ages_compact") == bench.get("ages"), clock
            seen[promote != 0] += 1
            seen["promoted"] += granted != 0 and granted == promote
            if rng.random() < 0.001:
                await bench.reset()
            else:
                await bench.tick()

    simulate(Both(config), testbench, NAMES)
    assert min(seen[True], seen[False]) > 100
    assert seen["promoted"] > 20
