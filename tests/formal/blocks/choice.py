"""The choice: one grant, to a serviceable request that nobody goes before, and never none."""

import dataclasses

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.arbiter.wf2q.choice import Choice
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from tests.formal.blocks.tags import copies_of_again, copies_of_chosen
from tests.formal.property import Harness, Method, Property, at_most_one, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
SMALL = ChannelConfig(tenants=4)
BLOCK = "mcos_hw.channel.arbiter.wf2q.choice.Choice"
CHOICE = "mcos_hw.channel.arbiter.wf2q.choice"


def below(choice: Choice) -> Value:
    """Bit j: a tenant lower than j is granted."""
    return Mux(choice.turn.again, choice.turn.belows[1], choice.turn.belows[0])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contender:
    """A request that may be granted next, and what decides on it.

    ``priority`` is 0 unless overcommitted; ``finish`` and ``start`` are places in the order of
    tags, equal for equal tags.
    """

    serviceable: Value
    promoted: Value
    class_code: Value
    reached: Value
    stale: Value
    priority: Value
    finish: Value
    start: Value
    tenant: Value

    def goes_before(self, other: "Contender") -> Value:
        """Whether it has to be granted before ``other``, by the words of the rule."""
        by_tenant = self.tenant < other.tenant
        by_finish = by_first(
            (self.priority, other.priority), (self.finish, other.finish), otherwise=by_tenant
        )
        among_candidates = by_first(
            (~self.stale, ~other.stale), otherwise=Mux(self.stale, by_tenant, by_finish)
        )
        among_others = by_first((self.start, other.start), otherwise=by_finish)
        return by_first(
            (~self.promoted, ~other.promoted),
            (self.class_code, other.class_code),
            (~self.reached, ~other.reached),
            otherwise=Mux(self.reached, among_candidates, among_others),
        )


def by_first(*pairs: tuple[Value, Value], otherwise: Value) -> Value:
    """Whether the first pair of different numbers has the smaller one on its left."""
    for left, right in reversed(pairs):
        otherwise = Mux(left == right, otherwise, left < right)
    return otherwise


class ChoiceHarness(Harness):
    """Heads of any class and state; at most one is promoted, and at most one request enters."""

    def begin(self, m: Module) -> Choice:
        """Add the block and what its surroundings keep to."""
        choice = Choice(self.config)
        self.prove(m, choice)
        m.d.comb += [
            Assume(at_most_one(choice.promote)),
            Assume(at_most_one(choice.fresh)),
            Assume((choice.fresh & choice.present & ~choice.turn.granted) == 0),
            Assume(~choice.following.present | choice.turn.granted.any()),
        ]
        self.choice = choice
        has_class = Cat(code != NO_CLASS for code in choice.class_codes)
        self.heads = Signal(self.config.tenants)
        self.enters = Signal(self.config.tenants)
        self.follows = Signal()
        m.d.comb += [
            self.heads.eq(choice.present & ~choice.turn.granted & has_class),
            self.enters.eq(choice.fresh & ~choice.turn.granted & has_class),
            self.follows.eq(choice.following.present & (choice.following.class_code != NO_CLASS)),
        ]
        return choice


class GrantHarness(ChoiceHarness):
    """Any two tenants, and any order of their heads that is not both ways."""

    def elaborate(self, platform):
        m = Module()
        choice = self.begin(m)
        one = self.any_constant(m, self.config.tenant_width, name="any_tenant")
        other = self.any_constant(m, self.config.tenant_width, name="other_tenant")

        def of(name, row, column):
            return choice.order[row][name].bit_select(column, 1)

        def tells(first, second):
            return of("by_start", first, second), of("same_start", first, second)

        start_first, same = tells(one, other)
        start_second, same_too = tells(other, one)

        opened = Signal()
        was_granted = Signal()
        headed = Signal()
        followed = Signal()
        entered = Signal()
        is_granted = choice.turn.granted.bit_select(one, 1)
        m.d.sync += [
            opened.eq(choice.open_then),
            was_granted.eq(is_granted),
            headed.eq(self.heads.bit_select(one, 1)),
            followed.eq(is_granted & self.follows),
            entered.eq(self.enters.bit_select(one, 1) & ~self.heads.any() & ~self.follows),
        ]
        m.d.comb += [
            Assume(one != other),
            Assume(of("by_finish", one, other) == ~of("by_finish", other, one)),
            Assume(same == same_too),
            Assume(~same | ~start_first),
            Assume(start_second == (~start_first & ~same)),
            Assert(~(is_granted & choice.turn.granted.bit_select(other, 1))),
            Assert(implies(is_granted, choice.turn.grant & opened)),
            *(Assert(copy == choice.turn.chosen) for copy in copies_of_chosen(choice.turn)),
            *(Assert(copy == choice.turn.again) for copy in copies_of_again(choice.turn)),
            Assert(implies(is_granted, headed | followed | entered)),
            Assert(implies(is_granted, choice.turn.again == was_granted)),
            Assert(
                below(choice).bit_select(one, 1)
                == Mux(one == 0, 0, (choice.turn.granted & ((1 << one) - 1)).any())
            ),
            Cover(is_granted & followed),
            Cover(is_granted & headed),
            Cover(is_granted & entered),
        ]
        return m


class OrderedHarness(ChoiceHarness):
    """Heads in any order that tags can have: of one number each for S and F."""

    place_width = 5
    """Bits of those numbers: enough for the heads of all tenants and the one that follows."""

    def order(self, m: Module) -> None:
        """Give each request its places in the order of tags, and tell the block of them."""
        config, choice = self.config, self.choice
        tenants = range(config.tenants)
        priorities = [Signal(4, name=f"counted_priority_{i}") for i in tenants]
        for i in tenants:
            m.d.sync += priorities[i].eq(Mux(choice.overcommitted, choice.priorities[i], 0))
        granted = Signal(config.tenant_width)
        with m.Switch(choice.turn.granted):
            for i in tenants:
                with m.Case(1 << i):
                    m.d.comb += granted.eq(i)

        def places(name):
            return [
                self.any_value(self.place_width, name=f"{name}_{each}")
                for each in (*tenants, "next")
            ]

        finish, start = places("finish"), places("start")

        def first(left, right, tie):
            return (left < right) | ((left == right) & tie)

        for i in tenants:
            m.d.comb += [
                choice.following.order.by_finish[i].eq(first(finish[-1], finish[i], granted < i)),
                choice.following.order.by_start[i].eq(start[-1] < start[i]),
                choice.following.order.same_start[i].eq(start[-1] == start[i]),
                Assume(~choice.stale[i] | choice.reached[i]),
            ]
            for j in tenants:
                m.d.comb += [
                    choice.order[i].by_finish[j].eq(first(finish[i], finish[j], int(i < j))),
                    choice.order[i].by_start[j].eq(start[i] < start[j]),
                    choice.order[i].same_start[j].eq(start[i] == start[j]),
                ]
        m.d.comb += Assume(~choice.following.stale | choice.following.reached)
        # Of each tenant that whose order with the granted one decides.
        m.d.comb += [
            self.invariant(
                at_most_one(choice.turn.granted),
                *(
                    below(choice)[i] == (choice.turn.granted[:i].any() if i else Const(0))
                    for i in tenants
                ),
            )
        ]
        self.contenders = [
            Contender(
                serviceable=self.heads[i],
                promoted=choice.promote[i],
                class_code=choice.class_codes[i],
                reached=choice.reached[i],
                stale=choice.stale[i],
                priority=priorities[i],
                finish=finish[i],
                start=start[i],
                tenant=Const(i, config.tenant_width),
            )
            for i in tenants
        ]
        self.follower = Contender(
            serviceable=self.follows,
            promoted=Const(0, 1),
            class_code=choice.following.class_code,
            reached=choice.following.reached,
            stale=choice.following.stale,
            priority=Array(priorities)[granted],
            finish=finish[-1],
            start=start[-1],
            tenant=granted,
        )

    def pick(self, m: Module, tenant: Value, *, name: str) -> Contender:
        """The request of a tenant that may be granted next: its head, or what follows it."""
        follows = self.choice.turn.granted.bit_select(tenant, 1)
        chosen = {"tenant": tenant}
        for field in dataclasses.fields(Contender):
            if field.name in chosen:
                continue
            heads = Array(getattr(each, field.name) for each in self.contenders)
            value = Mux(follows, getattr(self.follower, field.name), heads[tenant])
            chosen[field.name] = Signal(value.shape(), name=f"{name}_{field.name}")
            m.d.comb += chosen[field.name].eq(value)
        return Contender(**chosen)


class RuleHarness(OrderedHarness):
    """Any two tenants: of the two requests, the one that goes before decides on the other."""

    def elaborate(self, platform):
        m = Module()
        choice = self.begin(m)
        self.order(m)
        one = self.any_constant(m, self.config.tenant_width, name="any_tenant")
        other = self.any_constant(m, self.config.tenant_width, name="other_tenant")
        mine = self.pick(m, one, name="mine")
        theirs = self.pick(m, other, name="theirs")

        passed = Signal()
        reached = Signal()
        was_stale = Signal()
        before_follower = Signal()
        m.d.sync += [
            passed.eq(theirs.serviceable & (~mine.serviceable | theirs.goes_before(mine))),
            reached.eq(mine.reached & theirs.reached & theirs.serviceable),
            was_stale.eq(mine.stale & theirs.stale & theirs.serviceable),
            before_follower.eq(choice.turn.granted.bit_select(other, 1) & theirs.serviceable),
        ]
        is_granted = choice.turn.granted.bit_select(one, 1)
        m.d.comb += [
            Assume(one != other),
            Assert(implies(is_granted, ~passed)),
            Cover(is_granted & before_follower),
            Cover(choice.turn.again & is_granted & reached),
            Cover(is_granted & was_stale),
        ]
        return m


class WorkHarness(OrderedHarness):
    """Any one tenant whose head goes before those of all others.

    Numbers have a least one, so in any clock with serviceable heads this is said of one of them.
    Only how the others stand to this one counts, so few numbers are enough: its own is 1.
    """

    place_width = 2

    def elaborate(self, platform):
        m = Module()
        choice = self.begin(m)
        self.order(m)
        tenant = self.any_constant(m, self.config.tenant_width, name="any_tenant")
        head = self.pick(m, tenant, name="head")
        m.d.comb += [Assume(head.finish == 1), Assume(head.start == 1)]
        least = Signal()
        m.d.comb += least.eq(
            self.heads.bit_select(tenant, 1)
            & Cat(
                ~each.serviceable | (tenant == i) | head.goes_before(each)
                for i, each in enumerate(self.contenders)
            ).all()
        )

        opened = Signal()
        wanted = Signal()
        alone = Signal()
        m.d.sync += [
            opened.eq(choice.open_then),
            wanted.eq(least | (~self.heads.any() & (self.follows | self.enters.any()))),
            alone.eq(~self.heads.any()),
        ]
        m.d.comb += [
            Assert(implies(opened & wanted, choice.turn.granted.any())),
            Assert(implies(wanted | alone, choice.turn.grant == choice.turn.granted.any())),
            Cover(opened & wanted & ~alone & ~choice.turn.again),
        ]
        return m


class PromotedHarness(ChoiceHarness):
    """A head is promoted until it is granted; nothing is said of its order.

    ``others`` counts the grants since then that others had.
    """

    def elaborate(self, platform):
        m = Module()
        choice = self.begin(m)
        tenant = self.any_constant(m, self.config.tenant_width, name="any_tenant")
        is_granted = choice.turn.granted.bit_select(tenant, 1)
        waits = Signal()
        waited = Signal()
        opened = Signal()
        others = Signal(2)
        m.d.comb += waits.eq(
            choice.promote.bit_select(tenant, 1)
            & choice.present.bit_select(tenant, 1)
            & (choice.class_codes[tenant] != NO_CLASS)
        )
        m.d.sync += [
            waited.eq(waits & ~is_granted),
            opened.eq(choice.open_then),
            others.eq(Mux(waits & ~is_granted, others + choice.turn.grant, 0)),
        ]
        m.d.comb += [
            Assume(~waited | waits),
            self.invariant(waited | (others == 0), ~waited | (others < 2)),
            Assert(implies(waited & opened, is_granted)),
            Assert(implies(waited & choice.turn.grant, is_granted)),
            Assert(others <= 1),
            Cover(waited & (others == 1) & is_granted),
        ]
        return m


PROPERTIES = (
    Property(
        name="choice.one_grant",
        claim=(
            "At most one tenant is granted in a clock, only where the channel is open, and only "
            "for a serviceable head, the serviceable request behind the head granted before, or "
            "one that enters while nobody else is serviceable. The "
            "copies of who is chosen, and whether again, are the same."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=GrantHarness,
        method=Method.INDUCTION,
        depth=2,
        bug=Bug(
            module=CHOICE,
            text="self.present & ~granted & has_class",
            instead="self.present & has_class",
        ),
        reach=5,
        slow=True,
    ),
    Property(
        name="choice.rule",
        claim=(
            "Who is granted goes before everybody else by the rule: promoted, then class, then "
            "candidates by stale, priority and F, then the others by S, priority and F."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=RuleHarness,
        method=Method.INDUCTION,
        depth=2,
        bug=Bug(
            module=CHOICE,
            text="self.stale, below, finish_first",
            instead="self.stale, ~below, finish_first",
        ),
        reach_config=SMALL,
        reach=6,
        slow=True,
    ),
    Property(
        name="choice.work_conserving",
        claim="While the channel is open and anybody is serviceable, the next clock has a grant.",
        block=BLOCK,
        config=CONFIG,
        harness=WorkHarness,
        method=Method.INDUCTION,
        depth=2,
        bug=Bug(
            module=CHOICE,
            text="return start_first | (same_start & finish_first)",
            instead="return start_first",
        ),
        reach_config=SMALL,
        reach=6,
        slow=True,
    ),
    Property(
        name="choice.promoted_next",
        claim=(
            "A promoted serviceable head is granted as soon as the channel is open: within two "
            "grants, one of which may stand already when it is promoted."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=PromotedHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=CHOICE,
            text="(bit & ~self.promote)",
            instead="bit",
        ),
        reach=6,
        slow=True,
    ),
)
