"""The age guard: ages count rounds, promotions go to the oldest, are spaced, and come in time.

How long a head waits that is over age and stays serviceable: at most ``2 * (tenants - 1)``
promotions of others are granted before its own, ``interval`` grants apart at least. Where one is
due, some head is promoted within ``2 * tenants + 1`` clocks, counted anew after each promotion and
at most ``tenants - 1`` times more. Together that is a number of grants, :func:`grant_bound`.
"""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.age import AgeGuard
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property, at_most_one, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
SMALL = ChannelConfig(tenants=4)
BLOCK = "mcos_hw.channel.age.AgeGuard"
AGE = "mcos_hw.channel.age"
DRAIN_AGE = 1024
"""A number of the proof's own: of the hardware's no proof would see that it is wrong."""


def ones(bits: Value) -> Value:
    """How many bits are set."""
    return sum((bits[i] for i in range(len(bits))), Const(0))


class AgeHarness(Harness):
    """The head of any one tenant, with any limit and interval; the others' limits may change.

    Grants come in any clock, one at most. A grant is promoted if its head was to be promoted in the
    clock before, in which it was chosen, and not granted then. ``since`` counts grants from the
    last promoted one on.
    """

    def begin(self, m: Module) -> AgeGuard:
        """Add the guard and what surrounds it; keep in step with its turn."""
        config = self.config
        guard = AgeGuard(config)
        self.prove(m, guard)
        turn = self.look("turn", config.tenants)
        self.oldest = self.look("oldest", config.tenants)
        self.tenant = self.any_constant(m, config.tenant_width, name="any_tenant")
        limit = self.any_constant(m, config.clocks_width, name="any_limit")

        def of(bits):
            return bits.bit_select(self.tenant, 1)

        self.serviceable, self.granted = of(guard.classes.serviceable), of(guard.grant.tenants)
        self.promoted_head = of(guard.promote)
        self.all_rounds = [guard.ages[i][config.tenant_width :] for i in range(config.tenants)]
        self.rounds = guard.ages[self.tenant][config.tenant_width :]
        self.over_age = (limit != 0) & (self.rounds >= limit[config.tenant_width :])

        # Visits of the present round that are over. A round begins where the last one is over.
        self.clock = Signal(config.tenant_width)
        self.written = Signal(config.tenant_width)
        m.d.comb += self.written.eq(self.clock - 2)
        self.was_granted = Signal(config.tenants)
        self.was_promote = Signal(config.tenants)
        m.d.sync += [
            self.clock.eq(self.clock + 1),
            self.was_granted.eq(guard.grant.tenants),
            self.was_promote.eq(guard.promote),
        ]
        m.d.comb += [
            Assume(self.limit_of(guard) == limit),
            Assume(at_most_one(guard.grant.tenants)),
            Assume(
                guard.grant.promoted
                == (guard.grant.tenants & self.was_promote & ~self.was_granted).any()
            ),
            self.invariant(
                turn == Const(1, config.tenants) << self.clock,
                at_most_one(self.oldest),
                (self.oldest >> self.written) == 0,
                at_most_one(guard.promote),
            ),
        ]

        # The tenant's visit: the guard looks in one clock and writes the age two clocks later.
        visits = Signal(2)
        ready = Signal(2)
        ungranted = ~self.granted.replicate(2)
        m.d.sync += [
            visits.eq(Cat(self.clock == self.tenant, visits[0]) & ungranted),
            ready.eq(Cat(self.serviceable, ready[0])),
        ]
        m.d.comb += self.invariant(
            implies(visits[0], (self.clock - self.tenant - 1)[: config.tenant_width] == 0),
            implies(visits[1], (self.clock - self.tenant - 2)[: config.tenant_width] == 0),
        )
        self.visited, self.found_ready = visits[1], ready[1]
        return guard

    def limit_of(self, guard: AgeGuard) -> Value:
        """The tenant's limit: of the image, or the one of disabled tenants."""
        contract = guard.live.tenants[self.tenant]
        return Mux(contract.enable, contract.age_limit, DRAIN_AGE)

    def count_grants(self, m: Module, guard: AgeGuard) -> Signal:
        """Grants from the last promoted one on, 511 for any larger number and at first."""
        self.interval = self.any_constant(m, 8, name="any_interval")
        rested = self.look("rested", 8)
        since = Signal(9, init=0x1FF)
        with m.If(guard.grant.promoted):
            m.d.sync += since.eq(1)
        with m.Elif(guard.grant.tenants.any() & ~since.all()):
            m.d.sync += since.eq(since + 1)
        m.d.comb += [
            Assume(guard.live.channel.promotion_interval == self.interval),
            self.invariant(since != 0, rested == Mux(since > 0xFF, 0xFF, since)),
        ]
        return since


class RoundHarness(AgeHarness):
    """Counts the rounds that find the head serviceable."""

    def elaborate(self, platform):
        m = Module()
        guard = self.begin(m)
        expected = Signal(self.rounds.shape())
        with m.If(self.granted):
            m.d.sync += expected.eq(0)
        with m.Elif(self.visited & self.found_ready & ~expected.all()):
            m.d.sync += expected.eq(expected + 1)
        m.d.comb += [
            Assert(guard.ages[self.tenant] == expected << self.config.tenant_width),
            Cover(self.granted & (expected == 2)),
        ]
        return m


class PromoteHarness(AgeHarness):
    """Remembers what the last visit found."""

    def elaborate(self, platform):
        m = Module()
        guard = self.begin(m)

        was_ready = Signal()
        with m.If(self.visited):
            m.d.sync += was_ready.eq(self.found_ready)
        was_granted = self.was_granted.bit_select(self.tenant, 1)
        right = ~was_granted & was_ready & self.over_age
        m.d.comb += [
            self.invariant(
                implies(self.oldest.bit_select(self.tenant, 1), right),
            ),
            Assert(at_most_one(guard.promote)),
            Assert(implies(self.promoted_head, right)),
            Cover(self.promoted_head & (self.rounds == 2)),
        ]
        return m


class IntervalHarness(AgeHarness):
    """Counts grants between promotions."""

    def elaborate(self, platform):
        m = Module()
        guard = self.begin(m)
        since = self.count_grants(m, guard)
        m.d.comb += [
            self.invariant(implies(guard.promote.any(), since >= self.interval)),
            Assert(implies(guard.grant.promoted, since >= self.interval)),
            Cover(guard.grant.promoted & (since == self.interval) & (since == 3)),
        ]
        return m


class WaitHarness(AgeHarness):
    """The head waits: it is serviceable, over age and not granted, clock after clock.

    From the first visit that finds it so on it is *in view*; ``passed`` are the others that were
    granted since then. What is granted begins a new age and stays behind the waiting head, so a
    round that goes wrong, because the oldest head is granted between the waiting one's visit and
    the end of the round, is *spoiled* by a tenant that was not passed before.

    This ends where the age saturates, because then all that saturate are equal.
    """

    def wait(self, m: Module) -> AgeGuard:
        """Add the guard; follow the head while it waits."""
        config = self.config
        tenants = config.tenants
        guard = self.begin(m)
        self.since = self.count_grants(m, guard)
        self.due = self.since >= self.interval
        oldest_age = self.look("oldest_age", self.rounds.shape())

        self.waits = Signal()
        self.waited = Signal(range(4 * tenants))
        self.in_view = Signal()
        self.in_view_now = Signal()
        self.passed = Signal(tenants)
        self.passes = Signal(tenants)
        self.spoiled = Signal()
        self.spoils = Signal()
        seen = (self.written == self.tenant) & (self.waited >= 2)
        m.d.comb += [
            self.waits.eq(self.serviceable & ~self.granted & self.over_age & ~self.rounds.all()),
            self.in_view_now.eq(self.waits & (self.in_view | seen)),
            self.passes.eq(
                guard.grant.tenants & ~self.passed & self.in_view_now.replicate(tenants)
            ),
            self.spoils.eq(self.spoiled | self.passes.any()),
        ]
        m.d.sync += [
            self.waited.eq(Mux(self.waits, self.waited + ~self.waited.all(), 0)),
            self.in_view.eq(self.in_view_now),
            self.passed.eq((self.passed | self.passes) & self.waits.replicate(tenants)),
            self.spoiled.eq(self.spoils & self.waits & (self.written != tenants - 1)),
        ]

        # Who is older: by what the ages will be when all visits of the round are over.
        rounds_then = self.rounds + (self.written <= self.tenant)
        for i in range(tenants):
            then = self.all_rounds[i] + (self.written <= i)
            behind = (then < rounds_then) | ((then == rounds_then) & (i > self.tenant))
            m.d.comb += self.invariant(
                implies(self.oldest[i], oldest_age == self.all_rounds[i]),
                implies(self.passed[i], behind),
            )
        visited = self.in_view & (self.written > self.tenant)
        not_above = (self.oldest >> self.tenant)[1:] == 0
        older = (oldest_age > self.rounds) | ((oldest_age == self.rounds) & not_above)
        m.d.comb += self.invariant(
            implies(self.in_view, self.rounds != 0),
            implies(self.passed.any(), self.in_view),
            implies(self.spoiled, self.passed.any()),
            ~self.passed.bit_select(self.tenant, 1),
            implies(
                visited & ~self.spoiled,
                self.oldest.any() & ~(self.oldest & self.passed).any() & older,
            ),
        )
        return guard


class OldestHarness(WaitHarness):
    """Compares the waiting head with whom a round gives the promotion to."""

    def elaborate(self, platform):
        m = Module()
        guard = self.wait(m)
        tenants = self.config.tenants
        whole = Signal()
        m.d.sync += whole.eq(self.in_view_now & (self.written == tenants - 1) & ~self.spoils)
        chosen = guard.promote & ~self.was_promote
        m.d.comb += Cover(whole & chosen.any() & ~self.promoted_head)
        for i in range(tenants):
            rounds = self.all_rounds[i]
            older = (rounds > self.rounds) | ((rounds == self.rounds) & (i <= self.tenant))
            m.d.comb += Assert(implies(whole & chosen[i], older))
        return m


class IdleHarness(WaitHarness):
    """Counts clocks in which a promotion is due and no head is to be promoted."""

    def count_idle(self, m: Module, guard: AgeGuard) -> Signal:
        """Those clocks, counted anew when a tenant is passed for the first time."""
        tenants = self.config.tenants
        idle = Signal(range(4 * tenants))
        with m.If(~self.waits | ~self.due | guard.promote.any() | self.passes.any()):
            m.d.sync += idle.eq(0)
        with m.Else():
            m.d.sync += idle.eq(idle + 1)

        since_visit = (self.clock - self.tenant)[: self.config.tenant_width]
        until_seen = since_visit + Mux(since_visit < 3, tenants, 0)
        in_round = Mux(self.spoiled, 0, tenants + 1) + self.written
        m.d.comb += self.invariant(
            idle <= self.waited,
            self.in_view | (self.waited < until_seen),
            implies(self.in_view & ~guard.promote.any(), idle <= in_round),
        )
        return idle

    def elaborate(self, platform):
        m = Module()
        guard = self.wait(m)
        bound = 2 * self.config.tenants + 1
        idle = self.count_idle(m, guard)
        m.d.comb += [
            Assert(idle <= bound),
            Cover((idle == bound) & guard.promote.any()),
        ]
        return m


class TurnHarness(WaitHarness):
    """Counts promotions of others while the head is in view: of those not passed yet, and again."""

    def count_turns(self, m: Module, guard: AgeGuard) -> tuple[Signal, Signal, Signal]:
        """Promotions of those not passed yet, and of others; rounds that went wrong."""
        tenants = self.config.tenants
        first = Signal(range(2 * tenants))
        again = Signal.like(first)
        spoiled_rounds = Signal.like(first)
        with m.If(~self.waits):
            m.d.sync += [first.eq(0), again.eq(0), spoiled_rounds.eq(0)]
        with m.Else():
            passed_again = (guard.grant.tenants & self.passed).any()
            m.d.sync += [
                first.eq(first + (guard.grant.promoted & self.passes.any())),
                again.eq(again + (guard.grant.promoted & passed_again)),
            ]
            with m.If(self.written == tenants - 1):
                m.d.sync += spoiled_rounds.eq(spoiled_rounds + self.spoils)
        m.d.comb += self.invariant(
            first <= ones(self.passed),
            # Only where a round is spoiled may one that was passed be promoted.
            again + (guard.promote & self.passed).any() <= spoiled_rounds,
            spoiled_rounds + self.spoiled <= ones(self.passed),
        )
        return first, again, spoiled_rounds

    def elaborate(self, platform):
        m = Module()
        guard = self.wait(m)
        first, again, _ = self.count_turns(m, guard)
        m.d.comb += [
            Assert(first + again <= 2 * (self.config.tenants - 1)),
            Cover((first == 2) & (again == 1) & self.promoted_head),
        ]
        return m


class GrantHarness(IdleHarness, TurnHarness):
    """Counts all grants of others while the head waits.

    Taken from the choice is what ``choice.promoted_next`` says: when a head is promoted, one grant
    may stand already, and the next one is its own. And a serviceable head, whoever's, stays so
    until it is granted. Only a commit can break that; traces with one that does are left out, and
    the tenant's limit and the interval are the same throughout.
    """

    def elaborate(self, platform):
        m = Module()
        guard = self.wait(m)
        tenants = self.config.tenants
        first, again, spoiled_rounds = self.count_turns(m, guard)
        promoted, one_stands = self._count_promoted(m, guard, spoiled_rounds)

        # Of other tenants, while the head waits: before it is in view; while no promotion is due;
        # while one is due and nobody is promoted; while somebody is.
        grants = Signal(16)
        unseen, resting, searching, around = (
            Signal(16, name=name) for name in ("unseen", "resting", "searching", "around")
        )
        granted = guard.grant.tenants.any()
        with m.If(~self.waits):
            m.d.sync += [each.eq(0) for each in (grants, unseen, resting, searching, around)]
        with m.Else():
            m.d.sync += grants.eq(grants + granted)
            with m.If(~self.in_view_now):
                m.d.sync += unseen.eq(unseen + granted)
            with m.Elif(guard.promote.any()):
                m.d.sync += around.eq(around + granted)
            with m.Elif(self.due):
                m.d.sync += searching.eq(searching + granted)
            with m.Else():
                m.d.sync += resting.eq(resting + granted)

        idle = self.count_idle(m, guard)
        m.d.comb += self.invariant(
            grants == unseen + resting + searching + around,
            self.in_view | (grants == unseen),
            unseen <= Mux(self.in_view, tenants + 2, self.waited),
            implies(~self.due, idle == 0),
            resting + Mux(self.due, 0, self.interval - self.since)
            <= self.interval * (1 + first + again),
            searching <= (2 * tenants + 2) * (ones(self.passed) + promoted) + idle,
            around + one_stands <= 2 * promoted,
        )
        m.d.comb += [
            Assert(grants <= grant_bound(tenants, self.interval)),
            Cover(
                self.granted & guard.grant.promoted & (first == 1) & (around == 3) & (unseen != 0)
            ),
        ]
        return m

    def _count_promoted(
        self, m: Module, guard: AgeGuard, spoiled_rounds: Signal
    ) -> tuple[Value, Value]:
        """Heads promoted since the head is in view, and one that may be promoted already.

        Of those that were not passed as many as are passed then, of those that were one in a
        spoiled round. Returns beside the number whether one is promoted, not for the first clock.
        """
        tenants = self.config.tenants
        # What a visit finds serviceable stays so, through the guard's steps to its promotion.
        stays = Signal(tenants)
        promoted_next = self.was_promote & stays
        m.d.sync += stays.eq(guard.classes.serviceable & ~guard.grant.tenants)
        m.d.comb += [
            Assume((stays & ~guard.classes.serviceable) == 0),
            Assume(
                ~promoted_next.any()
                | ~guard.grant.tenants.any()
                | (guard.grant.tenants & promoted_next).any()
            ),
        ]
        visited, compared = (self.look(name, tenants) for name in ("visited", "compared"))
        ready, aged, over_age = (self.look(name, 1) for name in ("ready", "aged", "over_age"))
        m.d.comb += self.invariant(
            implies(ready, (visited & ~stays) == 0),
            implies(aged, (compared & ~stays) == 0),
            implies(over_age, aged),
            (self.oldest & ~stays) == 0,
            (guard.promote & ~stays) == 0,
            (promoted_next & ~guard.promote) == 0,
        )

        promoting, was_promoting = guard.promote.any(), self.was_promote.any()
        begins = promoting & ~was_promoting
        begins_again = begins & (guard.promote & self.passed).any()
        own = self.promoted_head
        of_others = Signal(range(2 * tenants))
        of_passed = Signal(range(2 * tenants))
        of_own = Signal()
        with m.If(~self.in_view_now):
            m.d.sync += [of_others.eq(0), of_passed.eq(0), of_own.eq(0)]
        with m.Elif(begins):
            m.d.sync += [
                of_others.eq(of_others + (~own & ~begins_again)),
                of_passed.eq(of_passed + begins_again),
                of_own.eq(of_own | own),
            ]
        stands = (guard.promote & ~self.passed).any() & ~own & was_promoting
        m.d.comb += self.invariant(
            implies(promoting & was_promoting, promoted_next == guard.promote),
            of_others <= ones(self.passed) + stands,
            of_passed + begins_again <= spoiled_rounds,
            implies(of_own, own & was_promoting),
        )
        return 1 + of_others + of_passed + of_own, promoting & was_promoting


def grant_bound(tenants: int, interval: Value) -> Value:
    """Grants of others before a head that is over age has its own.

    Heads promoted are each other tenant's twice at most, its own, and one that was promoted before
    it was seen over age: ``2 * tenants``, each with a grant that stood already and its own. A
    search for one takes the clocks of ``age.in_time`` and the one that ends it, and begins after
    each of these heads and each of ``tenants - 1`` that are passed. No promotion is due for an
    interval after each of ``2 * (tenants - 1)``, and before the first. And ``tenants + 2`` clocks
    go by before the head is seen over age.
    """
    searching = (3 * tenants - 1) * (2 * tenants + 2) + 2 * tenants + 1
    return (2 * tenants - 1) * interval + searching + 4 * tenants + tenants + 2


PROPERTIES = (
    Property(
        name="age.rounds",
        claim=(
            "An age is the rounds whose visit found the head serviceable since its tenant's last "
            "grant, in clocks."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=RoundHarness,
        method=Method.INDUCTION,
        depth=3,
        bug=Bug(
            module=AGE,
            text="compared.eq(visited & ~granted)",
            instead="compared.eq(visited)",
        ),
        reach_config=SMALL,
        reach=12,
    ),
    Property(
        name="age.over_age",
        claim=(
            "At most one head is promoted: one that has reached its limit, was serviceable at its "
            "last visit, and was not granted in the clock before."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=PromoteHarness,
        method=Method.INDUCTION,
        depth=5,
        bug=Bug(
            module=AGE,
            text="compared, oldest) & ~granted",
            instead="compared, oldest)",
        ),
        reach_config=SMALL,
        reach=14,
    ),
    Property(
        name="age.interval",
        claim="From one promotion to the next there are at least the interval's grants.",
        block=BLOCK,
        config=CONFIG,
        harness=IntervalHarness,
        method=Method.INDUCTION,
        depth=3,
        bug=Bug(module=AGE, text="rested.eq(1)", instead="rested.eq(2)"),
        reach_config=SMALL,
        reach=18,
    ),
    Property(
        name="age.oldest_first",
        claim=(
            "A round gives the promotion to the oldest head, ties to the lowest tenant, of those "
            "that it found serviceable and over age, unless a head was granted meanwhile."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=OldestHarness,
        method=Method.INDUCTION,
        depth=5,
        bug=Bug(
            module=AGE,
            text="older > oldest_age",
            instead="older >= oldest_age",
        ),
        reach_config=SMALL,
        reach=16,
        slow=True,
    ),
    Property(
        name="age.in_time",
        claim=(
            "While a head is serviceable, over age and not granted, and a promotion is due, some "
            "head is promoted within 2 * tenants + 1 clocks, counted anew when another tenant is "
            "granted for the first time since the head was seen over age."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=IdleHarness,
        method=Method.INDUCTION,
        depth=5,
        bug=Bug(
            module=AGE,
            text="visited_age >= limit",
            instead="visited_age > limit",
        ),
        reach_config=SMALL,
        reach=24,
        slow=True,
    ),
    Property(
        name="age.turns",
        claim=(
            "Once a head was seen over age, and while it stays serviceable, at most "
            "2 * (tenants - 1) promotions of others are granted before it is."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=TurnHarness,
        method=Method.INDUCTION,
        depth=5,
        bug=Bug(
            module=AGE,
            text="older > oldest_age",
            instead="older < oldest_age",
        ),
        reach_config=SMALL,
        reach=36,
        skip=28,
        slow=True,
    ),
    Property(
        name="age.grants",
        claim=(
            "A head that is over age, its age not saturated, is granted after at most "
            "(2 * tenants - 1) * interval + 6 * tenants ** 2 + 11 * tenants + 1 grants of others, "
            "while no commit changes its limit or the interval or takes a tenant's tokens, and if "
            "a promoted head is granted as choice.promoted_next says."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=GrantHarness,
        method=Method.INDUCTION,
        depth=5,
        bug=Bug(module=AGE, text="self.promote.eq(found)", instead="self.promote.eq(0)"),
        reach_config=SMALL,
        reach=150,
        skip=140,
        slow=True,
    ),
)
