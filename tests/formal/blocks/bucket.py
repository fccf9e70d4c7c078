"""The token buckets: levels by definition, what they may owe, what any clocks may charge."""

from typing import NamedTuple

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.bucket import TenantBuckets
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
BLOCK = "mcos_hw.channel.bucket.TenantBuckets"
BUCKET = "mcos_hw.channel.bucket"


class Side(NamedTuple):
    """Members of one of the two buckets, and its depth in the units of its level."""

    name: str
    level: Value
    rate: Value
    limit: Value
    charged: Value
    beats: Value


def sides(block: TenantBuckets) -> tuple[Side, Side]:
    """The committed and the peak bucket."""
    fraction = block.config.rate_fraction
    return (
        Side(
            "committed",
            block.committed,
            block.committed_rate,
            block.committed_depth << fraction,
            block.charge_committed,
            block.committed_beats,
        ),
        Side(
            "peak",
            block.peak,
            block.peak_rate,
            block.peak_depth << fraction,
            block.charge_peak,
            block.peak_beats,
        ),
    )


_SOONEST = 3
"""Clocks after which another image may be live at the soonest."""


class BucketHarness(Harness):
    """Buckets, and of the clock before: what it left of each level, its rates and its depths.

    What was left is in integers too wide to wrap.
    """

    def begin(self, m: Module) -> TenantBuckets:
        """Add the buckets."""
        block = TenantBuckets(self.config)
        self.prove(m, block)
        self.longest = self.config.l_max << self.config.rate_fraction
        self.size = block.beats * self.config.beat_bytes << self.config.rate_fraction
        self.left, self.rates, self.limits = (
            [Signal(signed(48), name=f"{side.name}_{name}") for side in sides(block)]
            for name in ("left", "rate_before", "limit_before")
        )
        self.filled = Signal()
        m.d.sync += self.filled.eq(block.fill)
        for side, left, rate, limit in zip(
            sides(block), self.left, self.rates, self.limits, strict=True
        ):
            m.d.sync += [
                left.eq(side.level - Mux(side.charged, self.size, 0)),
                rate.eq(side.rate),
                limit.eq(side.limit),
            ]
        m.d.comb += Assume(block.beats <= self.config.max_beats)
        return block

    def defined(self) -> list[Value]:
        """The levels by definition."""
        return [
            Mux(self.filled | (left + rate > limit), limit, left + rate)
            for left, rate, limit in zip(self.left, self.rates, self.limits, strict=True)
        ]


class LevelHarness(BucketHarness):
    """Any contracts and charges, with no more debt than ``bucket.debt`` has proved."""

    def elaborate(self, platform):
        m = Module()
        block = self.begin(m)
        most_owed = self.longest * (1 + self.config.queue_depth)
        for side, level in zip(sides(block), self.defined(), strict=True):
            cut = (side.rate > self.size) & (side.level == side.limit)
            m.d.comb += [
                Assume(side.level >= -most_owed),
                Assert(side.level == level),
                Cover(side.charged & (self.size != 0) & cut & (side.level != 0)),
            ]
        return m


class DebtHarness(BucketHarness):
    """A tenant that may be enabled, disabled and get a new contract in any clock.

    An enabled contract is legal as the loader has it; a disabled one only has no committed rate.
    It changes no sooner than after three clocks, as an image has more words than that.
    What is charged was chosen in the same clock, or in the one before by what that one's charge
    leaves, or in the one before that if there was no charge since. A disabled tenant takes no
    requests, so it charges for a full queue at most.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = self.begin(m)
        enabled = self.any_value(1, name="enabled")
        at_once = self.any_value(1, name="at_once")
        earlier = self.any_value(1, name="earlier")
        committed, peak = sides(block)

        was_enabled = Signal()
        # The committed bucket has no depth, or still owes from when it had none.
        was_bare = Signal()
        lasted = Signal(range(_SOONEST + 1), init=_SOONEST)
        drained = Signal(range(config.queue_depth + 1))
        was_charged = Signal()
        charged = committed.charged | peak.charged
        m.d.sync += [
            was_enabled.eq(enabled),
            drained.eq(Mux(enabled, 0, drained + charged)),
            was_charged.eq(charged),
        ]

        lefts_earlier = [Signal.like(left, name=f"{left.name}_earlier") for left in self.left]
        m.d.sync += [
            earlier_left.eq(left)
            for earlier_left, left in zip(lefts_earlier, self.left, strict=True)
        ]

        def covers(side, left, left_earlier):
            # Sizes are whole beats, so a level covers them if its whole beats do.
            return Mux(at_once, side.level, Mux(earlier, left_earlier, left)) >= self.size

        def follows(left):
            # A bucket that is cut has as much as a request may take.
            return peak.level >= Mux(left < self.longest, left - self.longest, 0)

        def is_legal(enabled, rates, limits):
            in_order = (rates[0] <= rates[1]) & (limits[0] <= limits[1])
            deep = Cat(
                Mux(rate == 0, limit == 0, limit >= self.longest)
                for rate, limit in zip(rates, limits, strict=True)
            ).all()
            return Mux(enabled, in_order & deep, rates[0] == 0)

        conforms, bursts = (
            covers(*each) for each in zip(sides(block), self.left, lefts_earlier, strict=True)
        )
        rates, limits = [committed.rate, peak.rate], [committed.limit, peak.limit]
        without_depth = was_enabled & (self.limits[0] == 0)
        nearly = self.longest - (1 << config.rate_fraction)
        changes = Signal()
        values = zip(
            [enabled, *rates, *limits], [was_enabled, *self.rates, *self.limits], strict=True
        )
        m.d.comb += changes.eq(Cat(value != before for value, before in values).any())
        m.d.sync += [
            lasted.eq(Mux(changes, 1, lasted + (lasted < _SOONEST))),
            was_bare.eq(enabled & ((committed.limit == 0) | (was_bare & (committed.level < 0)))),
        ]
        m.d.comb += [
            Assume(implies(changes, lasted == _SOONEST)),
            Assume(is_legal(enabled, rates, limits)),
            Assume(block.fill == (enabled & ~was_enabled)),
            Assume(~earlier | ~was_charged),
            Assume(implies(committed.charged, conforms & peak.charged)),
            Assume(implies(peak.charged & ~committed.charged, ~conforms & bursts)),
            Assume(implies(charged, enabled | (drained < config.queue_depth))),
            self.invariant(
                *(
                    side.level == level
                    for side, level in zip(sides(block), self.defined(), strict=True)
                ),
                is_legal(was_enabled, self.rates, self.limits),
                drained <= config.queue_depth,
                # What was chosen by tokens of before is charged before the next contract.
                implies(without_depth & (lasted >= 2), self.left[0] <= 0),
                implies(without_depth & (lasted >= 3), lefts_earlier[0] <= 0),
                implies(without_depth, was_bare),
                # Why peak owes no more: it follows the committed level.
                implies(was_enabled, committed.level <= peak.level + self.longest),
                implies(was_enabled, follows(self.left[0])),
                implies(was_enabled & ~was_charged, follows(lefts_earlier[0])),
            ),
            Assert(implies(was_enabled & ~was_bare, committed.level >= 0)),
            Assert(committed.level >= -self.longest),
            Assert(peak.level >= -self.longest * (1 + drained)),
            Cover(was_enabled & (peak.level < -nearly)),
            Cover(was_enabled & (committed.level < -nearly)),
            Cover(committed.level < -nearly),
            Cover(peak.level < -2 * nearly),
        ]
        return m


class WindowHarness(BucketHarness):
    """A window of clocks with the contract of the clock before begins in any clock.

    Any charges, with no more debt than ``bucket.debt`` has proved: the committed bucket owes where
    it has no depth, or where it did when the window began. ``uncut`` is the level as it would be
    if nothing were cut from the first clock on.
    """

    def elaborate(self, platform):
        m = Module()
        block = self.begin(m)
        begins = self.any_value(1, name="begins")

        byte = 1 << self.config.rate_fraction
        inside = Signal()
        within = Signal()
        m.d.sync += within.eq(inside)
        m.d.comb += inside.eq(within | begins)
        for side, rate, limit in zip(sides(block), self.rates, self.limits, strict=True):
            first = Signal(side.level.shape(), name=f"{side.name}_first")
            may_owe = 1 if side.name == "peak" else limit < self.longest
            debt = Mux(may_owe, self.longest, 0)
            owed = Mux(within, first, side.level) < 0
            uncut = Signal(signed(64), name=f"{side.name}_uncut")
            with m.If(~within):
                m.d.sync += first.eq(side.level)
            with m.If(inside):
                m.d.sync += uncut.eq(
                    Mux(within, uncut, side.level) - Mux(side.charged, self.size, 0) + side.rate
                )
            # What the window charges less what its rate gives.
            lead = Signal(signed(64), name=f"{side.name}_lead")
            m.d.comb += [
                lead.eq(first - uncut),
                Assume(side.level >= Mux(may_owe | owed, -self.longest, 0)),
                Assume(implies(inside, (side.rate == rate) & (side.limit == limit) & ~block.fill)),
                Assume(uncut < 1 << 62),
                self.invariant(
                    side.level <= limit,
                    implies(within, (first <= limit) & (uncut >= side.level)),
                ),
                Assert(implies(within, lead <= limit + debt)),
                Cover((limit >= self.longest) & within & (lead > limit + debt - byte)),
            ]
        return m


class WholeHarness(Harness):
    """Levels of any kind."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = TenantBuckets(config)
        self.prove(m, block)
        for side in sides(block):
            beat = config.beat_bytes << config.rate_fraction
            most = (1 << len(side.beats)) - 1
            many = side.level >= most * beat
            m.d.comb += [
                Assert(implies(side.level < 0, side.beats == 0)),
                Assert(implies(many, side.beats == most)),
                Assert(
                    implies(
                        (side.level >= 0) & ~many,
                        (side.beats * beat <= side.level) & ((side.beats + 1) * beat > side.level),
                    )
                ),
                Cover(many),
                Cover((side.level < 0) & (side.level > -beat)),
                Cover(side.beats == most - 1),
            ]
        return m


PROPERTIES = (
    Property(
        name="bucket.level_by_definition",
        claim=(
            "Every level is min(level - charge + rate, depth), or the depth where it is filled, "
            "and never wraps, however the contract changes."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=LevelHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=BUCKET,
            text="(lack + charge)[lack_bits - 1]",
            instead="lack[lack_bits - 1]",
        ),
        reach=8,
    ),
    Property(
        name="bucket.debt",
        claim=(
            "While a tenant is enabled its committed level never owes and its peak level owes "
            "l_max at most; a commit that disables it or takes its guarantee may leave the "
            "committed level owing l_max, and one that disables it the peak level that much for "
            "each request still queued."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=DebtHarness,
        method=Method.INDUCTION,
        depth=2,
        bug=Bug(
            module=BUCKET,
            text="~_widened(charge, high), high",
            instead="~_widened(charge << 1, high), high",
        ),
        reach=8,
        slow=True,
    ),
    Property(
        name="bucket.window",
        claim=(
            "At a steady contract, any t clocks charge at most rate * t + depth bytes, and l_max "
            "more in the peak bucket, or in a committed one without a depth."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=WindowHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=BUCKET,
            text="self.fill | over, limit",
            instead="self.fill, limit",
        ),
        reach=8,
    ),
    Property(
        name="bucket.whole_beats",
        claim=(
            "The beats of a level are its whole ones, none where it owes, and all ones where "
            "there are more than fit."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=WholeHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=BUCKET,
            text="whole[width:].any()",
            instead="whole[width + 1 :].any()",
        ),
        reach=6,
    ),
)
